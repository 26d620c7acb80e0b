"""Bring a booking to an equal room because of the base's own: at its price, without a fee.

Only the room changes; the time, the price and what is taken beside it stay. Before the show and
during it, but never while the room is on air.
"""

from datetime import datetime
from functools import partial
from typing import Any

from psycopg.types.range import TimestamptzRange

from base_ops.core import db, errors
from base_ops.core.actors import Actor
from base_ops.core.models import Space
from base_ops.core.spans import Span
from booking import occupancy, selectors
from booking.domain.slots import Buffers
from booking.domain.states import Status
from booking.models import Allocation, Booking
from booking.services import charging, locking, preparing, resources, staying, telling, waiting
from booking.services.changing import locked, record, save
from booking.services.moving import TooLateToMove
from booking.services.resources import Need
from booking.services.taking import slot_taken
from booking.services.wishes import of_booking
from devices import services as devices


class RoomOnAir(errors.Conflict):
    """Nothing on air is moved away."""

    code, title_zh, title_en = "room_on_air", "房间正在直播", "The room is on air"


class NoEqualRoom(errors.Conflict):
    """No equal room is free, and none was named."""

    code, title_zh, title_en = "no_equal_room", "没有同类空闲空间", "No equal room is free"


class NothingProposed(errors.Forbidden):
    """A tenant transfers only when its own room is not fit and another was proposed."""

    code, title_zh, title_en = (
        "nothing_proposed",
        "未建议更换空间",
        "No other room was proposed for this booking",
    )


def transfer(
    *, booking: Booking, space: Space | None, actor: Actor, reason: str = "", now: datetime
) -> Booking:
    """Move to an equal room; a running stay takes its control along.

    Args:
        booking: confirmed or checked in, not over.
        space: where to; None takes the room that was proposed, or an equal free one.
        actor: its tenant (when a proposal was made) or the base.
        reason: why, for the record.
        now: the present instant.

    Raises:
        NothingProposed: a tenant without a proposal.
        NoEqualRoom: none is free.
        SlotTaken: the named one is not.
        TooLateToMove: it is over, or not settled yet.
        RoomOnAir: end the show first.
    """
    return db.in_transaction(partial(_transfer, booking, space, actor, reason, now=now))


def _transfer(
    booking: Booking, space: Space | None, actor: Actor, reason: str, *, now: datetime
) -> Booking:
    if not actor.is_staff and booking.proposal is None:
        raise NothingProposed(booking.code)
    _check_time(booking, now=now)
    target = space or _equal_room(booking, now=now)
    row = locked(booking, [target.pk])
    _check_time(row, now=now)
    if row.space_id in selectors.on_air(now):
        raise RoomOnAir(row.space.code)
    _check_fits(row, target)
    before, old = {"space": row.space.code}, row.space
    _rehouse(row, target, now=now)
    stays = row.status == Status.CHECKED_IN
    used = charging.measure(row, now=now) if stays else {}
    if stays:
        devices.revoke_control(booking_code=row.code, now=now)
    if row.prepared_at is not None or stays:
        preparing.leave(row, now=now)
    save(
        row, space=target, in_room_since=now if stays else None, prepared_at=None, ready="",
        ready_at=None, ready_reasons=[], proposal=None, warned_min=0, **used,
    )  # fmt: skip
    record(row, "transfer", actor=actor, before=before, why=reason, now=now, space=target.code)
    if stays:
        staying.hand_over(row, actor=actor, now=now)
    telling.moved(row, old_space=old, old_starts_at=row.starts_at, now=now)
    waiting.offer_freed([old.pk], row.span, now=now)
    occupancy.refresh(space_ids={old.pk, target.pk}, now=now)
    return row


def _check_time(row: Booking, *, now: datetime) -> None:
    if row.status not in (Status.CONFIRMED, Status.CHECKED_IN) or row.until <= now:
        raise TooLateToMove(row.status)


def _check_fits(row: Booking, target: Space) -> None:
    if target.pk == row.space_id or not target.bookable:
        fault = errors.FieldFault("space", "不能换到该空间", "Not a room to transfer to")
        raise errors.Invalid("space", fields=[fault])
    if row.headcount > target.capacity or row.units > (target.unit_count or 1):
        fault = errors.FieldFault("space", "空间容纳人数不足", "Too small for this booking")
        raise errors.Invalid("space", fields=[fault])


def _rehouse(row: Booking, target: Space, *, now: datetime) -> None:
    """Take the target from now or the start on; what was used of the old room stays on record.

    Raises:
        SlotTaken: it is not free for the rest of the time.
    """
    need = _need(row, target, now=now)
    picked = resources.pick([need], now=now)
    wish = of_booking(row, space=target)
    if picked.lacks:
        raise slot_taken(wish, picked.lacks, now=now)
    for allocation in row.allocations.filter(active=True, space=row.space_id):
        _end(allocation, now)
    if not locking.allocate(row, picked.places):
        row.allocations.filter(active=True, space=target).delete()
        if not locking.drop_expired([target.pk], [], now=now) or not locking.allocate(
            row, picked.places
        ):
            raise slot_taken(wish, (), now=now)


def _need(row: Booking, target: Space, *, now: datetime) -> Need:
    """The rest of the booking; a stay that runs needs no setup any more."""
    around = selectors.buffers(target)
    if row.status == Status.CHECKED_IN:
        rest = Span(now, row.until)
        around = Buffers.of_minutes(0, around.as_minutes()["teardown_min"])
    else:
        rest = Span(row.starts_at, row.until)
    return Need(target, row.units, rest, around)


def _end(allocation: Allocation, now: datetime) -> None:
    if allocation.span.start < now < allocation.span.end:
        allocation.block = TimestamptzRange(allocation.span.start, now, "[)")
    else:
        allocation.active = False
    allocation.save(update_fields=["block", "active"])


def _equal_room(booking: Booking, *, now: datetime) -> Space:
    """The proposed room, or an equal one that is free for the rest of the time."""
    proposed: Any = (booking.proposal or {}).get("space")
    if found := Space.objects.select_related("type", "floor").filter(code=proposed).first():
        return found
    rest = Span(max(now, booking.starts_at), booking.until)
    equal = selectors.equal_spaces(booking.space, rest, booking.headcount, now=now, limit=1)
    if not equal:
        raise NoEqualRoom(booking.space.code)
    return equal[0]
