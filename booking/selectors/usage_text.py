"""The text of the query behind `usage`: one for each shape of a question, written once."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from billing.selectors import exposure
from booking.domain.states import BLOCKING, Status
from booking.selectors import usage_parts as parts

LONGEST = timedelta(days=31)
"""No booking is longer (api.common.span_of): how far back one that still runs can have begun."""

ASK, CROWD, EXPOSURE, PROOF, IN_FORCE = range(5)
"""What a row answers: its first column."""

_OPEN = ", ".join(f"'{status}'" for status in BLOCKING)
_COUNTED = f"{_OPEN}, '{Status.COMPLETED}'"

# What counts: not what an expired hold held, nor the bookings that are being changed.
_LIVE = "(b.status <> 'held' OR b.expires_at > %(now)s) AND b.id <> ALL(%(ignoring)s)"
_MINE = f"""
WITH mine AS MATERIALIZED (
    SELECT b.id, b.status, b.starts_at, b.ends_at, b.space_id
      FROM booking_booking b
     WHERE b.tenant_id = %(tenant)s AND b.status IN ({_COUNTED}) AND {_LIVE} AND {parts.ALONE}
       AND b.starts_at < %(till)s AND b.ends_at > %(since)s AND b.starts_at > %(at_earliest)s
)
"""  # noqa: S608 - constants only
# Few bookings are longer than a day. Those have an index of their own, so that nobody walks
# through a month of short ones to see who is there.
_THERE = f"""
SELECT b.id, b.starts_at, b.ends_at, b.space_id FROM booking_booking b
 WHERE b.status IN ({_OPEN}) AND {_LIVE} AND {parts.ALONE}
   AND b.starts_at < {{to}} AND b.ends_at > {{start}}
   AND b.starts_at > {{start}} - interval '{{days}} days'
   AND b.ends_at - b.starts_at {{length}} interval '1 day'
"""  # noqa: S608 - constants only
_OWN = "(SELECT b.space_id) AS own (id)"
_MEANT = (
    " JOIN core_space s ON s.id = own.id JOIN core_spacetype t ON t.id = s.type_id"
    " JOIN core_floor f ON f.id = s.floor_id JOIN core_site x ON x.id = f.site_id"
    " WHERE ({spaces} IS NULL OR s.code = ANY({spaces}))"
    " AND ({types} IS NULL OR t.code = ANY({types}))"
    " AND ({sites} IS NULL OR x.code = ANY({sites}))"
)
_LATER = "(q.ended_after IS NULL OR b.ends_at > q.ended_after)"
_ASKS = (
    "SELECT 0, q.n, count(DISTINCT b.id), coalesce(round(sum("
    " extract(epoch FROM least(b.ends_at, q.hi) - greatest(b.starts_at, q.lo)))), 0)::bigint"
    " FROM (VALUES {rows}) AS q ({names}) JOIN mine b ON b.starts_at < q.hi AND b.ends_at > q.lo"
    "{meant} GROUP BY q.n"
)
_ASKS_APART = (
    "SELECT 0, q.n, count(DISTINCT b.id), coalesce(round(sum("
    " extract(epoch FROM least(piece.hi, q.hi) - greatest(piece.lo, q.lo)))), 0)::bigint"
    " FROM (VALUES {rows}) AS q ({names}) JOIN booking_booking b ON b.tenant_id = %(tenant)s"
    " AND {who} {pieces} WHERE piece.lo < q.hi AND piece.hi > q.lo{later} GROUP BY q.n"
)
_CROWD = (
    "SELECT 1, {n}, (extract(epoch FROM {start}) * 1000000)::bigint,"
    " (extract(epoch FROM {end}) * 1000000)::bigint FROM {there}"
)
_EXPOSURE = f"""
SELECT 2, 0, coalesce(sum(b.price_fen), 0)::bigint + {exposure.OPEN_CHARGES}::bigint, 0::bigint
  FROM booking_booking b WHERE b.tenant_id = %(tenant)s AND b.status IN ({_OPEN}) AND {_LIVE}
"""  # noqa: S608 - constants only
_PROOFS = f"""
SELECT 3, array_position(%(documents)s::text[], p.key::text) - 1,
       (p.max - date '1970-01-01')::bigint, 0::bigint FROM ({exposure.PROOFS}) p
