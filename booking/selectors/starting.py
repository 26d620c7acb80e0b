"""Free time by space: which units are free for a window, and the next starts that fit.

Both walk the covering index `allocation_by_start` once per unit. Active blocks of a unit never
overlap (allocation_no_overlap), so they are in order by start *and* by end: the last one that
starts before an instant is the only one that may still run at it, however long it is.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
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
    SELECT * FROM unnest(%(spaces)s::bigint[], %(units)s::int[], %(befores)s::interval[],
                         %(afters)s::interval[], %(lengths)s::interval[], %(steps)s::interval[])
        AS a (space_id, unit, before, after, length, step)
)
"""
LIVE = "active AND space_id = a.space_id AND unit = a.unit"
NOT_EXPIRED = "(expires_at IS NULL OR expires_at > %(now)s)"
# The grid begins anew at each midnight in Shanghai, which has no summer time.
_DAY = "date_bin('1 day', {at} - interval '1 us', '2000-01-01 00:00:00+08')"
_ON_GRID = (
    f"least(date_bin(a.step, {{at}} - interval '1 us', {_DAY}) + a.step,"
    f" {_DAY} + interval '1 day')"
)

_RUNS = f"""{ASKED}
SELECT a.space_id, gap.first, gap.latest
  FROM asked a CROSS JOIN LATERAL (
    SELECT {_ON_GRID.format(at="g.since")} AS first, g.latest
      FROM (
        SELECT lower(block) AS at,
               greatest(%(since)s, lag(upper(block)) OVER (ORDER BY lower(block)) + a.before)
                   AS since,
               least(lower(block) - a.after - a.length, %(last)s) AS latest
          FROM booking_allocation
         WHERE {LIVE} AND {NOT_EXPIRED}
           AND lower(block) < %(until)s + a.length + a.after
           AND lower(block) >= coalesce((
               SELECT lower(block) FROM booking_allocation
                WHERE {LIVE} AND lower(block) <= %(since)s - a.before
                ORDER BY lower(block) DESC LIMIT 1), '-infinity')
      ) g
     WHERE {_ON_GRID.format(at="g.since")} <= g.latest
     ORDER BY g.at LIMIT %(limit)s
  ) gap
UNION ALL
SELECT a.space_id, rest.first, %(last)s
  FROM asked a CROSS JOIN LATERAL (
    SELECT {_ON_GRID.format(at="g.since")} AS first
      FROM (SELECT greatest(%(since)s, a.before + (
               SELECT upper(block) FROM booking_allocation
                WHERE {LIVE} AND {NOT_EXPIRED}
                  AND lower(block) < %(until)s + a.length + a.after
                ORDER BY lower(block) DESC LIMIT 1)) AS since OFFSET 0) g
  ) rest
 WHERE rest.first <= %(last)s
"""  # noqa: S608 - our own texts

_FREE = f"""{ASKED}
SELECT a.space_id, a.unit
  FROM asked a
 WHERE coalesce((
        SELECT upper(block) FROM booking_allocation
         WHERE {LIVE} AND {NOT_EXPIRED} AND lower(block) < %(until)s + a.after
         ORDER BY lower(block) DESC LIMIT 1
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
    found = runs(spaces=spaces, search=search, now=now, length_of=lambda s: _sold(s, search))
    return {space.pk: _spans(space, found[space.pk], search) for space in spaces}


def _sold(space: Space, search: Search) -> timedelta:
    wished = -(-search.length // timedelta(minutes=1))
    kind = space.type
    return timedelta(
        minutes=starting.sellable_min(wished, min_min=kind.min_min, step_min=kind.slot_min)
    )


def _spans(space: Space, found: Iterable[Run], search: Search) -> list[Span]:
    length = _sold(space, search)
    every = starting.starts(found, units=search.units, step_min=space.type.slot_min)
    return [Span(start, start + length) for start in islice(every, search.limit)]


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
    arguments = units_asked(spaces, length_of or (lambda _: search.length)) | {
        "since": since,
        "until": search.until,
        "last": search.until - timedelta(microseconds=1),
        "limit": search.limit if search.units == 1 else None,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RUNS, arguments)
        for space_id, first, latest in cursor.fetchall():
            found[space_id].append(Run(first, latest))
    return found


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
    """The arguments of `asked`: one row per unit of the spaces."""
    rows = [(space, unit, _margins(space)) for space in spaces for unit in units_of(space)]
    return {
        "spaces": [space.pk for space, _, _ in rows],
        "units": [unit for _, unit, _ in rows],
        "befores": [before for _, _, (before, _) in rows],
        "afters": [after for _, _, (_, after) in rows],
        "lengths": [length_of(space) for space, _, _ in rows],
        "steps": [timedelta(minutes=space.type.slot_min) for space, _, _ in rows],
    }


_HOUR = Span(datetime.fromisoformat("2000-01-01T00Z"), datetime.fromisoformat("2000-01-01T01Z"))


def _margins(space: Space) -> tuple[timedelta, timedelta]:
    """What a block takes before and after its booking."""
    block = buffers(space).block(_HOUR)
    return _HOUR.start - block.start, block.end - _HOUR.end
