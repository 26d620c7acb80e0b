"""Money that comes in: record it, allocate it, take back, give back, void.

Lock order: the payment, then documents by id. What is counted is counted by the database.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction

from base_ops.core import audit
from base_ops.core.actors import Actor
from base_ops.core.errors import Conflict, FieldFault, Invalid
from base_ops.core.models import Tenant
from billing.domain.accounts import LIES_ON, clearing
from billing.domain.allocating import Open, Part, spread
from billing.domain.texts import local_day
from billing.models import Allocation, OpenItem, Payment, Refund
from billing.selectors.receivables import NoSuchPayment
from billing.services import posting

OUTSIDE = frozenset({"transfer", "cash", "card", "wechat", "alipay"})
"""Methods by which money comes from and goes to somebody else."""


class BankReferenceTaken(Conflict):
    """A payment with this bank reference is recorded already."""

    code, title_zh, title_en = (
        "bank_reference_taken",
        "该流水号已登记",
        "This bank reference is recorded already",
    )


class OverAllocated(Conflict):
    """More than the payment has left, or than a document still asks for."""

    code, title_zh, title_en = "over_allocated", "超出可用或未付金额", "More than there is"


class PaymentState(Conflict):
    """The payment is void, of nobody yet, of somebody else, or used."""

    code, title_zh, title_en = (
        "payment_state",
        "该收款不允许此操作",
        "Not possible with this payment",
    )


@dataclass(frozen=True, slots=True)
class PaymentWish:
    """Money that came in."""

    method: str
    amount_fen: int
    received_on: date
    tenant: Tenant | None = None
    bank_reference: str | None = None
    payer: str = ""
    text: str = ""
    note: str = ""
    source: str = field(default_factory=lambda: f"manual/{secrets.token_hex(12)}")


def record(*, wish: PaymentWish, actor: Actor, now: datetime) -> Payment:
    """Keep money that came in, and write it into the books.

    Raises:
        BankReferenceTaken: it is recorded already.
        posting.PeriodClosed: the month of that day is closed.
        Invalid: a day in the future.
    """
    with transaction.atomic():
        _check_day(wish.received_on, "received_on", now=now)
        posting.check_open(wish.received_on, field="received_on")
        row = _keep(wish, actor, now)
        posting.post(
            source=f"payment/{row.pk}",
            kind="payment",
            on=row.received_on,
            sides={LIES_ON[row.method]: row.amount_fen, "unallocated": -row.amount_fen},
            tenant_id=row.tenant_id,
            memo=row.bank_reference or row.note,
            now=now,
        )
        said(row, "payment.record", actor, now, amount_fen=row.amount_fen)
    return row


def _keep(wish: PaymentWish, actor: Actor, now: datetime) -> Payment:
    try:
        with transaction.atomic():
            return Payment.objects.create(
                source=wish.source,
                tenant=wish.tenant,
                method=wish.method,
                amount_fen=wish.amount_fen,
                received_on=wish.received_on,
                bank_reference=wish.bank_reference or None,
                payer=wish.payer,
                text=wish.text,
                note=wish.note,
                created_by=actor.label,
                created_at=now,
            )
    except IntegrityError as exc:
        if "bank_reference" not in str(exc):
            raise
        fault = FieldFault("bank_reference", "已登记", "recorded already")
        raise BankReferenceTaken(str(wish.bank_reference), fields=[fault]) from exc


def allocate(
    *,
    payment_id: int,
    parts: Sequence[Part] | None = None,
    tenant: Tenant | None = None,
    actor: Actor,
    now: datetime,
) -> list[Allocation]:
    """Use a payment for documents; without parts for those that fell due first.

    Args:
        payment_id: the payment.
        parts: so much for each document, or None.
        tenant: whose payment it is, where nobody has said so yet.
        actor: who.
        now: when.

    Raises:
        NoSuchPayment, PaymentState: not a payment for this.
        OverAllocated: more than it has left, or than a document asks for; nothing was done.
    """
    with transaction.atomic():
        row = locked(payment_id)
        if tenant is not None:
            _give_to(row, tenant)
        if row.tenant_id is None or row.voided_at is not None:
            raise PaymentState("say whose it is" if row.tenant_id is None else "void")
        items = _open_items(row.tenant_id, parts)
        wanted = spread(row.left_fen, _as_open(items))[0] if parts is None else list(parts)
        _check_parts(row, wanted, items)
        made = [_allocate(row, items[p.number], p.amount_fen, actor, now) for p in wanted]
        if made:
            said(
                row, "payment.allocate", actor, now, parts={p.number: p.amount_fen for p in wanted}
            )
    return made


def _give_to(row: Payment, tenant: Tenant) -> None:
    """Say whose payment it is, as long as none of it was used."""
    if row.tenant_id == tenant.pk:
        return
    if row.tenant_id is not None and row.left_fen != row.amount_fen:
        raise PaymentState("part of it is used for another tenant")
    row.tenant = tenant
    row.save(update_fields=["tenant"])


def _open_items(tenant_id: int, parts: Sequence[Part] | None) -> dict[str, OpenItem]:
    """The tenant's documents by number, locked: those named, or all that are open."""
    rows = OpenItem.objects.select_for_update(of=("self",), no_key=True).filter(
        tenant_id=tenant_id
    )
    if parts is None:
        rows = rows.filter(gross_fen__gt=0)
    else:
        rows = rows.filter(invoice__number__in=[p.number for p in parts])
    found = rows.select_related("invoice").order_by("invoice_id")
    return {str(item.invoice.number): item for item in found}


