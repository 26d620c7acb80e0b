"""The price book: bands, tariffs, surge days, services and VAT rates, as plain values in fen."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from base_ops.core.errors import Invalid
from base_ops.core.workdays import Calendar, DayKind
from billing.domain.policies import Policy
from billing.domain.pricemodels import Model
from billing.domain.terms import STANDARD, Terms

MOST_DAYS = 1000
"""For so many days a book remembers which policies are in force."""


class NotPriced(Invalid):
    """The price book has no price for what was asked."""

    code, title_zh, title_en = "not_priced", "没有对应价目", "There is no price for this"


@dataclass(frozen=True, slots=True)
class Band:
    """A part of the day, [from_min, to_min) in minutes after midnight, Shanghai time."""

    code: str
    name_zh: str
    name_en: str
    from_min: int
    to_min: int


@dataclass(frozen=True, slots=True)
class Tariff:
    """Tax-inclusive prices of one kind of space. A price that is absent is not offered."""

    code: str
    name_zh: str
    hourly_fen: Mapping[str, int]
    session_fen: Mapping[str, int]
    monthly_per_m2_fen: int | None
    unit: str
    unit_period: str
    unit_price_fen: int | None
    vat_hourly: str
    vat_monthly: str
    included_wh_per_hour: int | None = None
    version: int = 1
    includes_zh: str = ""
    by_day: Mapping[DayKind, "OwnPrices"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OwnPrices:
    """Prices that a tariff has for one kind of day, instead of the usual ones."""

    hourly_fen: Mapping[str, int]
    session_fen: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class DayPrice:
    """Kinds of days on which some bands cost more or less: working days, weekends, holidays."""

    code: str
    name_zh: str
    name_en: str
    kinds: frozenset[DayKind]
    factor: Decimal
    bands: frozenset[str]


@dataclass(frozen=True, slots=True)
class Surge:
    """A yearly span of days, both ends included, on which some bands cost more."""

    code: str
    name_zh: str
    name_en: str
    first: tuple[int, int]
    last: tuple[int, int]
    multiplier: Decimal
    bands: frozenset[str]

    def covers(self, day: date, band: str) -> bool:
        """Whether that band of that day costs more; a span may run over New Year."""
        if band not in self.bands:
            return False
        at = (day.month, day.day)
        if self.first <= self.last:
            return self.first <= at <= self.last
        return at >= self.first or at <= self.last


@dataclass(frozen=True, slots=True)
class Service:
    """Something billed by quantity beside the room; no price means by agreement.

    A `model` says what a quantity costs, in yuan; then the unit price is only what is listed.
    """

    code: str
    name_zh: str
    name_en: str
    unit: str
    price_fen: int | None
    vat_category: str = "modern_service_6"
    price_note: str = ""
    model: Model | None = None


@dataclass(frozen=True, slots=True)
class VatRate:
    """The rate of one category from a day on."""

    category: str
    valid_from: date
    rate: Decimal


@dataclass(frozen=True, slots=True)
class PriceBook:
    """Everything that is needed to rate; the same book gives the same price for ever.

    `later` are the books that replace this one, each from a day on, in order of their days.
    """

    version: str
    bands: tuple[Band, ...]
    tariffs: Mapping[str, Tariff]
    surges: tuple[Surge, ...]
    services: Mapping[str, Service]
    vat_rates: tuple[VatRate, ...]
    policies: tuple[Policy, ...]
    terms: Terms = STANDARD
    day_prices: tuple[DayPrice, ...] = ()
    calendar: Calendar = field(default_factory=Calendar)
    later: "tuple[tuple[date, PriceBook], ...]" = ()
    _in_force: dict[date, tuple[Policy, ...]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    def vat(self, category: str, on: date) -> Decimal:
        """The rate in force on that day.

        Raises:
            NotPriced: no rate is dated so early, or there is no such category.
        """
        found = [r for r in self.vat_rates if r.category == category and r.valid_from <= on]
        if not found:
            raise NotPriced(f"no VAT rate for {category} on {on}")
        return max(found, key=lambda r: r.valid_from).rate

    def surge(self, day: date, band: str) -> Decimal:
        """The multiplier of that band on that day, 1 on a common day; the highest counts."""
        found = (s.multiplier for s in self.surges if s.covers(day, band))
        return max(found, default=Decimal(1))

    def on(self, day: date) -> "PriceBook":
        """The book by which use on that day is priced."""
        if not self.later:
            return self
        place = bisect_right([first for first, _ in self.later], day)
        return self.later[place - 1][1] if place else self

    def named(self, version: str) -> "PriceBook | None":
        """The book of that version: this one, or a later one."""
        if version == self.version:
            return self
        return next((book for _, book in self.later if book.version == version), None)

    def kinds(self, day: date) -> tuple[DayKind, ...]:
        """What kind of day it is; a make-up day is also a working day.

        While its year is not announced, the weekday rule's presumption counts.
        """
        kind = self.calendar.day(day).kind
        return (kind, DayKind.WORKDAY) if kind is DayKind.MAKE_UP else (kind,)

    def tariff(self, code: str) -> Tariff:
        """The tariff of that code.

        Raises:
            NotPriced: there is none.
        """
        if code not in self.tariffs:
            raise NotPriced(f"no tariff {code!r}")
        return self.tariffs[code]

    def policies_on(self, day: date) -> tuple[Policy, ...]:
        """The policies in force on that day, in the order in which they apply."""
        if (known := self._in_force.get(day)) is not None:
            return known
        live = (p for p in self.policies if p.valid_from <= day <= p.valid_to)
        found = tuple(sorted(live, key=lambda p: (p.order, p.code)))
        if len(self._in_force) >= MOST_DAYS:
            self._in_force.clear()
        self._in_force[day] = found
        return found
