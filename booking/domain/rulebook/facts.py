"""What the rules look at: places, renters, the case to judge, and what was used already."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType

from base_ops.core.spans import Span, merged


def _nothing() -> Mapping[str, date | None]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Place:
    """What the rules need to know of a space and its type."""

    code: str
    bookable: bool = True
    capacity: int = 1
    unit_count: int | None = None
    slot_min: int = 30
    min_min: int = 60
    type: str = ""
    site: str = ""


@dataclass(frozen=True, slots=True)
class Renter:
    """What the rules need to know of a tenant.

    `evidence` names what is known of the tenant without looking further, each with the last day it
    is good for (None: for good). `prepaid_fen` is money received in advance.
    """

    code: str
    rating: str = "B"
    active: bool = True
    category: str = ""
    tags: frozenset[str] = frozenset()
    credit_limit_fen: int = 0
    prepaid_fen: int = 0
    evidence: Mapping[str, date | None] = field(default_factory=_nothing, compare=False)


ANYBODY = Renter(code="", rating="")
"""Nobody yet: rules for certain renters are not for them."""


@dataclass(frozen=True, slots=True)
class Case:
    """One wish as the rules judge it.

    Args:
        places: every space of the wish, the main one first.
        renter: who books.
        span: the wished time.
        now: the present instant.
        headcount: how many people come; they must fit into the main space.
        units: how many units of the main space.
        was: the time an existing booking has now, when it is changed; None for a new one.
        series_last: the start of the last instance, when this is one of a series.
        price_fen: what it would cost, when that is known.
        approver: whether whoever books may approve requests.
    """

    places: tuple[Place, ...]
    renter: Renter
    span: Span
    now: datetime
    headcount: int = 1
    units: int = 1
    was: Span | None = None
    series_last: datetime | None = None
    price_fen: int | None = None
    approver: bool = False

    @property
    def main(self) -> Place:
        """The space that the headcount and the units are about."""
        return self.places[0]


@dataclass(frozen=True, slots=True)
class Stay:
    """An existing booking, as far as quotas care.

    `apart` are spaces that it takes for a time of their own.
    """

    span: Span
    spaces: tuple[str, ...]
    code: str = ""
    apart: tuple[tuple[str, Span], ...] = ()

    @property
    def taken(self) -> tuple[tuple[str, Span], ...]:
        """Every space with its time."""
        return (*((code, self.span) for code in self.spaces), *self.apart)


@dataclass(frozen=True, slots=True)
class Ask:
    """How much of some windows is used: the question of one quota about one period.

    Args:
        rule: the code of the quota.
        label: the period, as people name it.
        windows: the counted parts of the period, in order, apart from each other.
        spaces: only bookings of these spaces count; None: of all.
        types: only bookings of spaces of these types count; None: of all.
        sites: only bookings of spaces of these sites count; None: of all.
        ended_after: bookings that ended by then do not count; None: all count.
    """

    rule: str
    label: str
    windows: tuple[Span, ...]
    spaces: frozenset[str] | None = None
    types: frozenset[str] | None = None
    sites: frozenset[str] | None = None
    ended_after: datetime | None = None

    def __hash__(self) -> int:
        """Of what tells the questions of one case apart."""
        return hash((self.rule, self.label))


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who is there at the same time: the question of one limit of simultaneous bookings.

    Args:
        rule: the code of the limit.
        window: the wished time.
        venue: everybody's bookings, each of its spaces counted; otherwise the renter's own.
        spaces: only bookings of these spaces count; None: of all.
        types: only bookings of spaces of these types count; None: of all.
        sites: only bookings of spaces of these sites count; None: of all.
    """

    rule: str
    window: Span
    venue: bool
    spaces: frozenset[str] | None = None
    types: frozenset[str] | None = None
    sites: frozenset[str] | None = None

    def __hash__(self) -> int:
        """Of what tells the questions of one case apart."""
        return hash((self.rule, self.venue))


@dataclass(frozen=True, slots=True)
class Used:
    """The answer to an Ask."""

    seconds: int = 0
    count: int = 0


@dataclass(frozen=True, slots=True)
class Needs:
    """Everything that must be looked up before a case can be judged."""

    asks: tuple[Ask, ...] = ()
    crowds: tuple[Crowd, ...] = ()
    exposure: bool = False
    documents: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.asks or self.crowds or self.exposure or self.documents)

    @property
    def counts(self) -> bool:
        """Whether bookings that are made meanwhile would change the answers."""
        return bool(self.asks or self.crowds or self.exposure)

    @property
    def counts_everybody(self) -> bool:
        """Whether those of other renters would."""
        return any(crowd.venue for crowd in self.crowds)


@dataclass(frozen=True, slots=True)
class Usage:
    """The answers: by ask, by crowd (the other stays in its window), by document, and exposure.

    `exposure_fen` is what the renter owes already: live bookings and charges without an invoice.
    """

    used: Mapping[Ask, Used] = field(default_factory=dict)
    around: Mapping[Crowd, Sequence[Span]] = field(default_factory=dict)
    exposure_fen: int = 0
    evidence: Mapping[str, date | None] = field(default_factory=_nothing)

    def of(self, ask: Ask) -> Used:
        """The answer to one ask; an ask nobody looked up is a mistake of the caller (KeyError)."""
        return self.used[ask]


UNUSED = Usage()


def tally(needs: Needs, stays: Iterable[Stay], places: Mapping[str, Place]) -> Usage:
    """Answer from plain stays what the database answers from rows.

    Args:
        needs: what is asked.
        stays: the renter's other bookings; for crowds of the venue, everybody's.
        places: the spaces that the stays name.
    """
    known = list(stays)
    used = {ask: _used(ask, known, places) for ask in needs.asks}
    around = {crowd: tuple(_around(crowd, known, places)) for crowd in needs.crowds}
    return Usage(used, around)


def _used(ask: Ask, stays: Iterable[Stay], places: Mapping[str, Place]) -> Used:
    seconds = count = 0
    for stay in stays:
        there = merged(span for code, span in stay.taken if counts(ask, places[code]))
        if not there or (ask.ended_after is not None and there[-1].end <= ask.ended_after):
            continue
        seconds += sum(seconds_within(span, ask.windows) for span in there)
        count += any(span.overlaps(window) for span in there for window in ask.windows)
    return Used(seconds, count)


def _around(crowd: Crowd, stays: Iterable[Stay], places: Mapping[str, Place]) -> Iterator[Span]:
    """A stay is there once, while any of its spaces is taken; for the venue each space is."""
    for stay in stays:
        by: dict[str, list[Span]] = {}
        for code, span in stay.taken:
            if counts(crowd, places[code]):
                by.setdefault(code if crowd.venue else "", []).append(span)
        for spans in by.values():
            yield from (span for span in merged(spans) if span.overlaps(crowd.window))


def counts(question: Ask | Crowd, place: Place) -> bool:
    """Whether a booking of this place is meant."""
    return (
        (question.spaces is None or place.code in question.spaces)
        and (question.types is None or place.type in question.types)
        and (question.sites is None or place.site in question.sites)
    )


def seconds_within(span: Span, windows: Iterable[Span]) -> int:
    """How many seconds of the span lie inside the windows, which are apart from each other."""
    seconds = 0.0
    for window in windows:
        start, end = max(span.start, window.start), min(span.end, window.end)
        if start < end:
            seconds += (end - start).total_seconds()
    return round(seconds)
