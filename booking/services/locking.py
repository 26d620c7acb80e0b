"""The scarce thing is a space's time: lock its row, release what expired, look, insert."""

import logging
from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import connection

from base_ops.core import audit
from base_ops.core.actors import SYSTEM
from base_ops.core.models import Space
from base_ops.core.spans import Span
from billing import services as billing
from billing.domain.facts import booking_source
from booking.domain.states import Deed, Status, after
from booking.models import Allocation, Booking

logger = logging.getLogger(__name__)

INSERT = (
    "INSERT INTO booking_allocation"
    " (space_id, unit, block, kind, booking_id, note, active, expires_at)"
    " VALUES {values} ON CONFLICT DO NOTHING RETURNING id"
)


def lock_spaces(space_ids: Collection[int]) -> list[Space]:
    """Lock the rows in id order, so that two callers can never wait on each other.

    The exclusion constraint alone would be as safe, but rivals that insert at once deadlock in
    its index. Inserts that only refer to a space (foreign keys) are not held up.
    """
    rows = Space.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=space_ids)
    return list(rows.select_related("type", "floor").order_by("id"))


def release_expired(space_ids: Collection[int], *, now: datetime) -> int:
    """End the holds in these spaces whose time is over; the spaces are locked by the caller."""
    overdue = Booking.objects.filter(
        space_id__in=space_ids, status=Status.HELD, expires_at__lte=now
    )
    return sum(_expire(booking, now=now) for booking in list(overdue))


def _expire(booking: Booking, *, now: datetime) -> int:
    booking.status = after(booking.status, Deed.EXPIRE)
    booking.version += 1
    booking.save(update_fields=["status", "version"])
    free(booking)
    billing.release(source=source_of(booking), now=now)
    audit.record(
        actor=SYSTEM,
        action="booking.expire",
        object_type="booking",
        object_code=booking.code,
        before={"status": str(Status.HELD)},
        after={"status": booking.status},
        now=now,
    )
    logger.info("booking.expired", extra={"booking": booking.code})
    return 1


def source_of(booking: Booking) -> str:
    """What billing calls this booking."""
    return booking_source(booking.code)


def free(booking: Booking) -> None:
    """Give the booking's resources back."""
    Allocation.objects.filter(booking=booking, active=True).update(active=False)


def allocate(booking: Booking, *, units: Sequence[int], block: Span) -> bool:
    """Take the units for the block; False when the constraint let fewer through than asked.

    On False the caller must roll back: some rows may have been inserted.
    """
    values = ", ".join(
        ["(%s, %s, tstzrange(%s, %s, '[)'), 'booking', %s, '', true, %s)"] * len(units)
    )
    arguments: list[int | datetime | None] = []
    for unit in units:
        arguments += [
            booking.space_id, unit, block.start, block.end, booking.pk, booking.expires_at,
        ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(INSERT.format(values=values), arguments)
        return len(cursor.fetchall()) == len(units)
