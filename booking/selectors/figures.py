"""Figures of bookings, each as one set-based query over the days [first, last)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from django.db import connection

from base_ops.core.models import Space
from booking.selectors.finding import bookable_spaces
from booking.selectors.heat import days_of
from booking.selectors.opening import OPENING, Openings, Part, openings

SHANGHAI = ZoneInfo("Asia/Shanghai")
By = Literal["total", "day", "week", "month", "space_type"]
# No booking is longer than 31 days (api.common.span_of) and some overtime: what starts earlier
# than this before the period does not reach into it.
LONGEST = timedelta(days=33)
BOOKED = ("confirmed", "checked_in", "completed", "no_show")

_GROUP: dict[str, str] = {
    "total": "''",
    "day": "to_char({day}::timestamp, 'YYYY-MM-DD')",
    "week": "to_char(date_trunc('week', {day}::timestamp), 'YYYY-MM-DD')",
    "month": "to_char({day}::timestamp, 'YYYY-MM')",
    "space_type": "kind.code",
}
_USED_FROM = "greatest(b.starts_at, b.checked_in_at)"
_USED_TO = "coalesce(b.ended_at, least(%(now)s, coalesce(b.overtime_until, b.ends_at)))"
_IN_PERIOD = "b.starts_at >= %(from)s AND b.starts_at < %(to)s"
_OF_SPACE = (
    "JOIN core_space space ON space.id = {of}.space_id AND space.bookable"
    " JOIN core_spacetype kind ON kind.id = space.type_id"
)

# Spans are clipped to the period, cut by Shanghai days and then by what is open on the day.
_CUT = """
 CROSS JOIN LATERAL (
    SELECT span.what, span.since, span.until, day, %(from)s + day * interval '24 hours' AS midnight
      FROM generate_series(
           floor(extract(epoch FROM span.since - %(from)s) / 86400)::int,
           ceil(extract(epoch FROM span.until - %(from)s) / 86400)::int - 1) AS day
 ) piece
  JOIN unnest(%(spaces)s::bigint[], %(hours)s::int[]) AS own (space_id, hours)
    ON own.space_id = space.id
  JOIN opening o ON o.hours = own.hours AND o.day = piece.day
   AND piece.midnight + o.since < piece.until AND piece.midnight + o.until > piece.since
"""
_SECONDS = (
    "sum(extract(epoch FROM least(piece.until, piece.midnight + o.until)"
    " - greatest(piece.since, piece.midnight + o.since)) * {weight})"
)

# What a booking takes: its room from check-in on, and spaces beside it for as long as they were
# booked, up to the end. These lie within a day of it.
_TOOK = """
(SELECT b.id, b.tenant_id, b.space_id, b.units, b.starts_at, b.ends_at,
        CASE WHEN b.checked_in_at IS NOT NULL THEN {used_from} END AS used_from,
        {used_to} AS used_to
   FROM booking_booking b
  WHERE b.status = ANY(%(booked)s)
    AND b.starts_at < %(to)s AND b.starts_at > %(from)s - %(longest)s
  UNION ALL
 SELECT b.id, b.tenant_id, p.space_id, p.quantity, p.starts_at, p.ends_at,
        CASE WHEN b.checked_in_at IS NOT NULL THEN p.starts_at END,
        least(p.ends_at, coalesce(b.ended_at, %(now)s))
   FROM booking_booking b JOIN booking_bookingpart p ON p.booking_id = b.id
  WHERE b.status = ANY(%(booked)s) AND b.part_count > 0 AND p.space_id IS NOT NULL
    AND b.starts_at < %(to)s + interval '1 day'
    AND b.starts_at > %(from)s - %(longest)s - interval '1 day') b
"""

_TIMES = """
WITH {opening}
SELECT "group", part, what, sum(seconds), array_agg(tenant_id) FROM (
SELECT {group} AS "group", o.part, piece.what, b.tenant_id, {seconds} AS seconds
  FROM {took} {space}
 CROSS JOIN LATERAL (
    SELECT what, greatest(since, %(from)s) AS since, least(until, %(to)s) AS until
      FROM (VALUES ('booked', b.starts_at, b.ends_at),
                   ('used', b.used_from, b.used_to)) AS v (what, since, until)
     WHERE v.since < v.until AND v.since < %(to)s AND v.until > %(from)s
 ) span {cut}
 GROUP BY 1, 2, 3, 4
) by_tenant GROUP BY 1, 2, 3
"""

_CLOSED = """
WITH {opening}
SELECT {group}, o.part, {seconds}
  FROM booking_allocation a {space}
 CROSS JOIN LATERAL (
    SELECT 'closed' AS what, greatest(lower(a.block), %(from)s) AS since,
           least(upper(a.block), %(to)s) AS until
 ) span {cut}
 WHERE a.active AND a.kind IN ('blackout', 'lease')
   AND a.block && tstzrange(%(from)s, %(to)s)
 GROUP BY 1, 2
