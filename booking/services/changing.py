"""One way to change a booking's status: by the table, with a version, on record, shown live."""

import logging
from datetime import datetime
from typing import Any

from base_ops.core import audit
from base_ops.core.actors import Actor
from booking import occupancy
from booking.domain.states import Deed, after
from booking.models import Booking
from booking.services import locking

logger = logging.getLogger(__name__)


def locked(booking: Booking) -> Booking:
    """The booking as it stands now, its space locked first, then its own row."""
    locking.lock_spaces([booking.space_id])
    return (
        Booking.objects.select_for_update(of=("self",))
        .select_related("space__type", "space__floor", "tenant")
        .get(pk=booking.pk)
    )


def advance(
    booking: Booking, deed: Deed, *, actor: Actor, now: datetime, why: str = "", **changes: Any
) -> None:
    """Move a locked booking along the table and save it together with `changes`.

    Raises:
        states.WrongState: the table has no such transition.
    """
    before = {"status": booking.status}
    booking.status = after(booking.status, deed)
    save(booking, **changes)
    record(booking, str(deed), actor=actor, before=before, why=why, now=now)
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
    if booking.starts_at < now + occupancy.LOOKAHEAD:
        occupancy.refresh(space_ids=[booking.space_id], now=now)
