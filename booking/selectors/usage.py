"""What quotas, crowds, credit and documents need to know: one query for all of it, or none."""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from base_ops.core import statements
from base_ops.core.models import Tenant
from base_ops.core.spans import Span
from billing.selectors import exposure
from booking.domain.grid import ZONE
from booking.domain.rulebook import UNUSED, Ask, Book, Crowd, Needs, Usage, Used
from booking.domain.states import BLOCKING, Status
from booking.selectors import usage_parts as parts

LONGEST = timedelta(days=31)
"""No booking is longer (api.common.span_of): how far back one that still runs can have begun."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COUNTED = [str(status) for status in (*BLOCKING, Status.COMPLETED)]
_OPEN = [str(status) for status in BLOCKING]
_ASK, _CROWD, _EXPOSURE, _PROOF, _IN_FORCE = range(5)

# What counts: not what an expired hold held, nor the bookings that are being changed.
_COUNTS = "b.status = ANY(%s) AND (b.status <> 'held' OR b.expires_at > %s) AND b.id <> ALL(%s)"
_LIVE = (
    f"{parts.ALONE} AND {_COUNTS}"
    " AND b.starts_at < q.hi AND b.ends_at > q.lo AND b.starts_at > q.lo - %s"
)
_LIVE_APART = f"{parts.APART} AND {_COUNTS} AND {parts.WHEN}"
_OWN = "(SELECT b.space_id) AS own (id)"
_MEANT = (
    " JOIN core_space s ON s.id = own.id JOIN core_spacetype t ON t.id = s.type_id"
    " JOIN core_floor f ON f.id = s.floor_id JOIN core_site x ON x.id = f.site_id"
    " WHERE (q.spaces IS NULL OR s.code = ANY(q.spaces))"
    " AND (q.types IS NULL OR t.code = ANY(q.types))"
    " AND (q.sites IS NULL OR x.code = ANY(q.sites))"
)
_THERE = f"EXISTS (SELECT 1 FROM {_OWN}{_MEANT})"  # noqa: S608 - constants only
_ASK_ROW = (
    "(%s::int, %s::timestamptz, %s::timestamptz, %s::text[], %s::text[], %s::text[],"
    " %s::timestamptz)"
)
_ASK_SQL = (
    "SELECT 0, q.n, count(DISTINCT b.id), coalesce(round(sum("
    " extract(epoch FROM least(b.ends_at, q.hi) - greatest(b.starts_at, q.lo)))), 0)::bigint"
    " FROM (VALUES {rows}) AS q (n, lo, hi, spaces, types, sites, ended_after)"
    " JOIN booking_booking b ON b.tenant_id = %s AND {live}"
    " AND (q.ended_after IS NULL OR b.ends_at > q.ended_after)"
    " WHERE {there} GROUP BY q.n"
)
_ASK_APART_SQL = (
    "SELECT 0, q.n, count(DISTINCT b.id), coalesce(round(sum("
    " extract(epoch FROM least(piece.hi, q.hi) - greatest(piece.lo, q.lo)))), 0)::bigint"
    " FROM (VALUES {rows}) AS q (n, lo, hi, spaces, types, sites, ended_after)"
    " JOIN booking_booking b ON b.tenant_id = %s AND {live} {pieces}"
    " WHERE piece.lo < q.hi AND piece.hi > q.lo"
    " AND (q.ended_after IS NULL OR piece.last > q.ended_after) GROUP BY q.n"
)
_CROWD_SQL = (
    "SELECT 1, q.n, (extract(epoch FROM {start}) * 1000000)::bigint,"
    " (extract(epoch FROM {end}) * 1000000)::bigint"
    " FROM (VALUES (%s::int, %s::timestamptz, %s::timestamptz, %s::text[], %s::text[],"
    " %s::text[])) AS q (n, lo, hi, spaces, types, sites)"
    " JOIN booking_booking b ON {whose} AND {live} {there}"
)
_EXPOSURE_SQL = (
    "SELECT 2, 0, coalesce(sum(b.price_fen), 0)::bigint + {charges}::bigint, 0::bigint"
    " FROM booking_booking b WHERE b.tenant_id = %s AND b.status = ANY(%s)"
    " AND (b.status <> 'held' OR b.expires_at > %s) AND b.id <> ALL(%s)"
)
# The digest is 15 hexadecimal digits, so that it fits where the other parts have numbers.
_IN_FORCE_SQL = (
    "(SELECT 4, version, ('x0' || digest)::bit(64)::bigint, 0::bigint FROM booking_rulebook"
    " WHERE valid_from <= %s ORDER BY version DESC LIMIT 1)"
)
_PROOF_SQL = (
    "SELECT 3, array_position(%s::text[], p.key::text) - 1,"
    " (p.max - date '1970-01-01')::bigint, 0::bigint FROM ({proofs}) p"
)


class RulesChanged(Exception):
    """Other rules are in force than those the questions came from; the caller asks again."""


def usage(
    *,
    needs: Needs,
    tenant: Tenant,
    book: Book | None = None,
    ignoring: Collection[int] = (),
    now: datetime,
) -> Usage:
    """Answer what a case needs.

    Args:
        needs: the questions; with neither questions nor a book the database is not asked.
        tenant: who would book.
        book: the rules that asked, to be sure that they are the ones in force.
        ignoring: ids of bookings that are being changed, whose present time does not count.
        now: decides which holds still count, and which rules are in force.

    Raises:
        RulesChanged: `book` is not in force.
    """
    asked = list(_parts(needs, tenant, list(ignoring), now))
    if book is not None:
        asked.append((_IN_FORCE_SQL, [now]))
    if not asked:
        return UNUSED
    rows = statements.rows(
        " UNION ALL ".join(sql for sql, _ in asked),
        [value for _, values in asked for value in values],
    )
    if book is not None and (_IN_FORCE, book.version, int(book.digest, 16), 0) not in rows:
        raise RulesChanged
    return _read(needs, rows)


def _parts(
    needs: Needs, tenant: Tenant, ignoring: list[int], now: datetime
) -> Iterator[tuple[str, list[Any]]]:
    """The parts of the query with their parameters; a first column says which part a row is of."""
    live = [now, ignoring, LONGEST]
    if needs.asks:
        yield from _asks(needs.asks, tenant.pk, [_COUNTED, *live])
    for index, crowd in enumerate(needs.crowds):
        yield from _crowd(index, crowd, tenant.pk, [_OPEN, *live])
    if needs.exposure:
        yield (
            _EXPOSURE_SQL.format(charges=exposure.OPEN_CHARGES),
            [tenant.pk, tenant.pk, _OPEN, now, ignoring],
        )
    if needs.documents:
        names, today = list(needs.documents), now.astimezone(ZONE).date()
        yield _PROOF_SQL.format(proofs=exposure.PROOFS), [names, tenant.pk, names, today]


def _asks(asks: Sequence[Ask], tenant_id: int, live: list[Any]) -> Iterator[tuple[str, list[Any]]]:
    """Per ask, how many bookings touch its windows, and for how many seconds in all."""
    found = [
        (n, window.start, window.end, *_filters(ask), ask.ended_after)
        for n, ask in enumerate(asks)
        for window in ask.windows
    ]
    rows = ", ".join([_ASK_ROW] * len(found))
    values = [*(value for row in found for value in row), tenant_id, *live]
    named = any(_named(ask) for ask in asks)
    yield _ASK_SQL.format(rows=rows, live=_LIVE, there=_THERE if named else "true"), values
    pieces = parts.pieces(_MEANT if named else "", each=False)
    yield _ASK_APART_SQL.format(rows=rows, live=_LIVE_APART, pieces=pieces), values


def _crowd(
    index: int, crowd: Crowd, tenant_id: int, live: list[Any]
) -> Iterator[tuple[str, list[Any]]]:
    """When others are there: the tenant's bookings, or each space of everybody's."""
    whose, own = ("true", []) if crowd.venue else ("b.tenant_id = %s", [tenant_id])
    values = [index, crowd.window.start, crowd.window.end, *_filters(crowd), *own, *live]
    named = _named(crowd)
    yield _CROWD_SQL.format(
        start="b.starts_at", end="b.ends_at", whose=whose, live=_LIVE,
        there=f"WHERE {_THERE}" if named else "",
    ), values  # fmt: skip
    pieces = parts.pieces(_MEANT if named else "", each=crowd.venue)
    yield _CROWD_SQL.format(
        start="piece.lo", end="piece.hi", whose=whose, live=_LIVE_APART,
        there=f"{pieces} WHERE piece.lo < q.hi AND piece.hi > q.lo",
    ), values  # fmt: skip


def _named(question: Ask | Crowd) -> bool:
    return (question.spaces, question.types, question.sites) != (None, None, None)


def _filters(question: Ask | Crowd) -> list[list[str] | None]:
    return [
        None if names is None else sorted(names)
        for names in (question.spaces, question.types, question.sites)
    ]


def _read(needs: Needs, rows: Sequence[tuple[int, int, int, int]]) -> Usage:
    used = dict.fromkeys(needs.asks, Used())
    around: dict[Crowd, tuple[Span, ...]] = dict.fromkeys(needs.crowds, ())
    exposure_fen = 0
    evidence: dict[str, date | None] = {}
    for part, index, a, b in rows:
        if part == _ASK:
            so_far = used[needs.asks[index]]
            used[needs.asks[index]] = Used(so_far.seconds + b, so_far.count + a)
        elif part == _CROWD:
            around[needs.crowds[index]] += (Span(_instant(a), _instant(b)),)
        elif part == _EXPOSURE:
            exposure_fen = a
        elif part == _PROOF:
            evidence[needs.documents[index]] = date(1970, 1, 1) + timedelta(days=a)
    return Usage(used, around, exposure_fen, evidence)


def _instant(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
