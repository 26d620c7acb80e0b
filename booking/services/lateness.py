"""Late rooms: a show that runs over into the next booking; who is next is told, and owed.

Nobody switches off a show that is on air, so a show may run beyond its hard end. From the instant
at which it takes the time to make ready for the next booking, that one is late: its tenant is told
of it and of an equal free room; its grace period begins when the room is free; minutes lost of
the booked time are credited once it is charged.
"""

import math
from datetime import datetime, timedelta
from functools import partial

from base_ops.core import errors
from base_ops.core.actors import SYSTEM
from billing import services as billing
from billing.domain.facts import FaultFacts
from booking.domain.states import Status
from booking.models import Allocation, Booking, LateStart
from booking.services import preparing, telling
from booking.services.changing import record, show


class RoomNotFree(errors.Conflict):
    """The show before still runs; says what is proposed instead."""

    code, title_zh, title_en = (
        "room_not_free",
        "上一场尚未结束,请稍候",
        "The show before yours still runs",
    )


def of(booking: Booking) -> LateStart | None:
    """What is known of its late room, if it has one."""
    return LateStart.objects.filter(booking=booking).first()


def free_since(booking: Booking, *, now: datetime) -> datetime:
    """From when its tenant could enter: the start, or later when the room was late."""
    if (late := of(booking)) is None:
        return booking.starts_at
    return max(booking.starts_at, late.freed_at or now)


def in_the_room(booking: Booking) -> Booking | None:
    """Another booking that is checked in to the same units and was to be over before this one."""
    units = Allocation.objects.filter(booking=booking, space=booking.space_id, active=True)
    others = Booking.objects.filter(
        status=Status.CHECKED_IN, space=booking.space_id, starts_at__lt=booking.starts_at,
        allocations__unit__in=units.values("unit"), allocations__space=booking.space_id,
        allocations__active=True,
    )  # fmt: skip
    return others.exclude(pk=booking.pk).order_by("-starts_at").first()


def check_free(booking: Booking, *, now: datetime) -> None:
    """Let in when nobody else is inside.

    Raises:
        RoomNotFree: with the equal free room that was proposed, if any.
    """
    if (other := in_the_room(booking)) is None:
        return
    late = of(booking)
    raise RoomNotFree(
        "the room will be yours as soon as it is free",
        expected_at=_expected(booking, other, now=now).isoformat(),
        proposal=late.proposal if late else None,
    )


def note_late_rooms(*, now: datetime) -> int:
    """Find the bookings whose room somebody else's show takes; returns how many are new."""
    over = Booking.objects.filter(status=Status.CHECKED_IN, ends_at__lte=now).select_related(
        "space"
    )
    running = [row for row in over if row.until <= now]
    return sum(
        preparing.each(_kept_waiting(row, now=now), partial(_note, other=row, now=now))
        for row in running
    )


def _kept_waiting(other: Booking, *, now: datetime) -> list[Booking]:
    """Confirmed bookings of the same units whose block has begun."""
    units = Allocation.objects.filter(booking=other, space=other.space_id, active=True)
    rows = Allocation.objects.filter(
        space=other.space_id, unit__in=units.values("unit"), active=True, kind="booking",
        block__startswith__lte=now, booking__status=Status.CONFIRMED,
        booking__starts_at__gt=other.starts_at, booking__late_start=None,
    ).exclude(booking=other)  # fmt: skip
    found = {row.booking_id: row.booking for row in rows.select_related("booking__space")}
    return [booking for booking in found.values() if booking is not None]


def _note(booking: Booking, *, other: Booking, now: datetime) -> bool:
    """Write down that a locked booking's room is late, and tell its tenant."""
    other.refresh_from_db()
    if booking.status != Status.CONFIRMED or other.status != Status.CHECKED_IN:
        return False
    expected, proposal = _expected(booking, other, now=now), None
    if booking.ends_at > now:
        proposal = preparing.proposal_for(booking, now=now)
    _, is_new = LateStart.objects.get_or_create(
        booking=booking,
        defaults={
            "caused_by": other,
            "ate_setup_at": now,
            "expected_at": expected,
            "proposal": proposal,
        },
    )
    if is_new:
        record(booking, "late_room", actor=SYSTEM, now=now, by=other.code, to=proposal)
        telling.room_late(booking, free_at=expected, proposal=proposal, now=now)
        show(booking, now=now)
    return is_new


def _expected(booking: Booking, other: Booking, *, now: datetime) -> datetime:
    """When the room may be ready at the soonest, should the show end now."""
    return max(booking.starts_at, now + other.buffers.teardown)


def room_freed(other: Booking, *, now: datetime) -> None:
    """The show that made others late is over; its space is locked by the caller."""
    rows = LateStart.objects.select_for_update(of=("self",)).filter(
        caused_by=other, freed_at__isnull=True
    )
    for late in rows.select_related("booking"):
        late.freed_at = now
        late.lost_min = lost_min(late.booking, now)
        late.save(update_fields=["freed_at", "lost_min"])
        record(late.booking, "room_freed", actor=SYSTEM, now=now, lost_min=late.lost_min)


def lost_min(booking: Booking, freed_at: datetime) -> int:
    """The started minutes of the booked time that had passed when the room was free."""
    lost = min(freed_at, booking.ends_at) - booking.starts_at
    return max(math.ceil(lost / timedelta(minutes=1)), 0)


def credit(booking: Booking, *, now: datetime) -> None:
    """Credit the lost minutes of a booking that was just charged, once, by the fault policy."""
    late = LateStart.objects.select_for_update(of=("self",)).filter(booking=booking).first()
    if late is None or not late.lost_min or late.credited_at is not None:
        return
    facts = FaultFacts(
        fault_code=f"late-{booking.code}",
        booking_code=booking.code,
        outage_min=late.lost_min,
        evidence={
            "late_room": True,
            "booked_start": booking.starts_at.isoformat(),
            "ate_setup_at": late.ate_setup_at.isoformat(),
            "freed_at": late.freed_at.isoformat() if late.freed_at else None,
        },
    )
    charges = billing.credit_fault(facts=facts, now=now)
    late.credited_at = now
    late.save(update_fields=["credited_at"])
    record(
        booking, "late_credit", actor=SYSTEM, now=now, lost_min=late.lost_min,
        credited_fen=-sum(charge.gross_fen for charge in charges),
    )  # fmt: skip
