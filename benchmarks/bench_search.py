"""Free-slot search over 60 spaces, a million bookings and 14 days, against hand-written SQL.

The rivals run prepared on a bare table of (space, starts, ends): no units, holds or buffers of
each space, as somebody would write it for this one question. Their answers are the same, which is
checked. Ours also looks up the rules in force, by which each of the times can be booked; the best
of the rivals by p95 is the limit. Everything is loaded without foreign keys and
exclusion constraints: they take minutes for a million rows, and no part in reading.

On the same rows the figures of the KPI report are timed, against one look at every booking.
BASE_OPS_BENCH_BOOKINGS=100000 makes it smaller.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from benchmarks import rig, search_load
from benchmarks.search_load import FIRST, SPACES

if TYPE_CHECKING:
    from base_ops.core.models import Space

BOOKINGS = int(os.environ.get("BASE_OPS_BENCH_BOOKINGS", "1000000"))
ROUNDS = 150
TARGET = 1.5
LENGTH = timedelta(hours=1)
DAYS = timedelta(days=14)
NEXT = 3

Ask = Callable[[datetime], Any]

# A quarter of an hour around each booking and a grid of half an hour, as each space has them; no
# block is longer than four hours and none further apart than two.
_ASKED = """
unnest(%(spaces)s::bigint[], %(befores)s::interval[], %(rests)s::interval[], %(steps)s::interval[])
    AS s (space, before, rest, step)
"""
_WITHIN = """
(expires_at IS NULL OR expires_at > %(now)s)
   AND starts < %(to)s + interval '75 min' AND starts > %(from)s - interval '6 hours'
"""
_FIRST = """
date_bin(s.step, greatest(g.since + s.before, %(from)s) + s.step - interval '1 us',
         '2000-01-01 00:00+08')
"""
_LATEST = "least(g.until - s.rest, %(last)s)"
_GAPS = f"""
    SELECT ends AS since, lead(starts, 1, 'infinity') OVER (ORDER BY starts) AS until
      FROM bare WHERE space = s.space AND {_WITHIN}
"""  # noqa: S608 - our own texts
_LEAD = f"""
SELECT s.space, {_FIRST}, {_LATEST} FROM {_ASKED} CROSS JOIN LATERAL ({_GAPS}) g
 WHERE {_FIRST} <= {_LATEST}
