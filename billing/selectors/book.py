"""The price book in force, read once per process and version."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from base_ops.core import statements
from billing.domain import terms
from billing.domain.catalog import Band, NotPriced, PriceBook, Service, Surge, Tariff, VatRate
from billing.domain.policies import Policy
from billing.domain.policylang import compiling
from billing.domain.terms import STANDARD, Terms
from billing.models import (
    PolicyRow,
    ServiceRow,
    SurgeRow,
    TariffRow,
    TermsRow,
    TimeBandRow,
    VatRateRow,
)
from billing.selectors import shelf

_VERSION = "SELECT serial, fingerprint FROM billing_pricebookversion"
_cached: dict[tuple[int, str], PriceBook] = {}
_terms: dict[str, Terms] = {}


def price_book(fingerprint: str = "") -> PriceBook:
    """The price book in force; no look at the database when the one named is at hand.

    `on` of it is the book of a day.


    Raises:
        NotPriced: none was loaded yet.
    """
    for book in list(_cached.values()):
        if book.named(fingerprint) is not None:
            return book
    found = statements.first(_VERSION)
    if found is None:
        raise NotPriced("no price book was loaded yet")
    return book_of((int(found[0]), str(found[1])))


def book_of(version: tuple[int, str]) -> PriceBook:
    """The price book of the serial and fingerprint that are in force."""
    if (at_hand := _cached.get(version)) is not None:
        return at_hand
    fresh = shelf.with_later(_read(version[1]))
    _cached.clear()
    _cached[version] = fresh
    return fresh


def _read(fingerprint: str) -> PriceBook:
    tariffs = TariffRow.objects.order_by("version", "position")
    return PriceBook(
        version=fingerprint,
        bands=tuple(_band(row) for row in TimeBandRow.objects.all()),
        tariffs={row.code: _tariff(row) for row in tariffs},
        surges=tuple(_surge(row) for row in SurgeRow.objects.all()),
        services={row.code: _service(row) for row in ServiceRow.objects.all()},
        vat_rates=tuple(
            VatRate(r.category, r.valid_from, r.rate.normalize()) for r in VatRateRow.objects.all()
        ),
        policies=tuple(_latest_policies()),
        terms=terms_of(fingerprint),
    )


def terms_of(fingerprint: str) -> Terms:
    """The terms of the price book of that name, in force or not.

    Books that were loaded before terms were kept had the usual ones.
    """
    found = terms_of_many([fingerprint])
    return found[fingerprint]


def terms_of_many(fingerprints: Collection[str]) -> dict[str, Terms]:
    """The terms of several books; a process reads each once, for they never change."""
    wanted = set(fingerprints) - _terms.keys() - {""}
    if wanted:
        for row in TermsRow.objects.filter(fingerprint__in=wanted):
            faults: list[str] = []
            _terms[row.fingerprint] = terms.read(row.terms, faults)
            if faults:
                raise ValueError(f"terms of {row.fingerprint}: {faults}")
    return {name: _terms.get(name, STANDARD) for name in fingerprints}


def _latest_policies() -> list[Policy]:
    """Every version, each ending where a newer one of the same code begins."""
    rows = list(PolicyRow.objects.filter(state="active").order_by("code", "-version"))
    found: list[Policy] = []
    newer: dict[str, Any] = {}
    for row in rows:
        last = row.valid_to
        if row.code in newer:
            last = min(last, newer[row.code] - timedelta(days=1))
            if last < row.valid_from:
                continue
        days = {"valid_from": row.valid_from.isoformat(), "valid_to": last.isoformat()}
        data: dict[str, Any] = row.data | days
        newer[row.code] = row.valid_from
        found.append(compiling.load(data, label=(row.label_zh, row.label_en)))
    return found


def _band(row: TimeBandRow) -> Band:
    return Band(row.code, row.name_zh, row.name_en, row.from_min, row.to_min)


def _tariff(row: TariffRow) -> Tariff:
    return Tariff(
        code=row.code,
        name_zh=row.name_zh,
        hourly_fen=row.hourly_fen,
        session_fen=row.session_fen,
        monthly_per_m2_fen=row.monthly_per_m2_fen,
        unit=row.unit,
        unit_period=row.unit_period,
        unit_price_fen=row.unit_price_fen,
        vat_hourly=row.vat_hourly,
        vat_monthly=row.vat_monthly,
        included_wh_per_hour=row.included_wh_per_hour,
        includes_zh=row.includes_zh,
        version=row.version,
    )


def _surge(row: SurgeRow) -> Surge:
    return Surge(
        code=row.code,
        name_zh=row.name_zh,
        name_en=row.name_en,
        first=_month_day(row.from_md),
        last=_month_day(row.to_md),
        multiplier=row.multiplier,
        bands=frozenset(row.bands),
    )


def _month_day(text: str) -> tuple[int, int]:
    month, day = text.split("-")
    return int(month), int(day)


def _service(row: ServiceRow) -> Service:
    return Service(
        code=row.code,
        name_zh=row.name_zh,
        name_en=row.name_en,
        unit=row.unit,
        price_fen=row.price_fen,
        vat_category=row.vat_category,
        price_note=row.price_note,
    )
