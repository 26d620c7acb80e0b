"""Somebody's bookings."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q, QuerySet

from base_ops.core.errors import NotFound
from booking.domain.states import Status
from booking.models import Booking


class BookingNotFound(NotFound):
    """No such booking, or not one of the caller's."""

    code, title_zh, title_en = "booking_not_found", "找不到该预订", "No such booking"


def bookings_for(tenant_id: int | None) -> QuerySet[Booking]:
    """The bookings a caller may see: a tenant's own, or all (None: people of the base)."""
    rows = Booking.objects.select_related("space__type", "space__floor", "tenant", "series")
    return rows if tenant_id is None else rows.filter(tenant_id=tenant_id)


def filtered(
    rows: QuerySet[Booking],
    *,
    statuses: Sequence[str],
    space: str | None,
    tenant: str | None,
    start: datetime | None,
    end: datetime | None,
    now: datetime,
) -> QuerySet[Booking]:
    """Narrow a list of bookings; a hold whose time is over counts as expired, swept or not."""
    if statuses:
        overdue = Q(status=Status.HELD, expires_at__lte=now)
        wanted = Q(status__in=statuses) & ~overdue
        rows = rows.filter(wanted | overdue if Status.EXPIRED in statuses else wanted)
    if space:
        rows = rows.filter(space__code=space)
    if tenant:
        rows = rows.filter(tenant__code=tenant)
    if start:
        rows = rows.filter(ends_at__gt=start)
    return rows.filter(starts_at__lt=end) if end else rows


def booking_for(*, code: str, tenant_id: int | None) -> Booking:
    """One booking.

    Raises:
        BookingNotFound: there is none, or it is somebody else's; the answers do not differ.
    """
    found = bookings_for(tenant_id).filter(code=code).first()
    if found is None:
        raise BookingNotFound(f"no booking {code}")
    return found
