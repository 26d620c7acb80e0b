"""Price lists that somebody of the base made: those in force, each from a day on, and old ones."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from base_ops.core import work_years
from base_ops.core.workdays import Calendar
from billing.domain.catalog import PriceBook
from billing.domain.reading import read_prices
from billing.models import PriceList
from billing.models.pricelists import PriceListState

YEARS = range(2000, 2101)


def with_later(base: PriceBook) -> PriceBook:
    """The price book of the data file with the lists that replace it, each from its day on."""
    rows = PriceList.objects.filter(state=PriceListState.ACTIVE).order_by("valid_from")
    found = [(row.valid_from, _book(row, base)) for row in rows if row.valid_from is not None]
    calendar = work_years.calendar(YEARS) if any(_by_day(book) for _, book in found) else None
    later = tuple((first, replace(book, calendar=calendar or Calendar())) for first, book in found)
    return replace(base, later=later)


Quoted = tuple[str, date]
"""The version of the book, and the day of use."""


def settling(book: PriceBook, quoted: Iterable[Quoted]) -> dict[Quoted, PriceBook]:
    """The books by which bookings are settled, by the version and the day that were quoted.

    That version, even when it was withdrawn since; where it is not kept, the book of the day.
    """
    wanted = set(quoted)
    unknown = {version for version, _ in wanted if version and book.named(version) is None}
    kept: dict[str, PriceBook] = {}
    if unknown:
        calendar = work_years.calendar({day.year for _, day in wanted})
        for row in PriceList.objects.filter(fingerprint__in=unknown):
            kept[row.fingerprint] = replace(_book(row, book), calendar=calendar)
    return {
        (version, day): book.named(version) or kept.get(version) or book.on(day)
        for version, day in wanted
    }


def _book(row: PriceList, base: PriceBook) -> PriceBook:
    """Its prices with the policies of all books."""
    return replace(read_prices(row.document), policies=base.policies)


def _by_day(book: PriceBook) -> bool:
    return bool(book.day_prices) or any(tariff.by_day for tariff in book.tariffs.values())
