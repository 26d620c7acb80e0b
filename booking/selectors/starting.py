"""Free time by space: which units are free for a window, and the next starts that fit.

Both walk the covering index `allocation_by_start` once per unit. Active blocks of a unit never
overlap (allocation_no_overlap), so they are in order by start *and* by end: the last one that
starts before an instant is the only one that may still run at it, however long it is.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from math import gcd
from typing import Any

from django.db import connection

from base_ops.core.models import Space
from base_ops.core.spans import Span
from booking.domain import starting
from booking.domain.starting import Run
from booking.selectors.taking import buffers, units_of

HORIZON = timedelta(days=14)

ASKED = """
WITH asked AS MATERIALIZED (
    SELECT space_id, unit, before_s * interval '1 s' AS before, after_s * interval '1 s' AS after,
           (after_s + length_s) * interval '1 s' AS rest, step_s * interval '1 s' AS step,
           step_s * interval '1 s' - interval '1 us' AS nudge
      FROM unnest(%(spaces)s::bigint[], %(units)s::int[], %(befores)s::float8[],
                  %(afters)s::float8[], %(lengths)s::float8[], %(steps)s::float8[])
        AS a (space_id, unit, before_s, after_s, length_s, step_s)
)
"""
LIVE = "active AND space_id = a.space_id AND unit = a.unit"
NOT_EXPIRED = "(expires_at IS NULL OR expires_at > %(now)s)"
# The grid counts from midnight in Shanghai, which has no summer time.
_ON_GRID = "date_bin(a.step, since + a.nudge, '2000-01-01 00:00:00+08')"
# Whole seconds reach Python ten times faster than instants; what is on the grid is a whole minute.
_OUT = (
    "SELECT a.space_id, date_part('epoch', gap.first)::bigint,"
    " floor(date_part('epoch', gap.latest))::bigint"
)

# Each OFFSET 0 keeps what is computed below it from being computed again above it.
_RUNS = f"""{ASKED}, seen AS MATERIALIZED (
    SELECT a.*, running.starts_at AS scan_from, running.live
      FROM asked a LEFT JOIN LATERAL (
        SELECT starts_at, {NOT_EXPIRED} AS live FROM booking_allocation
         WHERE {LIVE} AND starts_at <= %(since)s - a.before ORDER BY starts_at DESC LIMIT 1
      ) running ON true
)
{_OUT} FROM seen a CROSS JOIN LATERAL (
    SELECT first, latest FROM (
        SELECT at, {_ON_GRID} AS first, latest FROM (
            SELECT starts_at AS at, greatest(%(since)s, ends_at + a.before) AS since,
                   least(lead(starts_at, 1, 'infinity') OVER (ORDER BY starts_at) - a.rest,
                         %(last)s) AS latest
              FROM booking_allocation
             WHERE {LIVE} AND {NOT_EXPIRED} AND starts_at < %(until)s + a.rest
               AND starts_at >= coalesce(a.scan_from, '-infinity')
            ) g
         WHERE since <= latest ORDER BY at OFFSET 0) g
     WHERE first <= latest ORDER BY at LIMIT %(limit)s
) gap
UNION ALL
{_OUT} FROM seen a CROSS JOIN LATERAL (
    SELECT first, latest FROM (
        SELECT {_ON_GRID} AS first, latest FROM (
            SELECT %(since)s::timestamptz AS since, least(%(last)s::timestamptz, (
                   SELECT starts_at FROM booking_allocation
                    WHERE {LIVE} AND {NOT_EXPIRED} AND starts_at > %(since)s - a.before
                    ORDER BY starts_at LIMIT 1) - a.rest) AS latest
            ) g
        OFFSET 0) g
     WHERE first <= latest
) gap
 WHERE a.live IS NOT TRUE
"""  # noqa: S608 - our own texts

_FREE = f"""{ASKED}
SELECT a.space_id, a.unit
  FROM asked a
 WHERE coalesce((
        SELECT ends_at FROM booking_allocation
         WHERE {LIVE} AND {NOT_EXPIRED} AND starts_at < %(until)s + a.after
         ORDER BY starts_at DESC LIMIT 1
       ) <= %(since)s - a.before, true)
