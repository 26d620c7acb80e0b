"""Deeds that end leases: terminate early, withdraw, the end of the term; and telling ahead."""

from datetime import date, datetime, timedelta
from functools import partial

from base_ops.core import db, errors
from base_ops.core.actors import SYSTEM, Actor
from booking import occupancy
from booking.domain import leases
from booking.domain.leases import Deed, Status
from booking.models import Lease
from booking.services import blocking, lease_charges, telling, waiting
from booking.services.lease_changing import advance, locked, record, refuse_renewed, renewed_by


class NoticeTooShort(errors.Invalid):
    """The end is nearer than the notice period; says the earliest day."""

    code, title_zh, title_en = "notice_too_short", "通知期不足", "The notice is too short"


class NotEarlier(errors.Invalid):
    """The new last day is not within what is left of the lease."""

    code, title_zh, title_en = (
        "not_an_early_end",
        "提前终止日须在剩余租期内",
        "Not a day within the rest of the lease",
    )


class LeaseBegan(errors.Conflict):
    """What has begun cannot be withdrawn, only terminated."""

    code, title_zh, title_en = "lease_began", "租期已开始", "The lease has begun"


def terminate(
    *,
    lease: Lease,
    last_day: date,
    reason: str,
    by_agreement: bool = False,
    actor: Actor,
    now: datetime,
) -> Lease:
    """End a lease early: the time after `last_day` is free at once, and charged rent comes back.

    Args:
        lease: which.
        last_day: the tenant's last day.
        reason: why, for the record.
        by_agreement: both sides want it, so the notice period does not count.
        actor: who.
        now: the present instant.

    Raises:
        NotEarlier: the day is past, before the first or not before the last.
        NoticeTooShort: says the earliest day.
        AlreadyRenewed: names the lease that follows.
        leases.WrongLeaseState: it is not in force.
    """
    return db.in_transaction(
        partial(_terminate, lease, last_day, reason, by_agreement, actor=actor, now=now)
    )


def _terminate(
    lease: Lease, last_day: date, reason: str, by_agreement: bool, *, actor: Actor, now: datetime
) -> Lease:
    row = locked(lease)
    target = leases.after(row.status, Deed.TERMINATE)
    refuse_renewed(row)
    _check_last_day(row, last_day, by_agreement, now=now)
    old_last = row.ends_on - timedelta(days=1)
    freed = leases.block(last_day + timedelta(days=1), old_last + timedelta(days=1))
    waiting.lock_line([([row.space_id], freed)], tenants=[row.tenant_id], now=now)
    row.agreed_ends_on = row.agreed_ends_on or row.ends_on
    row.ends_on = last_day + timedelta(days=1)
    blocking.shorten(row.allocations.filter(active=True), row.span.end)
    back = lease_charges.give_back(row, last_day=last_day, charged_to=old_last, now=now)
    advance(
        row, target, "terminate", actor=actor, now=now, why=reason, was=str(old_last),
        last_day=str(last_day), by_agreement=by_agreement, credited_fen=back,
        noticed_at=now, end_reason=reason,
    )  # fmt: skip
    waiting.offer_freed([row.space_id], freed, now=now)
    occupancy.refresh(space_ids=[row.space_id], now=now)
    return row


def _check_last_day(row: Lease, last_day: date, by_agreement: bool, *, now: datetime) -> None:
    today, old_last = leases.today(now), row.ends_on - timedelta(days=1)
    if not max(today, row.starts_on) <= last_day < old_last:
        first = max(today, row.starts_on)
        fault = errors.FieldFault(
            "last_day", f"须在 {first} 至 {old_last} 之前", f"From {first} to before {old_last}"
        )
        raise NotEarlier(str(last_day), fields=[fault], earliest=str(first))
    earliest = leases.earliest_end(given_on=today, notice_months=row.notice_months)
    if last_day + timedelta(days=1) < earliest and not by_agreement:
        soonest = earliest - timedelta(days=1)
        fault = errors.FieldFault("last_day", f"最早 {soonest}", f"Not before {soonest}")
        raise NoticeTooShort(
            f"{row.notice_months} months of notice", fields=[fault], earliest=str(soonest)
        )


def withdraw(*, lease: Lease, reason: str, actor: Actor, now: datetime) -> Lease:
    """Take back a draft, or a lease that has not begun; it frees all it took.

    Raises:
        LeaseBegan: terminate it instead.
        AlreadyRenewed: names the lease that follows.
        leases.WrongLeaseState: it is over.
    """
    return db.in_transaction(partial(_withdraw, lease, reason, actor=actor, now=now))


def _withdraw(lease: Lease, reason: str, *, actor: Actor, now: datetime) -> Lease:
    row = locked(lease)
    target = leases.after(row.status, Deed.WITHDRAW)
    refuse_renewed(row)
    if row.status != Status.DRAFT and row.starts_on <= leases.today(now):
        raise LeaseBegan(f"it began on {row.starts_on}")
    waiting.lock_line([([row.space_id], row.span)], tenants=[row.tenant_id], now=now)
    row.allocations.filter(active=True).update(active=False)
    back = lease_charges.give_back(
        row,
        last_day=row.starts_on - timedelta(days=1),
        charged_to=row.ends_on - timedelta(days=1),
        now=now,
    )
    advance(
        row, target, "withdraw", actor=actor, now=now, why=reason, credited_fen=back,
        ended_at=now, end_reason=reason,
    )  # fmt: skip
    waiting.offer_freed([row.space_id], row.span, now=now)
    occupancy.refresh(space_ids=[row.space_id], now=now)
    return row


def end_leases(*, now: datetime) -> int:
    """End the leases whose last day is over; returns how many."""
    due = Lease.objects.filter(status__in=leases.IN_FORCE, ends_on__lte=leases.today(now))
    return sum(db.in_transaction(partial(_end, row, now=now)) for row in due.order_by("code"))


def _end(lease: Lease, *, now: datetime) -> bool:
    row = locked(lease)
    if row.status not in leases.IN_FORCE or row.ends_on > leases.today(now):
        return False
    advance(
        row, leases.after(row.status, Deed.END), "end", actor=SYSTEM, now=now,
        ended_at=leases.midnight(row.ends_on),
    )  # fmt: skip
    occupancy.refresh(space_ids=[row.space_id], now=now)
    return True


def tell_ending(*, now: datetime) -> int:
    """Tell, once each, of leases that end within 60 days and that no other one follows."""
    horizon = leases.today(now) + leases.TELL_AHEAD
    due = Lease.objects.filter(
        status__in=leases.IN_FORCE, ends_on__lte=horizon, told_at__isnull=True
    )
    return sum(db.in_transaction(partial(_tell, row, now=now)) for row in due.order_by("code"))


def _tell(lease: Lease, *, now: datetime) -> bool:
    row = locked(lease)
    if row.told_at is not None or row.status not in leases.IN_FORCE or renewed_by(row):
        return False
    row.told_at = now
    row.save(update_fields=["told_at"])
    telling.lease_ends(row, now=now)
    record(row, "tell", actor=SYSTEM, now=now, ends_on=str(row.ends_on))
    return True