"""  # noqa: S608 - constants only
# The digest is 15 hexadecimal digits, so that it fits where the other parts have numbers.
_IN_FORCE = (
    "(SELECT 4, version, ('x0' || digest)::bit(64)::bigint, 0::bigint FROM booking_rulebook"
    " WHERE valid_from <= %(now)s ORDER BY version DESC LIMIT 1)"
)


@dataclass(frozen=True, slots=True)
class Shape:
    """What is asked, without the values.

    Args:
        windows: of each ask, how many windows it has.
        filters: whether some ask counts only certain bookings.
        crowds: of each crowd, whether it is the venue's, and whether it counts only certain ones.
        exposure: whether what is owed is asked.
        documents: whether proofs are.
        in_force: whether the rules in force are.
    """

    windows: tuple[int, ...]
    filters: bool
    crowds: tuple[tuple[bool, bool], ...]
    exposure: bool
    documents: bool
    in_force: bool

    @property
    def looks_at_own(self) -> bool:
        """Whether the renter's own bookings are looked at."""
        return bool(self.windows) or any(not venue for venue, _ in self.crowds)


@lru_cache(maxsize=256)
def text(shape: Shape) -> str:
    """The query; "" where nothing is asked."""
    return (_MINE if shape.looks_at_own else "") + " UNION ALL ".join(_parts(shape))


def _parts(shape: Shape) -> Iterator[str]:
    if shape.windows:
        yield from _asks(shape)
    for n, (venue, filters) in enumerate(shape.crowds):
        yield from _crowd(n, venue=venue, filters=filters)
    if shape.exposure:
        yield _EXPOSURE
    if shape.documents:
        yield _PROOFS
    if shape.in_force:
        yield _IN_FORCE


def _asks(shape: Shape) -> Iterator[str]:
    """Per ask, how many bookings touch its windows, and for how many seconds in all."""
    rows: list[str] = []
    for n, count in enumerate(shape.windows):
        more = _values(f"_{n}") if shape.filters else ""
        rows += [
            f"({n}, %(lo_{n}_{k})s::timestamptz, %(hi_{n}_{k})s::timestamptz{more})"
            for k in range(count)
        ]
    values, names, meant, here, later = ", ".join(rows), "n, lo, hi", "", "", ""
    if shape.filters:
        names += ", spaces, types, sites, ended_after"
        meant = _MEANT.format(spaces="q.spaces", types="q.types", sites="q.sites")
        here = f" WHERE {_LATER} AND EXISTS (SELECT 1 FROM {_OWN}{meant})"  # noqa: S608
        later = " AND (q.ended_after IS NULL OR piece.last > q.ended_after)"
    yield _ASKS.format(rows=values, names=names, meant=here)
    yield _ASKS_APART.format(
        rows=values, names=names, later=later, who=_apart(_COUNTED),
        pieces=parts.pieces(meant, each=False),
    )  # fmt: skip


def _apart(statuses: str) -> str:
    """Which of the bookings that take parts beside their room count."""
    return f"{parts.APART} AND b.status IN ({statuses}) AND {_LIVE} AND {parts.WHEN}"


def _values(suffix: str) -> str:
    names = ("spaces", "types", "sites")
    lists = "".join(f", %({name}{suffix})s::text[]" for name in names)
    return f"{lists}, %(ended_after{suffix})s::timestamptz"


def _crowd(n: int, *, venue: bool, filters: bool) -> Iterator[str]:
    """When others are there: the renter's bookings, or each space of everybody's."""
    start, to = f"%(from_{n})s::timestamptz", f"%(to_{n})s::timestamptz"
    meant, here = "", ""
    if filters:
        names = ("spaces", "types", "sites")
        meant = _MEANT.format(**{name: f"%({name}_c{n})s::text[]" for name in names})
        here = f" AND EXISTS (SELECT 1 FROM {_OWN}{meant})"  # noqa: S608
    there = "mine AS b WHERE b.status <> 'completed'"
    if venue:
        short = _THERE.format(to=to, start=start, days=1, length="<=")
        long = _THERE.format(to=to, start=start, days=LONGEST.days, length=">")
        there = f"({short} UNION ALL {long}) AS b WHERE true"
    there += f" AND b.starts_at < {to} AND b.ends_at > {start}{here}"
    yield _CROWD.format(n=n, start="b.starts_at", end="b.ends_at", there=there)
    whose = "true" if venue else "b.tenant_id = %(tenant)s"
    apart = (
        f"(VALUES ({start}, {to})) AS q (lo, hi) JOIN booking_booking b"
        f" ON {whose} AND {_apart(_OPEN)} {parts.pieces(meant, each=venue)}"
        " WHERE piece.lo < q.hi AND piece.hi > q.lo"
    )
    yield _CROWD.format(n=n, start="piece.lo", end="piece.hi", there=apart)
