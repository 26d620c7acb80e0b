"""What tenants owe, how long already, and what they have with the base."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import F, QuerySet, Sum
from django.db.models.expressions import Combinable

from base_ops.core.errors import NotFound
from base_ops.core.models import Tenant, User
from billing.domain.ageing import Ageing
from billing.models import Deposit, OpenItem, Payment, Wallet


class NoSuchPayment(NotFound):
    """There is no such payment, or it is another tenant's."""

    code, title_zh, title_en = "no_such_payment", "没有该收款", "No such payment"


@dataclass(frozen=True, slots=True)
class Standing:
    """One tenant's money, in fen."""

    tenant: Tenant
    ageing: Ageing
    wallet_fen: int
    deposits_fen: int
    unallocated_fen: int


def open_items(
    *, user: User, tenant: str | None = None, only_open: bool = True
) -> QuerySet[OpenItem]:
    """Documents that ask for money, as far as the user may see them."""
    rows = OpenItem.objects.filter(gross_fen__gt=0).select_related("tenant", "invoice")
    if user.tenant_id is not None:
        rows = rows.filter(tenant_id=user.tenant_id)
    if tenant:
        rows = rows.filter(tenant__code=tenant)
    return rows.filter(gross_fen__gt=F("settled_fen")) if only_open else rows


def payments(*, user: User, tenant: str | None = None, unused: bool = False) -> QuerySet[Payment]:
    """Payments the user may see; `unused` are those with something left."""
    rows = Payment.objects.select_related("tenant", "credit_note")
    if user.tenant_id is not None:
        rows = rows.filter(tenant_id=user.tenant_id)
    if tenant:
        rows = rows.filter(tenant__code=tenant)
    if unused:
        used = F("allocated_fen") + F("moved_fen") + F("refunded_fen")
        rows = rows.filter(voided_at=None, amount_fen__gt=used)
    return rows


_OPEN_ON = """
SELECT o.tenant_id, o.due_on, (o.gross_fen - coalesce(sum(a.amount_fen), 0))::bigint
  FROM billing_openitem o
  LEFT JOIN billing_allocation a ON a.item_id = o.invoice_id AND a."on" <= %(on)s
 WHERE o.gross_fen > 0 AND o.issued_on <= %(on)s
   AND (%(tenant)s::bigint IS NULL OR o.tenant_id = %(tenant)s)
 GROUP BY o.invoice_id HAVING o.gross_fen > coalesce(sum(a.amount_fen), 0)
"""


def ageing(*, on: date, tenant_id: int | None = None) -> Mapping[int, Ageing]:
    """By tenant, what was open at the end of a day and how long it had been due."""
    found: dict[int, Ageing] = defaultdict(Ageing)
    with connection.cursor() as cursor:
        cursor.execute(_OPEN_ON, {"on": on, "tenant": tenant_id})
        for owner, due_on, open_fen in cursor.fetchall():
            found[owner].add(due_on, open_fen, on=on)
    return found


def standings(
    *, on: date, user: User, tenant: str | None = None, known: Collection[int] = ()
) -> list[Standing]:
    """Tenants with debts, money or deposits, and those `known`, as far as the user may see them.

    Debts are those of the day; wallets, deposits and what is not allocated are those of now.
    """
    debts = ageing(on=on, tenant_id=user.tenant_id)
    wallets = dict(Wallet.objects.filter(balance_fen__gt=0).values_list("tenant", "balance_fen"))
    held = _sums(
        Deposit.objects.filter(taken_fen__gt=F("set_off_fen") + F("returned_fen")),
        F("taken_fen") - F("set_off_fen") - F("returned_fen"),
    )
    loose = _sums(
        payments(user=user, unused=True).exclude(tenant=None),
        F("amount_fen") - F("allocated_fen") - F("moved_fen") - F("refunded_fen"),
    )
    rows = Tenant.objects.filter(pk__in={*debts, *wallets, *held, *loose, *known})
    if user.tenant_id is not None:
        rows = Tenant.objects.filter(pk=user.tenant_id)
    if tenant:
        rows = rows.filter(code=tenant)
    return [
        Standing(
            row,
            debts.get(row.pk, Ageing()),
            wallets.get(row.pk, 0),
            held.get(row.pk, 0),
            loose.get(row.pk, 0),
        )
        for row in rows.order_by("code")
    ]


def _sums(rows: QuerySet[Any], what: Combinable) -> dict[int, int]:
    found = rows.order_by().values("tenant").annotate(n=Sum(what))
    return dict(found.values_list("tenant", "n"))


def payment(*, user: User, payment_id: int) -> Payment:
    """One payment.

    Raises:
        NoSuchPayment: unknown, or another tenant's.
    """
    found = payments(user=user).filter(pk=payment_id).first()
    if found is None:
        raise NoSuchPayment(f"payment {payment_id}")
    return found
