"""Prices by the kind of day: own prices of a tariff, or a factor, beside the surge calendar.

On a surge day the higher of surge and the day's factor counts, never both. A tariff's own prices
for a kind of day replace the day's factor; a surge comes on top of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from base_ops.core.workdays import DayKind
from billing.domain.catalog import DayPrice, NotPriced, OwnPrices, PriceBook, Tariff
from billing.domain.texts import Bi

DAY_NAMES = {
    DayKind.WORKDAY: Bi("工作日", "working day"),
    DayKind.MAKE_UP: Bi("调休上班日", "make-up working day"),
    DayKind.WEEKEND: Bi("周末", "weekend"),
    DayKind.HOLIDAY: Bi("节假日", "holiday"),
}


@dataclass(frozen=True, slots=True)
class Rate:
    """What one hour, and four in one band, cost on a day, before the multiplier."""

    hourly_fen: int
    session_fen: int | None
    surge: Decimal
    multiplier: Decimal
    note: Bi | None = None


def rate_of(tariff: Tariff, book: PriceBook, day: date, band: str) -> Rate:
    """The prices of a band on a day.

    Raises:
        NotPriced: there is no hourly price in that band.
    """
    hourly = tariff.hourly_fen.get(band)
    if hourly is None:
        raise NotPriced(f"{tariff.code} has no hourly price in {band}")
    surge = book.surge(day, band)
    if not (tariff.by_day or book.day_prices):
        return Rate(hourly, tariff.session_fen.get(band), surge, surge)
    kinds = book.kinds(day)
    if (own := _own(tariff, kinds)) is not None:
        kind, prices = own
        note = None if surge > 1 else _note(DAY_NAMES[kind])
        return Rate(prices.hourly_fen[band], prices.session_fen.get(band), surge, surge, note)
    found = _day_price(book.day_prices, kinds, band)
    session = tariff.session_fen.get(band)
    if found is None or (surge > 1 and surge >= found.factor):
        return Rate(hourly, session, surge, surge)
    name = Bi(f"{found.name_zh}×{found.factor}", f"{found.name_en} ×{found.factor}")
    return Rate(hourly, session, surge, found.factor, _note(name))


def _own(tariff: Tariff, kinds: Iterable[DayKind]) -> tuple[DayKind, OwnPrices] | None:
    return next(((kind, tariff.by_day[kind]) for kind in kinds if kind in tariff.by_day), None)


def _day_price(prices: Iterable[DayPrice], kinds: Iterable[DayKind], band: str) -> DayPrice | None:
    """The first kind that has a price decides."""
    known = [price for price in prices if band in price.bands]
    return next((price for kind in kinds for price in known if kind in price.kinds), None)


def _note(name: Bi) -> Bi:
    return Bi(f" {name.zh}", f" {name.en}")
