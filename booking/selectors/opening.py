"""When spaces are open by the rules in force on each day, cut by the parts of a day."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from base_ops.core.models import Space
from booking.domain.rulebook import ANYBODY, hours
from booking.domain.rulebook.params import Hours
from booking.selectors import rulebook as rules

MINUTE = timedelta(minutes=1)

# What is open: on day `day` (from 0), within part `part` (from 0), by the opening hours `hours`.
OPENING = """
opening AS MATERIALIZED (
    SELECT hours, day, part, since * interval '1 min' AS since, until * interval '1 min' AS until
      FROM unnest(%(opening_hours)s::int[], %(opening_days)s::int[], %(opening_parts)s::int[],
                  %(opening_sinces)s::int[], %(opening_untils)s::int[])
        AS o (hours, day, part, since, until)
)
"""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of each day, [from_min, to_min) in minutes after local midnight."""

    from_min: int
    to_min: int


@dataclass(frozen=True, slots=True)
class Openings:
    """Which opening hours each space has, and what is open by them.

    Args:
        hours_of: by space id, the number of its opening hours.
        pieces: (hours, day from 0, part from 0, first minute, last minute) of what is open.
    """

    hours_of: Mapping[int, int]
    pieces: Sequence[tuple[int, int, int, int, int]]

    def arguments(self) -> dict[str, list[int]]:
        """Of `OPENING`."""
        columns = zip(*self.pieces, strict=True) if self.pieces else [()] * 5
        names = ("hours", "days", "parts", "sinces", "untils")
        return {f"opening_{n}": [*column] for n, column in zip(names, columns, strict=True)}

    def minutes(self, spaces: Iterable[Space]) -> dict[tuple[int, int], int]:
        """Open minutes of all units together, by (day, part); nothing where nothing is open."""
        units: defaultdict[int, int] = defaultdict(int)
        for space in spaces:
            units[self.hours_of[space.id]] += space.unit_count or 1
        found: defaultdict[tuple[int, int], int] = defaultdict(int)
        for number, day, part, since, until in self.pieces:
            if number in units:
                found[day, part] += units[number] * (until - since)
        return dict(found)


def openings(*, spaces: Iterable[Space], days: Sequence[date], parts: Sequence[Part]) -> Openings:
    """When the spaces are open for anybody; what certain tenants may does not count. One query."""
    books = rules.books_of(days)
    versions = list({book.version: book for book in books}.values())
    place_in = {book.version: n for n, book in enumerate(versions)}
    known: list[tuple[Hours | None, ...]] = []
    hours_of: dict[int, int] = {}
    for space in spaces:
        own = tuple(book.sale(rules.place(space, book), ANYBODY).hours for book in versions)
        if own not in known:
            known.append(own)
        hours_of[space.id] = known.index(own)
    pieces = [
        (number, n, *piece)
        for number, own in enumerate(known)
        for n, (day, book) in enumerate(zip(days, books, strict=True))
        for piece in _cut(own[place_in[book.version]], day, parts)
    ]
    return Openings(hours_of, pieces)


def _cut(own: Hours | None, day: date, parts: Sequence[Part]) -> Iterator[tuple[int, int, int]]:
    for since, until in hours.of_day(own, day):
        for no, part in enumerate(parts):
            first, last = max(since, part.from_min), min(until, part.to_min)
            if first < last:
                yield no, first, last
