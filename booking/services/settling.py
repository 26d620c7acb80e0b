"""Settle what is open: a draft becomes a hold, a hold or request becomes a booking."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from base_ops.core import db, errors
from base_ops.core.actors import Actor
from billing import services as billing
from booking.domain.states import Deed, Status, after
from booking.models import Booking
from booking.services import judging, locking, resources, taking, waitlist, wishes
from booking.services.changing import advance, by_of, locked, show
from booking.services.quotes import QuoteChanged
from booking.services.wishes import price


class HoldExpired(errors.Conflict):
    """The hold is over; the slot may already be somebody else's."""

    code, title_zh, title_en = "hold_expired", "占位已过期", "The hold has expired"


def hold(*, booking: Booking, actor: Actor, now: datetime) -> Booking:
    """Turn a draft into a hold, at the price it was drafted with.

    Raises:
        HoldExpired: the draft is too old.
        QuoteChanged: the price moved meanwhile; draft again.
        SlotTaken, rules.RulesBroken: as when booking.
    """
    return db.in_transaction(partial(_undraft, booking, Deed.HOLD, actor=actor, now=now))


def _undraft(booking: Booking, deed: Deed, *, actor: Actor, now: datetime) -> Booking:
    row = locked(booking)
    after(row.status, deed, by_of(actor))
    check_time_left(row, now=now)
    wish = wishes.of_booking(row)
    needs = resources.needs_of(wish)
    quote = price(wish, now=now)
    ruling = judging.judge(
        wish=wish, actor=actor, granted=row.waived, price_fen=lambda: quote.total_fen, now=now
    )
    places = taking.picked_or_refused(wish, resources.pick(needs, now=now), now=now)
    if quote.total_fen != row.price_fen:
        raise QuoteChanged(quote=quote.as_json(), quoted_fen=row.price_fen)
    if deed == Deed.CONFIRM and ruling.approvals:
        deed = Deed.REQUEST
    row.expires_at = now + ruling.hold if deed == Deed.HOLD else None
    taking.occupy(row, wish, places, now=now)
    billing.reserve(source=locking.source_of(row), tenant=row.tenant, quote=quote, now=now)
    advance(
        row, deed, actor=actor, now=now, expires_at=row.expires_at, quote=quote.as_json(),
        confirmed_at=now if deed == Deed.CONFIRM else None, **ruling.as_columns(),
    )  # fmt: skip
    show(row, now=now)
    return row


def check_time_left(row: Booking, *, now: datetime) -> None:
    """Refuse a draft or hold whose time is over, tidied up or not.

    Raises:
        HoldExpired: it is.
    """
    if row.status in (Status.DRAFT, Status.HELD) and row.expires_at and row.expires_at <= now:
        raise HoldExpired(f"the {row.status} ended at {row.expires_at.isoformat()}")


def confirm(
    *, booking: Booking, actor: Actor, clock: Callable[[], datetime] | None = None, now: datetime
) -> Booking:
    """Turn a draft or a hold into a confirmed booking; for the base, approve a request.

    Where a rule asks for approval, a tenant's confirmation is a request. With `clock` a hold must
    still live once everything is locked: whoever counted before that, by a clock behind it,
    counted the hold.

    Raises:
        HoldExpired: too late.
        states.WrongState: nothing that can be confirmed.
        states.NotYours: a tenant cannot approve.
    """
    if booking.status == Status.DRAFT:
        return db.in_transaction(partial(_undraft, booking, Deed.CONFIRM, actor=actor, now=now))
    waits = booking.status == Status.PENDING_APPROVAL
    deed = Deed.APPROVE if waits else Deed.CONFIRM
    clock = clock or (lambda: now)
    return db.in_transaction(partial(_settle, booking, deed, actor=actor, clock=clock, now=now))


def approve(*, booking: Booking, actor: Actor, now: datetime) -> Booking:
    """Confirm a request; its slot was kept for it.

    Raises:
        states.WrongState: it does not wait for approval.
        states.NotYours: a tenant cannot approve.
    """
    return db.in_transaction(
        partial(_settle, booking, Deed.APPROVE, actor=actor, clock=lambda: now, now=now)
    )


def _settle(
    booking: Booking, deed: Deed, *, actor: Actor, clock: Callable[[], datetime], now: datetime
) -> Booking:
    row = locked(booking)
    if row.status == Status.HELD:
        judging.count_alone(wishes.of_booking(row), now=now)
    check_time_left(row, now=max(now, clock()))
    if deed == Deed.CONFIRM and row.approvals and not actor.is_staff:
        deed = Deed.REQUEST
    confirmed_at = None if deed == Deed.REQUEST else now
    advance(row, deed, actor=actor, now=now, expires_at=None, confirmed_at=confirmed_at)
    if not locking.keep(row):
        raise HoldExpired("the time was over for a rival who came first")
    waitlist.settle(row, now=now)
    show(row, now=now)
    return row
