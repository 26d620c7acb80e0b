"""What time alone brings about. Each deed finds its work in the database and is safe to repeat."""

from datetime import datetime, timedelta

from django.db.models import F
from django.db.models.functions import Coalesce
from psycopg.types.range import TimestamptzRange

from base_ops.core.actors import SYSTEM
from base_ops.core.spans import Span
from billing import services as billing
from booking import selectors
from booking.domain.states import Deed, Status
from booking.models import Allocation, Booking
from booking.services import charging, lateness, preparing, staying, telling, waiting
from booking.services.changing import advance, record, save, show, spaces_of
from booking.services.locking import free, source_of
from devices import services as devices

EXTENSION = timedelta(minutes=15)
EXTEND_AHEAD = timedelta(seconds=45)  # before the encoder stops by itself
WARNINGS_MIN = (10, 5)


def release_no_shows(*, now: datetime) -> int:
    """Give away, after the grace period, rooms nobody checked in to; begin what needs none."""
    begun = Booking.objects.filter(status=Status.CONFIRMED, starts_at__lte=now).order_by("pk")
    due = [row for row in begun.select_related(*_RULED) if _is_due(row, now=now)]
    return preparing.each(due, lambda booking: _release(booking, now=now))


_RULED = ("space__type", "space__floor", "tenant")


def _is_due(booking: Booking, *, now: datetime) -> bool:
    door = staying.door_of(booking, now=now)
    return not door.needed or now >= staying.closes_at(booking, now=now)


def _release(booking: Booking, *, now: datetime) -> bool:
    """Nobody came in time; on air, or with somebody in the room, is a check-in.

    While the show before still runs nobody can come, and afterwards the grace period begins anew.
    Whom a late room kept out pays nothing.
    """
    if booking.status != Status.CONFIRMED or not _is_due(booking, now=now):
        return False
    door = staying.door_of(booking, now=now)
    if not door.needed:
        return _begin(booking, now=now)
    if why := staying.evidence(booking, now=now):
        staying.take_over(booking, actor=SYSTEM, why=why, now=now)
        return True
    late = lateness.of(booking)
    waiting.lock_line([(spaces_of(booking), booking.span)], now=now)
    advance(
        booking, Deed.MISS, actor=SYSTEM, why="no check-in within the grace period",
        now=now, wrap_due_at=now if booking.prepared_at else None,
    )  # fmt: skip
    free(booking)
    if late is not None and late.lost_min:
        billing.release(source=source_of(booking), now=now)
        record(booking, "no_fee", actor=SYSTEM, now=now, lost_min=late.lost_min)
    else:
        charging.charge(booking, "no_show", now=now)
    telling.missed(
        booking, grace_min=(door.grace or booking.span.length) // timedelta(minutes=1), now=now
    )
    preparing.wrap_if_due(booking, now=now)
    waiting.offer_freed(spaces_of(booking), booking.span, now=now)
    show(booking, now=now)
    return True


def _begin(booking: Booking, *, now: datetime) -> bool:
    """A stay that needs no check-in begins by itself, once the show before is over."""
    if lateness.in_the_room(booking) is not None:
        return False
    why = "no check-in needed"
    if now < booking.until:
        staying.take_over(booking, actor=SYSTEM, why=why, now=now)
    else:  # nobody looked in time: it was theirs, and is over
        advance(
            booking, Deed.CHECK_IN, actor=SYSTEM, why=why, now=now,
            checked_in_at=booking.starts_at,
        )  # fmt: skip
        show(booking, now=now)
    return True


def extend_due(*, now: datetime) -> int:
    """Extend shows that run over, a quarter of an hour at a time, while the room stays free."""
    due = _on_air_and_ending(now=now, within=EXTEND_AHEAD)
    return preparing.each(due, lambda booking: _extend(booking, now=now))


def _on_air_and_ending(*, now: datetime, within: timedelta) -> list[Booking]:
    return list(
        Booking.objects.alias(end=Coalesce(F("overtime_until"), F("ends_at"))).filter(
            status=Status.CHECKED_IN,
            end__lte=now + within,
            space_id__in=selectors.on_air(now),
        )
    )


def _extend(booking: Booking, *, now: datetime) -> bool:
    if booking.status != Status.CHECKED_IN or booking.until > now + EXTEND_AHEAD:
        return False
    until = booking.until + EXTENSION
    if not _free_until(booking, until, now=now):
        return False
    end = until + booking.buffers.after
    for row in Allocation.objects.filter(booking=booking, active=True):
        row.block = TimestamptzRange(row.span.start, end, "[)")
        row.save(update_fields=["block"])
    save(booking, overtime_until=until)
    record(booking, "extend", actor=SYSTEM, now=now, until=until.isoformat())
    telling.extended(booking, now=now)
    devices.extend_grant(booking_code=booking.code, until=until, now=now)
    show(booking, now=now)
    return True


def _free_until(booking: Booking, until: datetime, *, now: datetime) -> bool:
    """Whether nobody else takes the booking's units up to `until` and its teardown."""
    end = until + booking.buffers.after
    own = list(Allocation.objects.filter(booking=booking, active=True))
    window = Span(booking.starts_at, end)
    takings = selectors.taken(space_ids=[booking.space_id], window=window, now=now)
    units = {row.unit for row in own}
    return bool(own) and not any(
        t.unit in units and t.booking_code != booking.code for t in takings[booking.space_id]
    )


def warn_due(*, now: datetime) -> int:
    """Warn shows that cannot run over, ten and five minutes before their hard end."""
    due = _on_air_and_ending(now=now, within=timedelta(minutes=max(WARNINGS_MIN)))
    return preparing.each(due, lambda booking: _warn(booking, now=now))


def _warn(booking: Booking, *, now: datetime) -> bool:
    left = booking.until - now
    mark = min((m for m in WARNINGS_MIN if left <= timedelta(minutes=m)), default=0)
    if not mark or (booking.warned_min and booking.warned_min <= mark):
        return False
    if _free_until(booking, booking.until + EXTENSION, now=now):
        return False
    save(booking, warned_min=mark)
    record(booking, "warn", actor=SYSTEM, now=now, minutes=mark)
    telling.ending_soon(booking, minutes=mark, now=now)
    show(booking, now=now)
    return True


def end_due(*, now: datetime) -> int:
    """Complete stays whose booked time is over and whose room is off air."""
    due = Booking.objects.filter(status=Status.CHECKED_IN, ends_at__lte=now).exclude(
        space_id__in=selectors.on_air(now)
    )
    due = due.order_by("pk")
    return preparing.each(due, lambda booking: _end(booking, now=now))


def _end(booking: Booking, *, now: datetime) -> bool:
    if booking.status != Status.CHECKED_IN or booking.ends_at > now:
        return False
    if booking.space_id in selectors.on_air(now):
        return False
    ended = min(now, booking.overtime_until) if booking.overtime_until else booking.ends_at
    staying.finish(booking, actor=SYSTEM, ended_at=ended, now=now)
    return True
