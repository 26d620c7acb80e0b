"""Ways for a booking to end before anybody used it: cancel, reject, release, expire."""

import logging
from datetime import datetime
from functools import partial

from django.db.models import Q

from base_ops.core import db, errors
from base_ops.core.actors import SYSTEM, Actor
from billing import services as billing
from booking.domain.states import Deed, Status
from booking.models import Booking
from booking.services import charging, judging, locking, preparing, waiting, waitlist
from booking.services.changing import advance, locked, show, spaces_of

logger = logging.getLogger(__name__)


class AlreadyStarted(errors.Conflict):
    """A booking that began cannot be cancelled by its tenant."""

    code, title_zh, title_en = (
        "already_started",
        "预订已开始,不能取消",
        "The booking has already begun",
    )


def cancel(*, booking: Booking, actor: Actor, reason: str = "", now: datetime) -> Booking:
    """Give the slot back; a confirmed booking may cost a fee, by how late it is.

    Raises:
        AlreadyStarted: a tenant's booking that began.
        rules.RulesBroken: a tenant's, after the cut-off of the rules it was made by.
        states.WrongState: it is over, or checked in.
    """
    return db.in_transaction(partial(_cancel, booking, actor=actor, reason=reason, now=now))


def _cancel(booking: Booking, *, actor: Actor, reason: str, now: datetime) -> Booking:
    row = locked(booking)
    if not actor.is_staff and row.starts_at <= now and row.status == Status.CONFIRMED:
        raise AlreadyStarted
    if not actor.is_staff and row.status == Status.CONFIRMED:
        judging.check_cancelling(row, now=now)
    _lock_line(row, now=now)
    was = row.status
    advance(
        row, Deed.CANCEL, actor=actor, why=reason, now=now,
        cancelled_at=now, cancel_reason=reason, expires_at=None,
        wrap_due_at=now if row.prepared_at else None,
    )  # fmt: skip
    if was == Status.CONFIRMED:
        charging.charge(row, "cancelled", now=now)
    give_back(row, now=now)
    return row


def reject(*, booking: Booking, actor: Actor, reason: str, now: datetime) -> Booking:
    """Refuse a request that waits for approval; it costs nothing.

    Raises:
        errors.Invalid: the tenant must learn why.
        states.WrongState: it does not wait for approval.
    """
    return _end(booking, Deed.REJECT, actor=actor, reason=reason, now=now)


def release(*, booking: Booking, actor: Actor, reason: str, now: datetime) -> Booking:
    """Free a confirmed booking without a fee: the base's own fault, or goodwill.

    Raises:
        errors.Invalid: it waives money, so it says why.
        states.WrongState: it is not confirmed.
    """
    return _end(booking, Deed.RELEASE, actor=actor, reason=reason, now=now)


def _end(booking: Booking, deed: Deed, *, actor: Actor, reason: str, now: datetime) -> Booking:
    if not reason.strip():
        raise errors.Invalid(fields=[errors.FieldFault("reason", "请说明原因", "Say why")])
    work = partial(_ended, booking, deed, actor=actor, reason=reason, now=now)
    return db.in_transaction(work)


def _ended(booking: Booking, deed: Deed, *, actor: Actor, reason: str, now: datetime) -> Booking:
    row = locked(booking)
    _lock_line(row, now=now)
    advance(
        row, deed, actor=actor, why=reason, now=now, cancelled_at=now, cancel_reason=reason,
        expires_at=None, wrap_due_at=now if row.prepared_at else None,
    )  # fmt: skip
    give_back(row, now=now)
    return row


def _lock_line(row: Booking, *, now: datetime) -> None:
    """Before a fee or anything given back touches a budget."""
    waiting.lock_line([(spaces_of(row), row.span)], now=now)


def give_back(row: Booking, *, now: datetime) -> None:
    """Free what a booking took and reserved, wrap its room, show it; `row` is locked, ended."""
    locking.free(row)
    billing.release(source=locking.source_of(row), now=now)
    preparing.wrap_if_due(row, now=now)
    waitlist.settle(row, now=now)
    waiting.offer_freed(spaces_of(row), row.span, now=now)
    show(row, now=now)


def expire_due(*, now: datetime) -> int:
    """Tidy up drafts and holds whose time is over, and requests that nobody approved in time.

    Booking and reading never count them anyway.
    """
    due = Booking.objects.filter(
        Q(status__in=(Status.HELD, Status.DRAFT), expires_at__lte=now)
        | Q(status=Status.PENDING_APPROVAL, starts_at__lte=now)
    ).order_by("pk")
    return preparing.each(due, lambda row: _expire(row, now=now))


def _expire(row: Booking, *, now: datetime) -> bool:
    ends = row.starts_at if row.status == Status.PENDING_APPROVAL else row.expires_at
    if row.status not in (Status.HELD, Status.DRAFT, Status.PENDING_APPROVAL) or ends is None:
        return False
    if ends > now:
        return False
    _lock_line(row, now=now)
    advance(row, Deed.EXPIRE, actor=SYSTEM, now=now)
    give_back(row, now=now)
    return True
