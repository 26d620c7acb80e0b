"""One way to change a booking's status: by the table, with a version, on record, shown live."""

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from base_ops.core import audit, db, errors
from base_ops.core.actors import Actor
from booking import occupancy
from booking.domain.states import By, Deed, Status, after
from booking.models import Booking
from booking.services import locking, telling

logger = logging.getLogger(__name__)

_waiting: ContextVar[set[int] | None] = ContextVar("waiting", default=None)


class MovedMeanwhile(db.Stale, errors.Conflict):
    """The booking got another room or other things while it was being locked, again and again."""

    code, title_zh, title_en = (
        "moved_meanwhile",
        "预订刚被移动,请重试",
        "The booking was just moved",
    )


def locked(booking: Booking, also_spaces: Collection[int] = ()) -> Booking:
    """The booking as it stands now: first all it takes is locked, then its own row.

    Raises:
        MovedMeanwhile: between reading and locking it got another room, or other things beside
            it; `db.in_transaction` then tries again with what `booking` was told of it here.
    """
    spaces, pools = locking.lock_resources_of(booking, also_spaces)
    row = _row(booking)
    now_spaces, now_pools = locking.resources_of(row)
    if not (now_spaces <= spaces and now_pools <= pools):
        booking.space_id, booking.part_count = row.space_id, row.part_count
        raise MovedMeanwhile
    return row


def _row(booking: Booking) -> Booking:
    return (
        Booking.objects.select_for_update(of=("self",))
        .select_related("space__type", "space__floor", "tenant")
        .get(pk=booking.pk)
    )


def by_of(actor: Actor) -> By:
    """Which kind of caller an actor is, for the table of states."""
    if actor.kind == "user":
        return By.BASE if actor.is_staff else By.TENANT
    return By.TENANT if actor.kind == "demo" else By.TIME


def advance(
    booking: Booking, deed: Deed, *, actor: Actor, now: datetime, why: str = "", **changes: Any
) -> None:
    """Move a locked booking along the table and save it together with `changes`.

    Raises:
        states.WrongState: the table has no such transition.
        states.NotYours: it has, but not for this actor.
    """
    was = Status(booking.status)
    booking.status = after(booking.status, deed, by_of(actor))
    save(booking, **changes)
    record(booking, str(deed), actor=actor, before={"status": was}, why=why, now=now)
    telling.step(booking, deed, was=was, actor=actor, why=why, now=now)
    logger.info(
        "booking.changed",
        extra={"booking": booking.code, "deed": str(deed), "space": booking.space.code},
    )


def save(booking: Booking, **changes: Any) -> None:
    """Set the changes, raise the version, save."""
    for name, value in changes.items():
        setattr(booking, name, value)
    booking.version += 1
    booking.save(update_fields=["status", "version", *changes])


def record(
    booking: Booking,
    deed: str,
    *,
    actor: Actor,
    now: datetime,
    before: dict[str, Any] | None = None,
    why: str = "",
    **more: Any,
) -> None:
    """Write the audit row of a deed."""
    audit.record(
        actor=actor,
        action=f"booking.{deed}",
        object_type="booking",
        object_code=booking.code,
        before=before,
        after={"status": booking.status, **({"why": why} if why else {}), **more},
        now=now,
    )


def show(booking: Booking, *, now: datetime) -> None:
    """Publish what the change means for the space; last statement of a transaction."""
    if booking.starts_at >= now + occupancy.LOOKAHEAD:
        return
    if (waiting := _waiting.get()) is not None:
        waiting.update(spaces_of(booking))
        return
    occupancy.refresh(space_ids=spaces_of(booking), now=now)


@contextmanager
def shown_together(*, now: datetime) -> Iterator[set[int]]:
    """Publish the changes of many bookings once, at the end of their transaction.

    Publishing holds the live topics until the commit: done after each of many bookings it would
    keep everybody else waiting. Yields the ids of the spaces to show; clear it to show none.
    """
    spaces: set[int] = set()
    before = _waiting.set(spaces)
    try:
        yield spaces
    finally:
        _waiting.reset(before)
    if spaces:
        occupancy.refresh(space_ids=sorted(spaces), now=now)


def spaces_of(booking: Booking) -> list[int]:
    """The room and the spaces taken beside it."""
    if not booking.part_count:
        return [booking.space_id]
    beside = booking.parts.filter(space__isnull=False).values_list("space_id", flat=True)
    return [booking.space_id, *(pk for pk in beside if pk)]
