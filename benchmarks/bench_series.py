"""A dry run of 260 instances over five years, against one plain availability query.

The dry run judges and prices every instance in one room; the availability query looks at and
prices one window in 60 rooms. Two bookings a day in each room for a year; nothing is written.
"""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks import rig

ROOMS, DAYS, ROUNDS, INSTANCES = 60, 365, 15, 260
HOUR = timedelta(hours=1)
TARGET = 10.0


def run() -> list[dict[str, Any]]:
    """Measure in a process with a database of its own."""
    return rig.alone("benchmarks.bench_series")


def measure() -> list[dict[str, Any]]:
    """Both in turns, the median of each."""
    rig.prepare()
    from booking.services import series

    now = datetime(2026, 9, 15, 7, tzinfo=UTC)
    wish, spaces = _world(now)
    asked = series.SeriesWish(wish, f"FREQ=WEEKLY;COUNT={INSTANCES}")
    looks: list[float] = []
    plain: list[float] = []
    for _ in range(ROUNDS):
        plain.append(_timed(lambda: _availability(wish, spaces, now)))
        looks.append(_timed(lambda: series.look(series.expanded(asked), now=now)))
    singles = [_timed(lambda: _one_by_one(asked, now)) for _ in range(2)]
    ours, limit, one_by_one = (sorted(t)[len(t) // 2] * 1000 for t in (looks, plain, singles))
    return [
        {
            "name": f"dry run of {INSTANCES} instances over 5 years, against one availability"
            f" query ({INSTANCES} single looks: {one_by_one:.0f} ms)",
            "ours": round(ours, 1),
            "limit": round(limit, 1),
            "ratio": rig.ratio(ours, limit),
            "unit": "ms",
            "target": f"<= {TARGET}, and <= 0.2 of single looks",
            "kept": ours <= TARGET * limit and ours <= one_by_one / 5,
        }
    ]


def _timed(work: Any) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _availability(wish: Any, spaces: Any, now: datetime) -> None:
    from booking import offering

    offering.availability(spaces=spaces, wish=wish.span, units=1, renter=wish.tenant, now=now)


def _one_by_one(asked: Any, now: datetime) -> None:
    from booking.services import series

    for one in series.expanded(asked):
        series.look([one], now=now)


def _world(now: datetime) -> tuple[Any, Any]:
    """Rooms of the demo price book's single studio, booked at noon and at night every day."""
    from base_ops.core.spans import Span
    from billing import importers
    from booking import selectors
    from booking.services.wishes import BookingWish
    from tests import make
    from tests.billing.data import demo

    importers.load({**demo(), "tenants": [], "training_programmes": []})
    kind = make.space_type(code="studio_single")
    rooms = [make.space(type=kind) for _ in range(ROOMS)]
    _fill([room.pk for room in rooms], make.tenant().pk, now)
    spaces = selectors.bookable_spaces()
    start = now + timedelta(days=2)
    first = next(space for space in spaces if space.pk == rooms[0].pk)
    wish = BookingWish(space=first, tenant=make.tenant(), span=Span(start, start + HOUR))
    return wish, spaces


def _fill(space_ids: list[int], tenant_id: int, now: datetime) -> None:
    """Two bookings a day in each room."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO booking_booking (code, tenant_id, space_id, starts_at, ends_at, status,"
            " title, purpose, headcount, units, services, quote, price_fen, pin, created_at,"
            " cancel_reason, ready, ready_reasons, warned_min, source, version)"
            " SELECT 'B' || s || '-' || d || '-' || h, %s, s, %s + make_interval(days => d,"
            " hours => h), %s + make_interval(days => d, hours => h + 3), 'confirmed', '', 'x', 1,"
            " 1, '[]', '{}', 0, '000000', %s, '', '', '[]', 0, 'api', 1"
            " FROM unnest(%s::bigint[]) s, generate_series(0, %s) d, unnest(ARRAY[5, 14]) h",
            [tenant_id, now, now, now, space_ids, DAYS],
        )
        cursor.execute(
            "INSERT INTO booking_allocation"
            " (space_id, unit, block, kind, booking_id, note, active)"
            " SELECT space_id, 0, tstzrange(starts_at, ends_at), 'booking', id, '', true"
            " FROM booking_booking"
        )
        cursor.execute("ANALYZE")


if __name__ == "__main__":
    print(json.dumps(measure()))  # noqa: T201
