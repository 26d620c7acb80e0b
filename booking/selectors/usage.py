"""What quotas, crowds, credit and documents need to know: one query for all of it, or none."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, overload

from base_ops.core import statements
from base_ops.core.models import Tenant
from base_ops.core.prepared import Row
from base_ops.core.spans import Span
from booking.domain.grid import ZONE
from booking.domain.rulebook import UNUSED, Ask, Book, Crowd, Needs, Usage, Used
from booking.selectors import usage_text
from booking.selectors.usage_text import LONGEST, Shape

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class RulesChanged(Exception):
    """Other rules are in force than those the questions came from; the caller asks again."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Questions on their way."""

    needs: Needs
    book: Book | None
    answer: statements.Answer | None

    def usage(self) -> Usage:
        """The answers.

        Raises:
            RulesChanged: the book that asked is not in force.
        """
        if self.answer is None:
            return UNUSED
        rows, book = self.answer.rows, self.book
        in_force = usage_text.IN_FORCE
        if book is not None and (in_force, book.version, int(book.digest, 16), 0) not in rows:
            raise RulesChanged
        return _read(self.needs, rows)


def usage(
    *,
    needs: Needs,
    tenant: Tenant,
    book: Book | None = None,
    ignoring: Collection[int] = (),
    now: datetime,
) -> Usage:
    """Answer what a case needs; see `ask_usage`.

    Raises:
        RulesChanged: `book` is not in force.
    """
    return ask_usage(needs=needs, tenant=tenant, book=book, ignoring=ignoring, now=now).usage()


def ask_usage(
    *,
    needs: Needs,
    tenant: Tenant,
    book: Book | None = None,
    ignoring: Collection[int] = (),
    now: datetime,
) -> Asked:
    """Ask what a case needs.

    Args:
        needs: the questions; with neither questions nor a book the database is not asked.
        tenant: who would book.
        book: the rules that asked, to be sure that they are the ones in force.
        ignoring: ids of bookings that are being changed, whose present time does not count.
        now: decides which holds still count, and which rules are in force.
    """
    if not needs and book is None:
        return Asked(needs, None, None)
    shape = Shape(
        windows=tuple(len(ask.windows) for ask in needs.asks),
        filters=any(_named(ask) or ask.ended_after is not None for ask in needs.asks),
        crowds=tuple((crowd.venue, _named(crowd)) for crowd in needs.crowds),
        exposure=needs.exposure,
        documents=bool(needs.documents),
        in_force=book is not None,
    )
    values: dict[str, Any] = {"tenant": tenant.pk, "now": now, "ignoring": list(ignoring)}
    values.update(_values(needs, shape, now))
    return Asked(needs, book, statements.ask(usage_text.text(shape), values))


def _values(needs: Needs, shape: Shape, now: datetime) -> Iterator[tuple[str, Any]]:
    """What the text names beside the renter and the present."""
    for n, ask in enumerate(needs.asks):
        for k, window in enumerate(ask.windows):
            yield f"lo_{n}_{k}", window.start
            yield f"hi_{n}_{k}", window.end
        if shape.filters:
            yield from _filters(f"_{n}", ask)
            yield f"ended_after_{n}", ask.ended_after
    for n, crowd in enumerate(needs.crowds):
        yield f"from_{n}", crowd.window.start
        yield f"to_{n}", crowd.window.end
        if _named(crowd):
            yield from _filters(f"_c{n}", crowd)
    if shape.looks_at_own:
        yield from _bounds(needs)
    if needs.documents:
        yield "documents", list(needs.documents)
        yield "today", now.astimezone(ZONE).date()


def _bounds(needs: Needs) -> Iterator[tuple[str, datetime]]:
    """Between which instants the renter's own bookings matter."""
    windows = [window for ask in needs.asks for window in ask.windows]
    windows += [crowd.window for crowd in needs.crowds if not crowd.venue]
    since = min(window.start for window in windows)
    yield "since", since
    yield "till", max(window.end for window in windows)
    yield "at_earliest", since - LONGEST


def _named(question: Ask | Crowd) -> bool:
    return not (question.spaces is question.types is question.sites is None)


def _filters(suffix: str, question: Ask | Crowd) -> Iterator[tuple[str, list[str] | None]]:
    for name in ("spaces", "types", "sites"):
        codes: frozenset[str] | None = getattr(question, name)
        yield f"{name}{suffix}", None if codes is None else sorted(codes)


def _read(needs: Needs, rows: Sequence[Row]) -> Usage:
    used = dict.fromkeys(needs.asks, Used())
    around: list[list[tuple[int, int]]] = [[] for _ in needs.crowds]
    exposure_fen = 0
    evidence: dict[str, date | None] = {}
    for part, index, a, b in rows:
        if part == usage_text.CROWD:
            around[index].append((a, b))
        elif part == usage_text.ASK:
            so_far = used[needs.asks[index]]
            used[needs.asks[index]] = Used(so_far.seconds + b, so_far.count + a)
        elif part == usage_text.EXPOSURE:
            exposure_fen = a
        elif part == usage_text.PROOF:
            evidence[needs.documents[index]] = date(1970, 1, 1) + timedelta(days=a)
    stays = {crowd: _Stays(found) for crowd, found in zip(needs.crowds, around, strict=True)}
    return Usage(used, stays, exposure_fen, evidence)


class _Stays(Sequence[Span]):
    """Spans from microseconds since 1970, made when somebody looks: mostly their number does."""

    def __init__(self, found: Sequence[tuple[int, int]]) -> None:
        self._found = found

    def __len__(self) -> int:
        return len(self._found)

    @overload
    def __getitem__(self, at: int) -> Span: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Span]: ...
    def __getitem__(self, at: int | slice) -> Span | Sequence[Span]:
        if isinstance(at, slice):
            return [_span(*pair) for pair in self._found[at]]
        return _span(*self._found[at])


def _span(start: int, end: int) -> Span:
    return Span(_EPOCH + timedelta(microseconds=start), _EPOCH + timedelta(microseconds=end))
