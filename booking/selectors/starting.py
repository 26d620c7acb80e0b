"""Free time by space: which units are free for a window, and the next starts that fit.

Both walk the covering index `allocation_by_start` once per unit. Active blocks of a unit never
overlap (allocation_no_overlap), so they are in order by start *and* by end: the last one that
starts before an instant is the only one that may still run at it, however long it is.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, repeat
from math import ceil, floor, gcd

from base_ops.core import statements
from base_ops.core.models import Space
from base_ops.core.spans import Span
from booking.domain import starting
from booking.domain.rulebook import Sale
from booking.domain.starting import Run
from booking.selectors.asking import ASKED, LIVE, NOT_EXPIRED, UNITS, columns, units_asked

_SOLD = f"""
WITH asked AS MATERIALIZED (
    SELECT space_id, unit, before_s * interval '1 s' AS before,
           (after_s + length_s) * interval '1 s' AS rest, step_s * interval '1 s' AS step,
           step_s * interval '1 s' - interval '1 us' AS nudge,
           to_timestamp(since_s) AS first, to_timestamp(last_s) AS last, most
      FROM {ASKED}
      JOIN unnest(%(befores)s::bigint[], %(afters)s::bigint[], %(lengths)s::bigint[],
                  %(steps)s::bigint[], %(sinces)s::bigint[], %(lasts)s::bigint[],
                  %(mosts)s::bigint[])
           WITH ORDINALITY AS s (before_s, after_s, length_s, step_s, since_s, last_s, most, no)
        ON s.no = a.sort
)
"""  # noqa: S608 - our own texts
_MORE = ("lengths", "steps", "sinces", "lasts", "mosts")
# The grid counts from midnight in Shanghai, which has no summer time.
_ON_GRID = "date_bin(a.step, since + a.nudge, '2000-01-01 00:00:00+08')"
# Whole seconds reach Python ten times faster than instants, and the gaps of a unit as two arrays
# faster than as rows; what is on the grid is a whole minute.
_OUT = (
    "SELECT a.space_id, gap.firsts, gap.lasts FROM seen a CROSS JOIN LATERAL ("
    "SELECT array_agg(date_part('epoch', first)::bigint) AS firsts,"
    " array_agg(floor(date_part('epoch', latest))::bigint) AS lasts FROM"
)

# Each OFFSET 0 keeps what is computed below it from being computed again above it.
_RUNS = f"""{_SOLD}, seen AS MATERIALIZED (
    SELECT a.*, running.starts_at AS scan_from, running.live
      FROM asked a LEFT JOIN LATERAL (
        SELECT starts_at, {NOT_EXPIRED} AS live FROM booking_allocation
         WHERE {LIVE} AND starts_at <= a.first - a.before ORDER BY starts_at DESC LIMIT 1
      ) running ON true
)
{_OUT} (
    SELECT first, latest FROM (
        SELECT at, {_ON_GRID} AS first, latest FROM (
            SELECT starts_at AS at, greatest(a.first, ends_at + a.before) AS since,
                   least(lead(starts_at, 1, 'infinity') OVER (ORDER BY starts_at) - a.rest,
                         a.last) AS latest
              FROM booking_allocation
             WHERE {LIVE} AND {NOT_EXPIRED} AND starts_at < a.last + a.rest
               AND starts_at >= coalesce(a.scan_from, '-infinity')
            ) g
         WHERE since <= latest ORDER BY at OFFSET 0) g
     WHERE first <= latest ORDER BY at LIMIT a.most
) g) gap WHERE gap.firsts IS NOT NULL
UNION ALL
{_OUT} (
    SELECT first, latest FROM (
        SELECT {_ON_GRID} AS first, latest FROM (
            SELECT a.first AS since, least(a.last, (
                   SELECT starts_at FROM booking_allocation
                    WHERE {LIVE} AND {NOT_EXPIRED} AND starts_at > a.first - a.before
                    ORDER BY starts_at LIMIT 1) - a.rest) AS latest
            ) g
        OFFSET 0) g
     WHERE first <= latest
) g) gap
 WHERE a.live IS NOT TRUE AND gap.firsts IS NOT NULL
