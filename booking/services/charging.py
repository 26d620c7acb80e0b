"""Hands the facts of a finished booking to billing, which prices them once."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from base_ops.core.spans import Span
from billing import services as billing
from billing.domain.facts import BookingFacts, Outcome
from billing.domain.rating import ServiceWish
from booking import selectors
from booking.models import Booking
from devices import selectors as devices


def charge(booking: Booking, outcome: Outcome, *, now: datetime) -> None:
    """Have billing charge the booking; safe to repeat, one fact is billed once."""
    billing.charge_booking(facts=facts(booking, outcome, now=now), now=now)


def facts(booking: Booking, outcome: Outcome, *, now: datetime) -> BookingFacts:
    """What happened, as billing wants to know it."""
    done = outcome == "completed"
    return BookingFacts(
        booking_code=booking.code,
        tenant_id=booking.tenant_id,
        space_id=booking.space_id,
        span=booking.span,
        outcome=outcome,
        quote=booking.quote,
        cancelled_at=booking.cancelled_at,
        ended_at=booking.ended_at,
        overtime=_overtime(booking) if done else None,
        next_booked=_next_booked(booking, now=now) if done else False,
        energy_wh=booking.energy_wh if done else None,
    )


def services_of(booking: Booking) -> Sequence[ServiceWish]:
    """The services as they were booked."""
    return [ServiceWish(code=s["code"], qty=Decimal(s["qty"])) for s in booking.services]


def measure(booking: Booking, *, now: datetime) -> dict[str, Any]:
    """What the meters say about the stay; nothing where others share the room.

    A stay that was transferred brings the figures of its earlier rooms along.
    """
    start = booking.in_room_since or booking.checked_in_at or booking.starts_at
    if now <= start or booking.shares_space:
        return {"energy_wh": booking.energy_wh, "live_minutes": booking.live_minutes}
    stay = Span(start, now)
    return {
        "energy_wh": _sum(booking.energy_wh, devices.energy_wh(space=booking.space, span=stay)),
        "live_minutes": _sum(
            booking.live_minutes, devices.stream_minutes(space=booking.space, span=stay)
        ),
    }


def _sum(before: int | None, here: int | None) -> int | None:
    """Both figures together; unknown only when neither is known."""
    if before is None or here is None:
        return here if before is None else before
    return before + here


def _overtime(booking: Booking) -> Span | None:
    if booking.ended_at is None or booking.ended_at <= booking.ends_at:
        return None
    if booking.overtime_until is None:
        return None
    return Span(booking.ends_at, min(booking.ended_at, booking.overtime_until))


def _next_booked(booking: Booking, *, now: datetime) -> bool:
    """Whether somebody else's block begins where this one's overtime ran into it."""
    if booking.overtime_until is None:
        return False
    after = Span(booking.until, booking.until + booking.buffers.after * 2)
    takings = selectors.taken(space_ids=[booking.space_id], window=after, now=now)
    return any(t.booking_code != booking.code for t in takings[booking.space_id])
