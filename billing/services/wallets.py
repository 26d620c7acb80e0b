"""Prepaid wallets: filled from payments, used for documents, given back."""

import secrets
from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction

from base_ops.core import audit
from base_ops.core.actors import Actor
from base_ops.core.errors import Conflict, FieldFault
from base_ops.core.models import Tenant
from billing.domain.accounts import LIES_ON, clearing
from billing.domain.allocating import Open, Part, spread
from billing.domain.texts import local_day
from billing.models import OpenItem, Payment, Refund, Wallet, WalletMove
from billing.services import paying, posting


class WalletShort(Conflict):
    """The wallet holds less."""

    code, title_zh, title_en = "wallet_short", "钱包余额不足", "The wallet holds less"


def fill(*, payment_id: int, amount_fen: int | None = None, actor: Actor, now: datetime) -> int:
    """Move the rest of a payment, or some of it, into its tenant's wallet; how much that was.

    Raises:
        paying.OverAllocated: more than it has left.
        paying.PaymentState: void, or of nobody.
    """
    with transaction.atomic():
        row = paying.locked(payment_id)
        if row.tenant_id is None:
            raise paying.PaymentState("say whose it is")
        wanted = row.left_fen if amount_fen is None else amount_fen
        paying.take_from(row, wanted)
        if not wanted:
            return 0
        on = posting.open_day(row.received_on, today=local_day(now))
        move = WalletMove.objects.create(
            tenant_id=row.tenant_id, amount_fen=wanted, kind="top_up", payment=row, on=on,
            created_by=actor.label, created_at=now,
        )  # fmt: skip
        posting.post(
            source=f"wallet/{move.pk}",
            kind="wallet_top_up",
            on=on,
            sides={clearing(row.method): wanted, "wallet": -wanted},
            tenant_id=row.tenant_id,
            now=now,
        )
        paying.said(row, "wallet.top_up", actor, now, amount_fen=wanted)
    return wanted


def use(
    *, tenant: Tenant, parts: Sequence[Part] | None = None, actor: Actor, now: datetime
) -> Payment:
    """Pay documents out of the wallet; without parts those that fell due first.

    Raises:
        WalletShort: it holds less, or nothing for what is open.
        paying.OverAllocated: more than a document asks for.
    """
    with transaction.atomic():
        balance_fen = _locked(tenant)
        wanted = list(parts) if parts is not None else _affordable(tenant, balance_fen)
        total = sum(p.amount_fen for p in wanted)
        _check(total, balance_fen)
        row = _out(tenant, total, actor, now)
        paying.allocate(payment_id=row.pk, parts=wanted, actor=actor, now=now)
    return row


def _affordable(tenant: Tenant, balance_fen: int) -> list[Part]:
    rows = OpenItem.objects.filter(tenant=tenant, gross_fen__gt=0).select_related("invoice")
    items = [Open(str(i.invoice.number), i.due_on, i.open_fen) for i in rows if i.open_fen]
    return spread(balance_fen, items)[0]


def _out(tenant: Tenant, total: int, actor: Actor, now: datetime) -> Payment:
    """Money out of the wallet as a payment, to be allocated at once."""
    today = local_day(now)
    row = Payment.objects.create(
        source=f"wallet/{secrets.token_hex(12)}", tenant=tenant, method="wallet",
        amount_fen=total, received_on=today, created_by=actor.label, created_at=now,
    )  # fmt: skip
    WalletMove.objects.create(
        tenant=tenant, amount_fen=-total, kind="use", payment=row, on=today,
        created_by=actor.label, created_at=now,
    )  # fmt: skip
    posting.post(
        source=f"payment/{row.pk}",
        kind="wallet_use",
        on=today,
        sides={"wallet": total, "unallocated": -total},
        tenant_id=tenant.pk,
        now=now,
    )
    paying.said(row, "wallet.use", actor, now, amount_fen=total)
    return row


def refund(
    *, tenant: Tenant, amount_fen: int, method: str, on: date, reason: str,
    actor: Actor, now: datetime,
) -> Refund:  # fmt: skip
    """Give back what a wallet holds.

    Raises:
        WalletShort: it holds less.
        posting.PeriodClosed: the month of that day is closed.
    """
    with transaction.atomic():
        _check(amount_fen, _locked(tenant))
        made = Refund.objects.create(
            tenant=tenant, amount_fen=amount_fen, method=method, on=on, reason=reason,
            created_by=actor.label, created_at=now,
        )  # fmt: skip
        WalletMove.objects.create(
            tenant=tenant, amount_fen=-amount_fen, kind="refund", on=on,
            created_by=actor.label, created_at=now,
        )  # fmt: skip
        posting.post(
            source=f"refund/{made.pk}",
            kind="refund",
            on=on,
            sides={"wallet": amount_fen, LIES_ON[method]: -amount_fen},
            tenant_id=tenant.pk,
            memo=reason,
            now=now,
        )
        audit.record(
            actor=actor, action="wallet.refund", object_type="tenant", object_code=tenant.code,
            after={"amount_fen": amount_fen, "reason": reason}, now=now,
        )  # fmt: skip
    return made


def _locked(tenant: Tenant) -> int:
    """What the wallet holds, with its row locked."""
    row = Wallet.objects.select_for_update(no_key=True).filter(tenant=tenant).first()
    return row.balance_fen if row else 0


def _check(wanted: int, balance_fen: int) -> None:
    if wanted > balance_fen or not wanted:
        fault = FieldFault("amount_fen", f"余额 {balance_fen} 分", f"it holds {balance_fen} fen")
        raise WalletShort(f"{wanted} fen", fields=[fault], balance_fen=balance_fen)