"""  # noqa: S608 - our own texts
_MULTIRANGE = f"""
SELECT s.space, {_FIRST}, {_LATEST} FROM (
    SELECT space, lower(free) AS since, upper(free) AS until FROM (
        SELECT space, unnest(tstzmultirange(tstzrange(
                   %(from)s - interval '6 hours', %(to)s + interval '6 hours'))
               - range_agg(tstzrange(starts, ends))) AS free
          FROM bare WHERE space = ANY(%(spaces)s) AND {_WITHIN} GROUP BY space) f
) g JOIN {_ASKED} ON s.space = g.space WHERE {_FIRST} <= {_LATEST}
"""  # noqa: S608 - our own texts
_GIST = _MULTIRANGE.replace(
    "starts < %(to)s + interval '75 min' AND starts > %(from)s - interval '6 hours'",
    "tstzrange(starts, ends) && tstzrange(%(from)s - interval '6 hours',"
    " %(to)s + interval '75 min')",
)
_NEXT = f"""
SELECT s.space, n.first FROM {_ASKED} CROSS JOIN LATERAL (
    SELECT first FROM ({_GAPS}) g
     CROSS JOIN LATERAL generate_series({_FIRST}, {_LATEST}, s.step) AS first LIMIT {NEXT}
) n
"""  # noqa: S608 - our own texts


def run() -> list[dict[str, Any]]:
    """Measure with a database of its own."""
    return rig.alone("benchmarks.bench_search")


def measure() -> list[dict[str, Any]]:
    """Load, check that all answers agree, and time them in turns."""
    rig.prepare()
    spaces = search_load.load(BOOKINGS)
    return [*_search(spaces), *_figures()]


def _search(spaces: "Sequence[Space]") -> list[dict[str, Any]]:
    from booking import selectors
    from booking.selectors import Search

    def runs(since: datetime) -> Any:
        search = Search(since, since + DAYS, LENGTH)
        sales = selectors.sales(spaces=spaces, now=since)
        return selectors.runs(spaces=spaces, search=search, sales=sales, now=since)

    def following(since: datetime) -> Any:
        search = Search(since, since + DAYS, LENGTH, limit=NEXT)
        sales = selectors.sales(spaces=spaces, now=since)
        return selectors.next_starts(spaces=spaces, search=search, sales=sales, now=since)

    by_hand = {
        "btree and lead()": _by_hand(_LEAD, spaces),
        "btree, multirange": _by_hand(_MULTIRANGE, spaces),
        "GiST, multirange": _by_hand(_GIST, spaces),
    }
    for since in _instants(5):
        expected = sorted((s, *run) for s, found in runs(since).items() for run in found)
        for rival, ask in by_hand.items():
            _agree(sorted(map(_in_seconds, ask(since))), expected, rival)
        starts = [(s, start) for s, found in following(since).items() for start in found.starts]
        _agree(sorted(_by_hand(_NEXT, spaces)(since)), sorted(starts), "next")
    every = _compare("every free gap", runs, by_hand)
    after = _compare(
        f"the next {NEXT} starts of each", following,
        {"btree, lead(), LIMIT": _by_hand(_NEXT, spaces)},
    )  # fmt: skip
    return [every, after]


def _by_hand(sql: str, spaces: "Sequence[Space]") -> Ask:
    """The statement, prepared, on the driver itself."""
    import psycopg

    quarter, count = timedelta(minutes=15), len(spaces)
    known = {
        "spaces": [space.pk for space in spaces],
        "befores": [quarter] * count,
        "rests": [quarter + LENGTH] * count,
        "steps": [2 * quarter] * count,
    }
    driver = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)

    def ask(since: datetime) -> list[tuple[Any, ...]]:
        last = since + DAYS - timedelta(seconds=1)
        arguments = known | {"from": since, "to": since + DAYS, "last": last, "now": FIRST}
        with driver.cursor(binary=True) as cursor:
            return cursor.execute(sql, arguments, prepare=True).fetchall()

    return ask


def _in_seconds(row: tuple[int, datetime, datetime]) -> tuple[int, int, int]:
    """As our own search says it."""
    return row[0], int(row[1].timestamp()), int(row[2].timestamp())


def _agree(found: list[Any], expected: list[Any], rival: str) -> None:
    if found != expected:
        raise AssertionError(f"{rival}: {len(found)} answers, ours {len(expected)}")


def _instants(count: int) -> list[datetime]:
    """Odd instants all over the loaded years."""
    years = timedelta(minutes=180) * (BOOKINGS // SPACES) - DAYS - timedelta(days=30)
    found = (FIRST + timedelta(days=20) + years * ((n * 0.618034) % 1) for n in range(count))
    return [instant.replace(microsecond=0) for instant in found]


def _compare(what: str, ours: Ask, by_hand: dict[str, Ask]) -> dict[str, Any]:
    """Times in turns, so that a busy machine is as busy for all."""
    times: dict[str, list[float]] = {name: [] for name in ("ours", *by_hand)}
    for since in _instants(ROUNDS):
        for name, ask in {"ours": ours, **by_hand}.items():
            start = time.perf_counter()
            ask(since)
            times[name].append((time.perf_counter() - start) * 1000)
    p50, p95 = ({name: _at(times[name], q) for name in times} for q in (0.5, 0.95))
    best = min(by_hand, key=lambda name: p95[name])
    ratio = rig.ratio(p95["ours"], p95[best])
    return {
        "name": f"free slots: {what}, {SPACES} spaces, {BOOKINGS:,} bookings, 14 days, p95;"
        f" best by hand: {best}; p50 {p50['ours']} / {p50[best]}",
        "ours": p95["ours"],
        "limit": p95[best],
        "ratio": ratio,
        "target": TARGET,
        "kept": ratio <= TARGET,
        "unit": "ms",
        "p50_ms": p50,
        "p95_ms": p95,
    }


def _at(values: list[float], quantile: float) -> float:
    return round(sorted(values)[int(len(values) * quantile)], 2)


def _figures() -> list[dict[str, Any]]:
    """The whole report of a month and of a year, against reading each booking once."""
    from django.db import connection

    from booking import reporting

    def scan() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT status, count(*), avg(ends_at - starts_at) FROM booking_booking"
                           " GROUP BY status")  # fmt: skip
            cursor.fetchall()

    limit = _seconds(scan)
    periods = [
        ("a month", date(2022, 3, 1), date(2022, 4, 1), 5),
        ("a year", date(2022, 1, 1), date(2023, 1, 1), 2),
    ]
    results = []
    for what, first, last, rounds in periods:
        ours = min(
            _seconds(lambda first=first, last=last: reporting.booking_figures(  # type: ignore[misc]
                first=first, last=last, by="month", aggregate=False,
                now=datetime(2031, 1, 1, tzinfo=UTC)))
            for _ in range(rounds)
        )  # fmt: skip
        results.append({
            "name": f"KPI figures of {what}, {BOOKINGS:,} bookings, against one look at each",
            "ours": round(ours, 3), "limit": round(limit, 3), "ratio": rig.ratio(ours, limit),
            "unit": "s",
        })  # fmt: skip
    return results


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.stdout.write(f"{json.dumps(measure(), ensure_ascii=False)}\n")