"""

_COUNTS = """
SELECT {group} AS "group", array_agg(DISTINCT b.tenant_id),
       count(*) FILTER (WHERE b.status = 'completed'),
       count(*) FILTER (WHERE b.status = 'no_show'),
       count(*) FILTER (WHERE b.status = 'cancelled' AND b.confirmed_at IS NOT NULL),
       count(*) FILTER (WHERE b.status = ANY(%(booked)s)),
       coalesce(sum(extract(epoch FROM b.ends_at - b.starts_at) / 60)
           FILTER (WHERE b.status = ANY(%(booked)s)), 0),
       count(*) FILTER (WHERE {leads}),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY {lead_h}) FILTER (WHERE {leads}),
       percentile_cont(0.9) WITHIN GROUP (ORDER BY {lead_h}) FILTER (WHERE {leads})
  FROM booking_booking b {space}
 WHERE {in_period}
   AND (b.status = ANY(%(booked)s) OR b.status = 'cancelled' AND b.confirmed_at IS NOT NULL)
 GROUP BY 1
"""

_COVERED = """
SELECT what, count(DISTINCT b.id), array_agg(DISTINCT b.tenant_id)
  FROM {took} {space}
 CROSS JOIN LATERAL (
    VALUES ('booked', b.starts_at, b.ends_at), ('used', b.used_from, b.used_to)
 ) AS v (what, since, until)
 WHERE v.since < v.until AND v.since < %(to)s AND v.until > %(from)s
 GROUP BY 1
"""

_SESSIONS = """
SELECT kind.code, tenant.category, count(*),
       sum(greatest(extract(epoch FROM {used_to} - {used_from}), 0)),
       array_agg(DISTINCT b.tenant_id)
  FROM booking_booking b {space} JOIN core_tenant tenant ON tenant.id = b.tenant_id
 WHERE {in_period} AND b.checked_in_at IS NOT NULL
   AND b.status IN ('checked_in', 'completed')
 GROUP BY 1, 2
"""

_REFUSALS = """
SELECT rule, space_type, sum(count) FROM booking_refusalcount
 WHERE day >= %(first)s AND day < %(last)s GROUP BY 1, 2 ORDER BY 1, 2
