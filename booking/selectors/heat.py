"""How much of some spaces is free in each band or hour of each day; nobody's data in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from base_ops.core import statements
from base_ops.core.models import Space
from base_ops.core.spans import Span
from booking.selectors.asking import LIVE, NOT_EXPIRED, UNITS, units_asked

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of each day, [from_min, to_min) in minutes after local midnight."""

    from_min: int
    to_min: int


HOURS = tuple(Part(60 * hour, 60 * hour + 60) for hour in range(24))

# Each block is cut by days first and then by the parts of the day, never by parts that it misses.
_TAKEN = f"""{UNITS}
SELECT piece.day, part.no, sum(extract(epoch FROM
           least(piece.until, piece.midnight + part.until)
           - greatest(piece.since, piece.midnight + part.since)))
  FROM asked a
 CROSS JOIN LATERAL (
    SELECT greatest(starts_at, %(from)s) AS since, least(ends_at, %(to)s) AS until
      FROM booking_allocation
     WHERE {LIVE} AND {NOT_EXPIRED} AND starts_at < %(to)s
       AND starts_at >= coalesce((
           SELECT starts_at FROM booking_allocation
            WHERE {LIVE} AND starts_at <= %(from)s
            ORDER BY starts_at DESC LIMIT 1), '-infinity')
 ) taken
 CROSS JOIN LATERAL (
    SELECT day, %(from)s + day * interval '24 hours' AS midnight, taken.since, taken.until
      FROM generate_series(
           floor(extract(epoch FROM taken.since - %(from)s) / 86400)::int,
           ceil(extract(epoch FROM taken.until - %(from)s) / 86400)::int - 1) AS day
 ) piece
  JOIN unnest(%(sinces)s::interval[], %(untils)s::interval[])
       WITH ORDINALITY AS part (since, until, no)
    ON piece.midnight + part.since < piece.until AND piece.midnight + part.until > piece.since
 WHERE taken.since < taken.until
 GROUP BY 1, 2
"""  # noqa: S608 - our own texts


def taken_minutes(
    *, spaces: Sequence[Space], month: Span, parts: Sequence[Part], now: datetime
) -> dict[tuple[int, int], int]:
    """Taken minutes, buffers included, by (day from 0, part from 0); one query.

    The minutes of all units are added up; a day and part without any is left out. Cancelled
    bookings and expired holds take nothing, leases and blackouts do.
    """
    arguments = units_asked(spaces) | {
        "from": month.start,
        "to": month.end,
        "sinces": [part.from_min * MINUTE for part in parts],
        "untils": [part.to_min * MINUTE for part in parts],
        "now": now,
    }
    rows = statements.rows(_TAKEN, arguments)
    return {(day, no - 1): round(seconds / 60) for day, no, seconds in rows}


def days_of(first: date, last: date) -> list[date]:
    """Every day from `first` on, before `last`."""
    return [first + timedelta(days=n) for n in range((last - first).days)]
