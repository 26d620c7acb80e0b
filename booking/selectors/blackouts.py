"""Blackouts, as the base sees them."""

from datetime import datetime

from django.db.models import Prefetch, QuerySet

from base_ops.core.errors import NotFound
from booking.models import Allocation, Blackout


class BlackoutNotFound(NotFound):
    """No such blackout."""

    code, title_zh, title_en = "blackout_not_found", "找不到该停用", "No such blackout"


def blackouts() -> QuerySet[Blackout]:
    """All of them, with what they take."""
    active = Allocation.objects.filter(active=True).order_by("unit")
    return Blackout.objects.select_related("space").prefetch_related(
        Prefetch("allocations", active)
    )


def blackouts_filtered(
    rows: QuerySet[Blackout],
    *,
    space: str | None,
    start: datetime | None,
    end: datetime | None,
    cancelled: bool,
) -> QuerySet[Blackout]:
    """Narrow a list: those that overlap [start, end); cancelled ones only when asked for."""
    if not cancelled:
        rows = rows.filter(cancelled_at__isnull=True)
    if space:
        rows = rows.filter(space__code=space)
    if start:
        rows = rows.filter(ends_at__gt=start)
    return rows.filter(starts_at__lt=end) if end else rows


def blackout_for(code: str) -> Blackout:
    """One blackout.

    Raises:
        BlackoutNotFound: there is none.
    """
    if (found := blackouts().filter(code=code).first()) is None:
        raise BlackoutNotFound(f"no blackout {code}")
    return found


def blackout_units(row: Blackout) -> list[int]:
    """The units it takes; none for a space that is not divided."""
    return sorted({a.unit for a in row.allocations.all() if a.active and a.unit})