"""


@dataclass(slots=True)
class Use:
    """One part of the day in one group: minutes of all units together."""

    open_min: float = 0
    used_min: float = 0
    booked_min: float = 0
    used_tenants: frozenset[int] = frozenset()
    booked_tenants: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Count:
    """The bookings of one group that start in the period, and how long ahead they were made."""

    tenants: frozenset[int] = frozenset()
    completed: int = 0
    no_show: int = 0
    cancelled: int = 0
    booked: int = 0
    booked_min: float = 0
    leads: int = 0
    lead_median_h: float | None = None
    lead_p90_h: float | None = None


@dataclass(frozen=True, slots=True)
class Sessions:
    """What tenants of one category used of one type of space."""

    space_type: str
    category: str
    sessions: int
    hours: float
    tenants: frozenset[int]


@dataclass(frozen=True, slots=True)
class Period:
    """The days [first, last) in Shanghai, how they are grouped, and the parts of a day."""

    first: date
    last: date
    by: By
    parts: Sequence[Part] = field(default_factory=tuple)

    @property
    def arguments(self) -> dict[str, Any]:
        """For the queries."""
        return {
            "first": self.first,
            "last": self.last,
            "from": _midnight(self.first),
            "to": _midnight(self.last),
            "booked": list(BOOKED),
            "longest": LONGEST,
        }

    def group_of(self, day: date) -> str:
        """The group of a day, where the groups are of time."""
        match self.by:
            case "day":
                return day.isoformat()
            case "week":
                return (day - timedelta(days=day.weekday())).isoformat()
            case "month":
                return f"{day:%Y-%m}"
            case _:
                return ""


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).astimezone(UTC)


def _rows(
    sql: str,
    period: Period,
    *,
    now: datetime,
    day: str = "",
    opened: Mapping[str, Sequence[int]] | None = None,
) -> list[tuple[Any, ...]]:
    text = sql.format(
        opening=OPENING,
        took=_TOOK.format(used_from=_USED_FROM, used_to=_USED_TO),
        group=_GROUP[period.by].format(day=day),
        space=_OF_SPACE.format(of="a" if "booking_allocation" in sql else "b"),
        seconds=_SECONDS.format(weight="1" if "booking_allocation" in sql else "b.units"),
        cut=_CUT,
        used_from=_USED_FROM,
        used_to=_USED_TO,
        in_period=_IN_PERIOD,
        leads="b.confirmed_at IS NOT NULL AND b.created_at <= b.starts_at",
        lead_h="extract(epoch FROM b.starts_at - b.created_at)::float8 / 3600",
    )
    with connection.cursor() as cursor:
        cursor.execute(text, period.arguments | {"now": now} | dict(opened or {}))
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


_PIECE_DAY = "(%(first)s::date + piece.day)"
_START_DAY = "(b.starts_at AT TIME ZONE 'Asia/Shanghai')"


def uses(period: Period, *, now: datetime) -> dict[tuple[str, int], Use]:
    """Open, booked and used minutes by (group, part from 0), while open: four queries."""
    spaces = bookable_spaces()
    days = days_of(period.first, period.last)
    opening = openings(spaces=spaces, days=days, parts=period.parts)
    asked = opening.arguments() | {
        "spaces": [space.id for space in spaces],
        "hours": [opening.hours_of[space.id] for space in spaces],
    }
    found = _opened(period, spaces, opening)
    for group, part, seconds in _rows(_CLOSED, period, now=now, day=_PIECE_DAY, opened=asked):
        found[group, part].open_min -= float(seconds) / 60
    rows = _rows(_TIMES, period, now=now, day=_PIECE_DAY, opened=asked)
    for group, part, what, seconds, tenants in rows:
        use = found[group, part]
        if what == "used":
            use.used_min, use.used_tenants = float(seconds) / 60, frozenset(tenants)
        else:
            use.booked_min, use.booked_tenants = float(seconds) / 60, frozenset(tenants)
    return found


def covered(period: Period, *, now: datetime) -> dict[str, tuple[int, frozenset[int]]]:
    """How many bookings, and of whom, "booked" and "used" minutes stand on; one query."""
    return {
        what: (int(count), frozenset(tenants))
        for what, count, tenants in _rows(_COVERED, period, now=now)
    }


def _opened(
    period: Period, spaces: Sequence[Space], opening: Openings
) -> dict[tuple[str, int], Use]:
    """All open minutes of the bookable spaces; none is as good as said of a part that is shut."""
    kinds: dict[str, list[Space]] = {"": list(spaces)}
    if period.by == "space_type":
        kinds = {}
        for space in spaces:
            kinds.setdefault(space.type.code, []).append(space)
    days = days_of(period.first, period.last)
    found: dict[tuple[str, int], Use] = {}
    for kind, members in kinds.items():
        for group in dict.fromkeys(kind or period.group_of(day) for day in days):
            for part in range(len(period.parts)):
                found[group, part] = Use()
        for (n, part), minutes in opening.minutes(members).items():
            found[kind or period.group_of(days[n]), part].open_min += minutes
    return found


def counts(period: Period, *, now: datetime) -> dict[str, Count]:
    """Bookings that start in the period, by group; one query."""
    found = {}
    for group, tenants, done, missed, cancelled, booked, minutes, leads, median, p90 in _rows(
        _COUNTS, period, now=now, day=_START_DAY
    ):
        found[group] = Count(
            frozenset(tenants), done, missed, cancelled, booked, float(minutes), leads, median, p90
        )
    return found


def sessions(period: Period, *, now: datetime) -> list[Sessions]:
    """Sessions by space type and tenant category, whatever the grouping; one query."""
    return [
        Sessions(kind, category, count, float(seconds) / 3600, frozenset(tenants))
        for kind, category, count, seconds, tenants in sorted(_rows(_SESSIONS, period, now=now))
    ]


def refusals(period: Period, *, now: datetime) -> list[tuple[str, str, int]]:
    """(rule, space type, how often); one query."""
    return [(rule, kind, int(n)) for rule, kind, n in _rows(_REFUSALS, period, now=now)]
