"""Deposits: taken, set off against documents, given back."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.db import transaction

from base_ops.core import audit
from base_ops.core.actors import Actor
from base_ops.core.errors import Conflict, FieldFault, NotFound
from base_ops.core.models import Tenant
from billing.domain.accounts import LIES_ON
from billing.domain.allocating import Part
from billing.domain.texts import local_day
from billing.models import Allocation, Deposit, DepositMove, Payment
from billing.services import paying, posting


class NoSuchDeposit(NotFound):
    """There is no such deposit."""

    code, title_zh, title_en = "no_such_deposit", "没有该押金", "No such deposit"


class DepositShort(Conflict):
    """Less is held, or it is another tenant's."""

    code, title_zh, title_en = "deposit_short", "在押金额不足", "Less is held"


@dataclass(frozen=True, slots=True)
class Move:
    """Money of a deposit on a day."""

    amount_fen: int
    on: date
    method: str = "transfer"
    note: str = ""


def take(*, purpose: str, tenant: Tenant, move: Move, actor: Actor, now: datetime) -> Deposit:
    """Take some or all of a deposit; the purpose names what it is for, e.g. "lease/LS-0001".

    Raises:
        DepositShort: the purpose is another tenant's.
        posting.PeriodClosed: the month of that day is closed.
    """
    with transaction.atomic():
        Deposit.objects.bulk_create(
            [Deposit(purpose=purpose, tenant=tenant, created_at=now)], ignore_conflicts=True
        )
        row = _locked(purpose=purpose)
        if row.tenant_id != tenant.pk:
            raise DepositShort("another tenant's", fields=[_fault("purpose", 0)])
        lies = LIES_ON[move.method]
        sides = {lies: move.amount_fen, "deposit": -move.amount_fen}
        _moved(row, "taken", move, sides, actor, now)
        row.refresh_from_db()
    return row


def known(*, purpose: str, tenant: Tenant, move: Move, actor: Actor, now: datetime) -> None:
    """Take into the books what is missing of a deposit that came in before there were any."""
    taken = Deposit.objects.filter(purpose=purpose).values_list("taken_fen", flat=True).first()
    missing = move.amount_fen - (taken or 0)
    if missing > 0:
        on = posting.open_day(move.on, today=local_day(now))
        move = replace(move, amount_fen=missing, on=on)
        take(purpose=purpose, tenant=tenant, move=move, actor=actor, now=now)


def give_back(
    *, deposit_id: int | None = None, purpose: str | None = None, move: Move,
    actor: Actor, now: datetime,
) -> Deposit:  # fmt: skip
    """Give back some or all of what is held.

    Raises:
        NoSuchDeposit, DepositShort.
        posting.PeriodClosed: the month of that day is closed.
    """
    with transaction.atomic():
        row = _locked(purpose=purpose, pk=deposit_id)
        _check(row, move.amount_fen)
        lies = LIES_ON[move.method]
        sides = {"deposit": move.amount_fen, lies: -move.amount_fen}
        _moved(row, "returned", move, sides, actor, now)
        row.refresh_from_db()
    return row


def set_off(
    *, deposit_id: int, parts: Sequence[Part], note: str, actor: Actor, now: datetime
) -> list[Allocation]:
    """Use a deposit for documents that its tenant does not pay.

    Raises:
        NoSuchDeposit, DepositShort.
        paying.OverAllocated: more than a document asks for.
    """
    with transaction.atomic():
        row = _locked(pk=deposit_id)
        total = sum(p.amount_fen for p in parts)
        _check(row, total)
        today = local_day(now)
        payment = Payment.objects.create(
            source=f"deposit/{row.pk}/{secrets.token_hex(8)}", tenant_id=row.tenant_id,
            method="deposit", amount_fen=total, received_on=today, note=note,
            created_by=actor.label, created_at=now,
        )  # fmt: skip
        move = Move(total, today, "deposit", note)
        sides = {"deposit": total, "unallocated": -total}
        _moved(row, "set_off", move, sides, actor, now, payment=payment)
        return paying.allocate(payment_id=payment.pk, parts=parts, actor=actor, now=now)


def _moved(
    row: Deposit, kind: str, move: Move, sides: dict[str, int], actor: Actor, now: datetime,
    payment: Payment | None = None,
) -> None:  # fmt: skip
    made = DepositMove.objects.create(
        deposit=row, kind=kind, amount_fen=move.amount_fen, method=move.method, on=move.on,
        payment=payment, note=move.note, created_by=actor.label, created_at=now,
    )  # fmt: skip
    posting.post(
        source=f"deposit/{made.pk}",
        kind=f"deposit_{kind}",
        on=move.on,
        sides=sides,
        tenant_id=row.tenant_id,
        memo=row.purpose,
        now=now,
    )
    audit.record(
        actor=actor, action=f"deposit.{kind}", object_type="deposit", object_code=row.purpose,
        after={"amount_fen": move.amount_fen, "on": str(move.on), "note": move.note}, now=now,
    )  # fmt: skip


def _locked(*, purpose: str | None = None, pk: int | None = None) -> Deposit:
    rows = Deposit.objects.select_for_update(no_key=True)
    found = rows.filter(pk=pk or 0) if purpose is None else rows.filter(purpose=purpose)
    if (row := found.first()) is None:
        raise NoSuchDeposit(purpose or str(pk))
    return row


def _check(row: Deposit, wanted: int) -> None:
    if wanted > row.held_fen:
        raise DepositShort(
            f"{wanted} fen", fields=[_fault("amount_fen", row.held_fen)], held_fen=row.held_fen
        )


def _fault(name: str, held: int) -> FieldFault:
    return FieldFault(name, f"在押 {held} 分", f"{held} fen are held")