"""  # noqa: S608 - our own texts

_FREE = f"""{UNITS}
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

    @property
    def minutes(self) -> int:
        """The length in minutes that have begun."""
        return -(-self.length // timedelta(minutes=1))


@dataclass(frozen=True, slots=True)
class _Wish:
    """A search as one sale sees it: starts from `since_s` to `last_s`, both in."""

    sale: Sale
    length: timedelta
    since_s: int
    last_s: int
    most: int | None

    @classmethod
    def of(cls, search: Search, sale: Sale, *, now: datetime) -> "_Wish | None":
        """None where nothing can be sold."""
        minutes = sale.length(search.minutes)
        if minutes is None:
            return None
        length = timedelta(minutes=minutes)
        last = search.until - timedelta(microseconds=1)
        if (horizon := sale.latest(length, now=now)) is not None:
            last = min(last, horizon)
        since_s = ceil(max(search.since, now + sale.notice).timestamp())
        last_s = floor(last.timestamp())
        if since_s > last_s:
            return None
        even = sale.any_start and not starting.DAY_MIN % sale.step_min
        return cls(
            sale, length, since_s, last_s, search.limit if even and search.units == 1 else None
        )

    @property
    def row(self) -> tuple[int, int, int, int, int | str]:
        """Length, step, first and last start in seconds, and how many gaps are enough."""
        step_s = 60 * gcd(self.sale.step_min, starting.DAY_MIN)
        most = "NULL" if self.most is None else self.most
        return int(self.length.total_seconds()), step_s, self.since_s, self.last_s, most

    def kept(self) -> Callable[[list[Run]], list[Run]] | None:
        """What leaves of the gaps those that the sale allows; None: all of them."""
        step_min = self.sale.step_min
        if self.sale.any_start:
            if starting.DAY_MIN % step_min:
                return lambda found: starting.aligned(found, step_min)
            return None
        window = Span(instant(self.since_s), instant(self.last_s + 1))
        allowed = self.sale.starts(window, self.length)
        return lambda found: starting.aligned(starting.within(found, allowed), step_min)


@dataclass(frozen=True, slots=True)
class Offers:
    """Starts of free times that all have one length."""

    starts: Sequence[datetime] = ()
    length: timedelta = timedelta(0)

    @property
    def first(self) -> datetime | None:
        """The soonest, if there is one."""
        return self.starts[0] if self.starts else None


def next_starts(
    *, spaces: Sequence[Space], search: Search, sales: Mapping[int, Sale], now: datetime
) -> dict[int, Offers]:
    """The first free times by space id, on each space's grid and with its buffers; one query.

    A space sells the length not under its minimum and in whole steps, so a time may be longer
    than was wished, and only while it is open. Nothing starts before `now`.
    """
    found = dict.fromkeys((space.id for space in spaces), Offers())
    for space_id, wish, gaps in _found(spaces, search, sales, now):
        every = starting.starts(gaps, units=search.units, step_min=wish.sale.step_min)
        some = map(datetime.fromtimestamp, islice(every, search.limit), repeat(UTC))
        found[space_id] = Offers(list(some), wish.length)
    return found


def runs(
    *, spaces: Sequence[Space], search: Search, sales: Mapping[int, Sale], now: datetime
) -> defaultdict[int, list[Run]]:
    """Where single units are free for the search and sold, by space id; one query.

    With a limit and one unit wished, only as many runs per unit as can matter.
    """
    found: defaultdict[int, list[Run]] = defaultdict(list)
    found.update((space_id, gaps) for space_id, _, gaps in _found(spaces, search, sales, now))
    return found


def _found(
    spaces: Sequence[Space], search: Search, sales: Mapping[int, Sale], now: datetime
) -> Iterator[tuple[int, _Wish, list[Run]]]:
    """Each space that sells something of the kind, what it sells, and its gaps."""
    different = {id(sale): sale for sale in sales.values()}
    wishes = {key: _Wish.of(search, sale, now=now) for key, sale in different.items()}
    sold = [(space, wish) for space in spaces if (wish := wishes[id(sales[space.id])]) is not None]
    if not sold:
        return
    rows = {key: wish.row for key, wish in wishes.items() if wish is not None}
    arguments = columns(((space, rows[id(wish.sale)]) for space, wish in sold), _MORE)
    gaps: defaultdict[int, list[Run]] = defaultdict(list)
    for space_id, firsts, lasts in statements.rows(_RUNS, arguments | {"now": now}):
        gaps[space_id] += map(Run, firsts, lasts)
    kept = {key: wish.kept() for key, wish in wishes.items() if wish is not None}
    for space, wish in sold:
        keep = kept[id(wish.sale)]
        yield space.id, wish, gaps[space.id] if keep is None else keep(gaps[space.id])


def instant(seconds: int) -> datetime:
    """The instant so many seconds after 1970 began."""
    return datetime.fromtimestamp(seconds, UTC)


def free_units_of(
    *, spaces: Sequence[Space], span: Span, now: datetime
) -> Mapping[int, list[int]]:
    """The units that nothing takes for a booking of `span`, by space id; one query."""
    arguments = units_asked(spaces) | {"since": span.start, "until": span.end, "now": now}
    found: dict[int, list[int]] = defaultdict(list)
    for space_id, unit in statements.rows(_FREE, arguments):
        found[space_id].append(unit)
    return found
