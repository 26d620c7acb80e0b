"""Series for tests: a wish that repeats, booked through the service."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from base_ops.core.models import Space, Tenant
from base_ops.core.spans import Span
from booking.models import Allocation, Booking, Series
from booking.services import series as services
from booking.services.series import SeriesWish
from booking.services.series.changing import terms_of
from booking.services.wishes import BookingWish
from tests.booking import world

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
WEEKLY = "FREQ=WEEKLY;COUNT=5"


def wish(space: Space, tenant: Tenant, start: datetime, **changes: Any) -> SeriesWish:
    terms = {k: changes.pop(k) for k in ("exdates", "rdates", "choices") if k in changes}
    rrule = changes.pop("rrule", WEEKLY)
    first = BookingWish(space=space, tenant=tenant, span=Span(start, start + HOUR), **changes)
    return SeriesWish(first, rrule, **terms)


def create(asked: SeriesWish, now: datetime, mode: Any = "atomic", **more: Any) -> Any:
    return services.create(
        wish=asked, mode=mode, actor=world.actor(asked.wish.tenant), now=now, **more
    )


def taken_by_another(space: Space, at: datetime, now: datetime, minutes: int = 60) -> Booking:
    start_min = int((at - now).total_seconds()) // 60
    return world.booked(now=now, space=space, start_min=start_min, minutes=minutes)


def starts(series: Series) -> list[datetime]:
    rows = Booking.objects.filter(series=series).exclude(status="cancelled")
    return list(rows.order_by("starts_at").values_list("starts_at", flat=True))


def active(bookings: Sequence[Booking]) -> int:
    return Allocation.objects.filter(booking__in=bookings, active=True).count()


def dates_of(series: Series) -> list[datetime]:
    return terms_of(series).starts()


def dated(instance: Any) -> datetime:
    return datetime.fromisoformat(instance["recurrence_id"])