"""  # noqa: S608 - our own texts


@dataclass(frozen=True, slots=True)
class Search:
    """Starts in [since, until) of bookings of a length, for so many units at once."""

    since: datetime
    until: datetime
    length: timedelta
    units: int = 1
    limit: int | None = None


def next_starts(
    *, spaces: Sequence[Space], search: Search, now: datetime
) -> dict[int, list[Span]]:
    """The first free times by space id, on each space's grid and with its buffers; one query.

    A space sells the length not under its minimum and in whole steps, so a time may be longer
    than was wished. Nothing starts before `now`.
    """
    lengths = {space.pk: _sold(space, search) for space in spaces}
    found = runs(spaces=spaces, search=search, now=now, length_of=lambda s: lengths[s.pk])
    return {
        space.pk: _spans(space, found[space.pk], search, lengths[space.pk]) for space in spaces
    }


def _sold(space: Space, search: Search) -> timedelta:
    wished = -(-search.length // timedelta(minutes=1))
    kind = space.type
    return timedelta(
        minutes=starting.sellable_min(wished, min_min=kind.min_min, step_min=kind.slot_min)
    )


def _spans(space: Space, found: Iterable[Run], search: Search, length: timedelta) -> list[Span]:
    every = starting.starts(found, units=search.units, step_min=space.type.slot_min)
    return [Span(start, start + length) for start in map(instant, islice(every, search.limit))]


def runs(
    *,
    spaces: Sequence[Space],
    search: Search,
    now: datetime,
    length_of: Callable[[Space], timedelta] | None = None,
) -> defaultdict[int, list[Run]]:
    """Where single units are free for the search, by space id; one query.

    With a limit and one unit wished, only as many runs per unit as can matter.
    """
    since = max(search.since, now)
    found: defaultdict[int, list[Run]] = defaultdict(list)
    if since >= search.until:
        return found
    uneven = [space for space in spaces if starting.DAY_MIN % space.type.slot_min]
    arguments = units_asked(spaces, length_of or (lambda _: search.length)) | {
        "since": since,
        "until": search.until,
        "last": search.until - timedelta(microseconds=1),
        "limit": search.limit if search.units == 1 and not uneven else None,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RUNS, arguments)
        for space_id, first, latest in cursor.fetchall():
            found[space_id].append(Run(first, latest))
    for space in uneven:
        found[space.pk] = starting.aligned(found[space.pk], space.type.slot_min)
    return found


def instant(seconds: int) -> datetime:
    """The instant so many seconds after 1970 began."""
    return datetime.fromtimestamp(seconds, UTC)


def free_units_of(
    *, spaces: Sequence[Space], span: Span, now: datetime
) -> Mapping[int, list[int]]:
    """The units that nothing takes for a booking of `span`, by space id; one query."""
    arguments = units_asked(spaces, lambda _: span.length)
    found: dict[int, list[int]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_FREE, arguments | {"since": span.start, "until": span.end, "now": now})
        for space_id, unit in cursor.fetchall():
            found[space_id].append(unit)
    return found


def units_asked(
    spaces: Sequence[Space], length_of: Callable[[Space], timedelta] = lambda _: timedelta(0)
) -> dict[str, Any]:
    """The arguments of `asked`: one row per unit of the spaces; times in seconds."""
    rows: list[tuple[int, int, float, float, float, int]] = []
    for space in spaces:
        around = buffers(space)
        before_s, after_s = around.before.total_seconds(), around.after.total_seconds()
        length_s = length_of(space).total_seconds()
        step_s = 60 * gcd(space.type.slot_min, starting.DAY_MIN)
        rows += [(space.pk, unit, before_s, after_s, length_s, step_s) for unit in units_of(space)]
    names = ("spaces", "units", "befores", "afters", "lengths", "steps")
    columns = zip(*rows, strict=True) if rows else ((),) * len(names)
    return {name: _array(column) for name, column in zip(names, columns, strict=True)}


def _array(numbers: Iterable[float]) -> str:
    """An array as PostgreSQL reads it: the driver takes ten times longer over each number."""
    return "{" + ",".join(map(str, numbers)) + "}"