def _as_open(items: dict[str, OpenItem]) -> list[Open]:
    return [Open(number, i.due_on, i.open_fen) for number, i in items.items() if i.open_fen]


def _check_parts(row: Payment, parts: Sequence[Part], items: dict[str, OpenItem]) -> None:
    """Name every part that is too much.

    Raises:
        OverAllocated: with the open amounts.
    """
    faults = []
    for part in parts:
        item = items.get(part.number)
        open_fen = item.open_fen if item else 0
        asked = sum(p.amount_fen for p in parts if p.number == part.number)
        if asked > open_fen:
            zh, en = f"未付 {open_fen} 分", f"{open_fen} fen are open"
            faults.append(FieldFault(part.number, zh, en))
    if (total := sum(p.amount_fen for p in parts)) > row.left_fen:
        zh, en = f"可用 {row.left_fen} 分", f"{row.left_fen} fen are left"
        faults.append(FieldFault("parts", zh, en))
    if faults:
        raise OverAllocated(f"{total} fen", fields=faults, left_fen=row.left_fen)


def _allocate(
    row: Payment, item: OpenItem, amount_fen: int, actor: Actor, now: datetime
) -> Allocation:
    """One allocation, which counts from the day on which there were both."""
    made = Allocation.objects.create(
        payment=row,
        item=item,
        amount_fen=amount_fen,
        on=max(row.received_on, item.issued_on),
        created_by=actor.label,
        created_at=now,
    )
    row.allocated_fen += amount_fen
    _post_allocation(made, row, now)
    return made


def _post_allocation(made: Allocation, row: Payment, now: datetime) -> None:
    waits = clearing(row.method)
    if waits == "receivable":
        return  # a credit note lowered the receivable when it was issued
    posting.post(
        source=f"allocation/{made.pk}",
        kind="allocation",
        on=posting.open_day(made.on, today=local_day(now)),
        sides={waits: made.amount_fen, "receivable": -made.amount_fen},
        tenant_id=row.tenant_id,
        now=now,
    )


