"""Deposits of leases: received and given back, marked with the day by who handles money."""

from datetime import date, datetime
from functools import partial

from base_ops.core import db, errors
from base_ops.core.actors import Actor
from billing.services import securities
from booking.domain import leases
from booking.models import Lease
from booking.services.lease_changing import locked, record, refuse_renewed


class DepositMismatch(errors.Conflict):
    """More than is due, or more than is held."""

    code, title_zh, title_en = "deposit_mismatch", "押金金额不符", "The deposit does not add up"


class DepositStillHeld(errors.Conflict):
    """The lease is in force, so its deposit stays."""

    code, title_zh, title_en = (
        "deposit_still_held",
        "租期内不可退还押金",
        "The deposit is kept while the lease is in force",
    )


def receive(*, lease: Lease, amount_fen: int, on: date, actor: Actor, now: datetime) -> Lease:
    """Note that some or all of the deposit came in.

    Raises:
        DepositMismatch: with it, more than is due would have come in.
        leases.WrongLeaseState: withdrawn.
    """
    return db.in_transaction(partial(_receive, lease, amount_fen, on, actor=actor, now=now))


def _receive(lease: Lease, amount_fen: int, on: date, *, actor: Actor, now: datetime) -> Lease:
    row = locked(lease)
    if row.status == leases.Status.WITHDRAWN:
        raise leases.WrongLeaseState("withdrawn", lease_status=row.status, deed="deposit")
    _check_day(on, now=now)
    if amount_fen > (open_fen := row.deposit_fen - row.deposit_received_fen):
        fault = errors.FieldFault("amount_fen", f"未收 {open_fen} 分", f"{open_fen} fen are open")
        raise DepositMismatch(f"{open_fen} fen are open", fields=[fault], open_fen=open_fen)
    row.deposit_received_fen += amount_fen
    row.deposit_received_on = on
    _save(row)
    record(row, "deposit_received", actor=actor, now=now, amount_fen=amount_fen, on=str(on))
    move = securities.Move(amount_fen, on)
    securities.take(purpose=_purpose(row), tenant=row.tenant, move=move, actor=actor, now=now)
    return row


def give_back(
    *, lease: Lease, amount_fen: int, on: date, note: str, actor: Actor, now: datetime
) -> Lease:
    """Note that some or all of it was given back; what is kept is said by the note.

    Raises:
        DepositMismatch: more than is held.
        DepositStillHeld: the lease is in force.
        lease_changing.AlreadyRenewed: the deposit serves the lease that follows.
    """
    return db.in_transaction(
        partial(_give_back, lease, amount_fen, on, note, actor=actor, now=now)
    )


def _give_back(
    lease: Lease, amount_fen: int, on: date, note: str, *, actor: Actor, now: datetime
) -> Lease:
    row = locked(lease)
    _check_day(on, now=now)
    if row.status in leases.IN_FORCE:
        raise DepositStillHeld(f"{row.code} is {row.status}")
    following = row.renewals.exclude(status=leases.Status.WITHDRAWN).first()
    if following is not None and following.status in leases.IN_FORCE:
        refuse_renewed(row)
    if amount_fen > (held := row.deposit_received_fen - row.deposit_returned_fen):
        fault = errors.FieldFault("amount_fen", f"在押 {held} 分", f"{held} fen are held")
        raise DepositMismatch(f"{held} fen are held", fields=[fault], held_fen=held)
    row.deposit_returned_fen += amount_fen
    row.deposit_returned_on, row.deposit_note = on, note
    _save(row)
    record(
        row, "deposit_returned", actor=actor, now=now, amount_fen=amount_fen, on=str(on), note=note
    )
    received = securities.Move(row.deposit_received_fen, row.deposit_received_on or on)
    securities.known(purpose=_purpose(row), tenant=row.tenant, move=received, actor=actor, now=now)
    move = securities.Move(amount_fen, on, note=note[:200])
    securities.give_back(purpose=_purpose(row), move=move, actor=actor, now=now)
    return row


def _purpose(row: Lease) -> str:
    """What the books call the deposit of a lease."""
    return f"lease/{row.code}"


def _check_day(on: date, *, now: datetime) -> None:
    if on > leases.today(now):
        fault = errors.FieldFault("on", "不可晚于今天", "Must not be after today")
        raise errors.Invalid("a day in the future", fields=[fault])


def _save(row: Lease) -> None:
    row.version += 1
    row.save(
        update_fields=[
            "version", "deposit_received_fen", "deposit_received_on", "deposit_returned_fen",
            "deposit_returned_on", "deposit_note",
        ]
    )  # fmt: skip
