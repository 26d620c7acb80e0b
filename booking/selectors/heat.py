"""How much of some spaces is free in each band or hour of each day; nobody's data in it."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from base_ops.core import statements
from base_ops.core.models import Space
from base_ops.core.spans import Span
from booking.selectors.asking import ASKED, LIVE, NOT_EXPIRED, columns
from booking.selectors.opening import OPENING, Openings, Part

HOURS = tuple(Part(60 * hour, 60 * hour + 60) for hour in range(24))

# Each block is cut by days first and then by what is open on the day, by the parts of the day.
_TAKEN = f"""
WITH asked AS MATERIALIZED (
    SELECT space_id, unit, (%(hours)s::int[])[sort] AS hours FROM {ASKED}
), {OPENING}
SELECT piece.day, o.part, sum(extract(epoch FROM
           least(piece.until, piece.midnight + o.until)
           - greatest(piece.since, piece.midnight + o.since)))
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
  JOIN opening o ON o.hours = a.hours AND o.day = piece.day
   AND piece.midnight + o.since < piece.until AND piece.midnight + o.until > piece.since
 WHERE taken.since < taken.until
 GROUP BY 1, 2
"""  # noqa: S608 - our own texts


def taken_minutes(
    *, spaces: Sequence[Space], month: Span, opened: Openings, now: datetime
) -> dict[tuple[int, int], int]:
    """Taken minutes, buffers included, by (day from 0, part from 0); one query.

    Only what is taken while the space is open; the minutes of all units are added up; a day and
    part without any is left out. Cancelled bookings and expired holds take nothing, leases and
    blackouts do.
    """
    asked = columns(((space, (opened.hours_of[space.id],)) for space in spaces), ["hours"])
    period = {"from": month.start, "to": month.end, "now": now}
    rows = statements.rows(_TAKEN, asked | opened.arguments() | period)
    return {(day, part): round(seconds / 60) for day, part, seconds in rows}


def days_of(first: date, last: date) -> list[date]:
    """Every day from `first` on, before `last`."""
    return [first + timedelta(days=n) for n in range((last - first).days)]