def take_back(*, allocation_id: int, payment_id: int, actor: Actor, now: datetime) -> Allocation:
    """Undo one allocation as a whole; again changes nothing.

    Raises:
        NoSuchPayment: no such allocation of this payment.
    """
    with transaction.atomic():
        row = locked(payment_id)
        made = Allocation.objects.filter(pk=allocation_id, payment=row, takes_back=None).first()
        if made is None:
            raise NoSuchPayment(f"allocation {allocation_id}")
        if back := Allocation.objects.filter(takes_back=made).first():
            return back
        OpenItem.objects.select_for_update(no_key=True).get(pk=made.item_id)
        back = Allocation.objects.create(
            payment=row, item_id=made.item_id, amount_fen=-made.amount_fen, on=made.on,
            takes_back=made, created_by=actor.label, created_at=now,
        )  # fmt: skip
        _post_allocation(back, row, now)
        said(row, "payment.take_back", actor, now, amount_fen=made.amount_fen)
    return back


def refund(
    *, payment_id: int, amount_fen: int, method: str, on: date, reason: str,
    actor: Actor, now: datetime,
) -> Refund:  # fmt: skip
    """Give back what a payment has left.

    Raises:
        OverAllocated: more than it has left.
        PaymentState: void.
        posting.PeriodClosed: the month of that day is closed.
    """
    with transaction.atomic():
        row = locked(payment_id)
        _check_day(on, "on", now=now)
        take_from(row, amount_fen)
        made = Refund.objects.create(
            tenant_id=row.tenant_id, payment=row, amount_fen=amount_fen, method=method, on=on,
            reason=reason, created_by=actor.label, created_at=now,
        )  # fmt: skip
        posting.post(
            source=f"refund/{made.pk}",
            kind="refund",
            on=on,
            sides={clearing(row.method): amount_fen, LIES_ON[method]: -amount_fen},
            tenant_id=row.tenant_id,
            memo=reason,
            now=now,
        )
        said(row, "payment.refund", actor, now, amount_fen=amount_fen, reason=reason)
    return made


def void(*, payment_id: int, reason: str, actor: Actor, now: datetime) -> Payment:
    """Say that the money did not come: none of it may have been used. Again changes nothing.

    Raises:
        PaymentState: used, or not from outside.
    """
    with transaction.atomic():
        row = locked(payment_id)
        if row.voided_at is not None:
            return row
        if row.left_fen != row.amount_fen or row.method not in OUTSIDE:
            raise PaymentState("take back what it was used for first")
        row.voided_at, row.note = now, reason
        row.save(update_fields=["voided_at", "note"])
        posting.post(
            source=f"payment/{row.pk}/void",
            kind="payment_void",
            on=posting.open_day(row.received_on, today=local_day(now)),
            sides={"unallocated": row.amount_fen, LIES_ON[row.method]: -row.amount_fen},
            tenant_id=row.tenant_id,
            memo=reason,
            now=now,
        )
        said(row, "payment.void", actor, now, reason=reason)
    return row


def locked(payment_id: int) -> Payment:
    """The payment with its row locked.

    Raises:
        NoSuchPayment: there is none.
    """
    rows = Payment.objects.select_for_update(no_key=True)
    if (row := rows.filter(pk=payment_id).first()) is None:
        raise NoSuchPayment(f"payment {payment_id}")
    return row


def take_from(row: Payment, amount_fen: int) -> None:
    """Refuse more than a payment has left.

    Raises:
        OverAllocated, PaymentState.
    """
    if row.voided_at is not None:
        raise PaymentState("void")
    if amount_fen > row.left_fen:
        fault = FieldFault("amount_fen", f"可用 {row.left_fen} 分", f"{row.left_fen} fen are left")
        raise OverAllocated(f"{amount_fen} fen", fields=[fault], left_fen=row.left_fen)


def _check_day(on: date, name: str, *, now: datetime) -> None:
    if on > local_day(now):
        fault = FieldFault(name, "不可晚于今天", "must not be after today")
        raise Invalid("a day in the future", fields=[fault])


def said(row: Payment, action: str, actor: Actor, now: datetime, **after: Any) -> None:
    """Put a deed on record."""
    audit.record(
        actor=actor, action=action, object_type="payment", object_code=str(row.pk),
        after=after, now=now,
    )  # fmt: skip
