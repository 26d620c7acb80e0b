"""What a booking used and what failed meanwhile, as its bill and its credits may need it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from base_ops.core.spans import Span
from booking.models import Booking
from devices import selectors as devices
from devices.domain.sessions import Session
from devices.selectors import Energy, RoomOutages


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of the stay in its present room.

    Args:
        stay: from check-in to check-out, or up to now; None: nobody has been there.
        energy: None where others share the room's meters, or nobody was there.
    """

    stay: Span | None
    energy: Energy | None
    sessions: Sequence[Session]
    outages: RoomOutages


def evidence(booking: Booking, *, now: datetime) -> Evidence:
    """What is proven of a booking so far; outages are those within the booked time."""
    stay = _stay(booking, now)
    alone = stay if not booking.shares_space else None
    return Evidence(
        stay=stay,
        energy=devices.space_energy(booking.space, alone) if alone else None,
        sessions=_sessions(booking, alone, now) if alone else (),
        outages=_outages(booking, now),
    )


def _stay(booking: Booking, now: datetime) -> Span | None:
    if booking.checked_in_at is None:
        return None
    start, end = booking.in_room_since or booking.checked_in_at, booking.ended_at or now
    return Span(start, end) if end > start else None


def _outages(booking: Booking, now: datetime) -> RoomOutages:
    """Within the booked time, which is shorter where the tenant left early or cancelled."""
    end = min(booking.ends_at, booking.ended_at or booking.cancelled_at or booking.ends_at)
    if end <= booking.starts_at:
        return RoomOutages(booking.span, (), ())
    return devices.room_outages(booking.space, Span(booking.starts_at, end), now=now)


def _sessions(booking: Booking, stay: Span, now: datetime) -> list[Session]:
    found = devices.live_sessions(booking.space, stay, now=now)
    return [s for s in found if s.booking == booking.code or stay.contains(s.span.start)]
