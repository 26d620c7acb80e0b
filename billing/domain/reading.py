"""Read the data file's price book; every fault is found, none is guessed around."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from base_ops.core import money
from base_ops.core.workdays import DayKind
from billing.domain import policies, pricemodels, terms
from billing.domain.catalog import (
    Band,
    DayPrice,
    OwnPrices,
    PriceBook,
    Service,
    Surge,
    Tariff,
    VatRate,
)
from billing.domain.labels import (
    BAND_NAMES,
    POLICY_LABELS,
    SERVICE_NAMES_EN,
    SURGE_NAMES_EN,
)
from billing.domain.policylang import compiling
from billing.domain.policylang.source import Refused

T = TypeVar("T")
LISTS = ("time_bands", "surge_calendar", "tariffs", "services", "policies")
PARTS = (*LISTS, "vat_rates")
PRICES = (*[part for part in PARTS if part != "policies"], "day_prices")
"""What a price book says beside its terms; policies have versions of their own."""
FIRST_DAY = date(2020, 1, 1)
DAY_MIN = 24 * 60
INCLUDED = re.compile(r"电\((\d+) ?kWh/h\)")


class BookFaults(ValueError):
    """The data cannot be used; `faults` names every reason."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


def read_book(data: Mapping[str, Any]) -> PriceBook:
    """The price book in the data file, with its policies.

    Raises:
        BookFaults: something is missing, malformed, overlapping or open.
    """
    faults = [] if data.get("policies") else ["policies: missing"]
    rows = _rows(data, "policies", faults)
    found = _each(rows, _policy, "policies", faults)
    faults += _twice("policies", [f"{p.code} v{p.version}" for p in found])
    try:
        book = read_prices(data)
    except BookFaults as exc:
        raise BookFaults([*exc.faults, *faults]) from exc
    if faults:
        raise BookFaults(faults)
    return replace(book, version=fingerprint(data, book.terms), policies=tuple(found))


def read_prices(data: Mapping[str, Any]) -> PriceBook:
    """The prices and terms alone.

    Raises:
        BookFaults: something is missing, malformed, overlapping or open.
    """
    faults = [f"{part}: missing" for part in PRICES if part != "day_prices" and not data.get(part)]
    rows = {part: _rows(data, part, faults) for part in PRICES if part != "vat_rates"}
    bands = _each(rows["time_bands"], _band, "time_bands", faults)
    surges = _each(rows["surge_calendar"], _surge, "surge_calendar", faults)
    services = _each(rows["services"], _service, "services", faults)
    days = _each(rows["day_prices"], _day_price, "day_prices", faults)
    tariffs = _tariffs(rows["tariffs"], faults)
    rates = _rates(data.get("vat_rates"), faults)
    agreed = terms.read(data.get("pricing_rules"), faults)
    faults += _band_faults(bands)
    faults += _references(bands, tariffs, services, surges, {r.category for r in rates})
    faults += _twice("tariffs", [t.code for t in tariffs])
    faults += _twice("services", [s.code for s in services])
    faults += _twice("surge_calendar", [s.code for s in surges])
    if faults:
        raise BookFaults(faults)
    return PriceBook(
        version=fingerprint({part: data.get(part) for part in PRICES}, agreed),
        bands=tuple(sorted(bands, key=lambda b: b.from_min)),
        tariffs={t.code: t for t in tariffs},
        surges=tuple(surges),
        services={s.code: s for s in services},
        vat_rates=tuple(rates),
        policies=(),
        terms=agreed,
        day_prices=tuple(days),
    )


def _twice(part: str, codes: Sequence[str]) -> list[str]:
    return [f"{part}: {code} twice" for code, n in Counter(codes).items() if n > 1]


def _rows(data: Mapping[str, Any], part: str, faults: list[str]) -> list[Mapping[str, Any]]:
    """The objects of a list; anything else is a fault."""
    rows = data.get(part) or []
    if not isinstance(rows, list):
        faults.append(f"{part}: not a list")
        return []
    faults += [
        f"{part}[{i}]: not an object" for i, r in enumerate(rows) if not isinstance(r, dict)
    ]
    return [row for row in rows if isinstance(row, dict)]


def fingerprint(data: Mapping[str, Any], agreed: terms.Terms) -> str:
    """A short name of exactly these prices, policies and terms."""
    said = {part: data.get(part) for part in PARTS} | {"terms": agreed.as_json()}
    if data.get("day_prices"):
        said["day_prices"] = data["day_prices"]
    text = json.dumps(said, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _each(rows: Sequence[Any], read: Callable[[Any], T], part: str, faults: list[str]) -> list[T]:
    """Read every row; a row that cannot be read becomes a fault."""
    found: list[T] = []
    for place, row in enumerate(rows):
        try:
            found.append(read(row))
        except policies.PolicyRefused as exc:
            faults += [f"{part}[{place}]: {fault}" for fault in exc.faults]
        except (KeyError, TypeError, ValueError, InvalidOperation, AttributeError) as exc:
            whole = row[0] if isinstance(row, tuple) else row
            faults.append(f"{part}[{whole.get('code', place)}]: {exc!r}")
    return found


def _band(row: Mapping[str, Any]) -> Band:
    code = row["code"]
    zh, en = BAND_NAMES.get(code, (row["name_zh"], code))
    if "name_en" in row:
        zh, en = row["name_zh"], row["name_en"]
    return Band(code, zh, en, _minutes(row["from_time"]), _minutes(row["to_time"]))


def _minutes(text: str) -> int:
    """Minutes after midnight of "HH:MM"; "24:00" ends a day."""
    match = re.fullmatch(r"(\d\d):(\d\d)", text)
    if not match or int(match[2]) > 59 or int(match[1]) * 60 + int(match[2]) > DAY_MIN:
        raise ValueError(f"not a time of day: {text!r}")
    return int(match[1]) * 60 + int(match[2])


def _surge(row: Mapping[str, Any]) -> Surge:
    multiplier = Decimal(row["multiplier"])
    if not multiplier.is_finite() or multiplier < 1:
        raise ValueError(f"multiplier {multiplier} below 1")
    return Surge(
        code=row["code"],
        name_zh=row["name_zh"],
        name_en=row.get("name_en") or SURGE_NAMES_EN.get(row["code"], row["code"]),
        first=_month_day(row["from_md"]),
        last=_month_day(row["to_md"]),
        multiplier=multiplier,
        bands=frozenset(row["bands"]),
    )


def _month_day(text: str) -> tuple[int, int]:
    day = date.fromisoformat(f"2024-{text}")
    return day.month, day.day


def _service(row: Mapping[str, Any]) -> Service:
    """A service; a price that is not an amount (such as 3%-8%) means by agreement."""
    price = "" if row["price"] is None else str(row["price"])
    agreed = "%" in price or not price
    return Service(
        code=row["code"],
        name_zh=row["name_zh"],
        name_en=row.get("name_en") or SERVICE_NAMES_EN.get(row["code"], row["name_zh"]),
        unit=row["unit"],
        price_fen=None if agreed else _price(price),
        vat_category=row.get("vat_category", "modern_service_6"),
        price_note=row.get("price_note", price) if agreed else "",
        model=pricemodels.read(row["price_model"]) if row.get("price_model") else None,
    )


def _policy(row: Mapping[str, Any]) -> policies.Policy:
    try:
        return compiling.load(row, label=POLICY_LABELS.get(row.get("code", "")))
    except Refused as exc:
        said = [f"{row.get('code')}: {fault.path}: {fault.reason.en}" for fault in exc.faults]
        raise policies.PolicyRefused(said) from exc


def _tariffs(rows: Sequence[Mapping[str, Any]], faults: list[str]) -> list[Tariff]:
    """Tariffs; 同上 ("as above") carries the included energy on to the next."""
    above: int | None = None
    prepared = []
    for row in rows:
        text = str(row.get("includes_zh", ""))
        match = INCLUDED.search(text)
        included = int(match[1]) * 1000 if match else (above if "同上" in text else None)
        if "included_wh_per_hour" in row:
            included = row["included_wh_per_hour"]
        above = included
        prepared.append((row, included))
    return _each(prepared, lambda pair: _tariff(*pair), "tariffs", faults)


def _tariff(row: Mapping[str, Any], included_wh: int | None) -> Tariff:
    if row.get("currency") != "CNY" or row.get("tax_inclusive") is not True:
        raise ValueError("only tax-inclusive prices in CNY are understood")
    unit = row.get("unit_price") or {}
    return Tariff(
        code=row["code"],
        name_zh=row["name_zh"],
        hourly_fen={band: _price(p) for band, p in (row["hourly"] or {}).items()},
        session_fen={band: _price(p) for band, p in (row["session_4h"] or {}).items()},
        monthly_per_m2_fen=_price(row["monthly_per_m2"]) if row["monthly_per_m2"] else None,
        unit=unit.get("unit", ""),
        unit_period=unit.get("period", ""),
        unit_price_fen=_price(unit["price"]) if unit else None,
        vat_hourly=row["vat_hourly"],
        vat_monthly=row["vat_monthly"],
        included_wh_per_hour=included_wh,
        includes_zh=row.get("includes_zh") or "",
        by_day={DayKind(k): _own(prices) for k, prices in (row.get("by_day") or {}).items()},
    )


def _own(row: Mapping[str, Any]) -> OwnPrices:
    return OwnPrices(
        hourly_fen={band: _price(p) for band, p in row["hourly"].items()},
        session_fen={band: _price(p) for band, p in (row.get("session_4h") or {}).items()},
    )


def _day_price(row: Mapping[str, Any]) -> DayPrice:
    factor = Decimal(row["factor"])
    if not factor.is_finite() or factor <= 0:
        raise ValueError(f"factor {factor} is not above 0")
    return DayPrice(
        code=row["code"],
        name_zh=row["name_zh"],
        name_en=row.get("name_en") or row["code"],
        kinds=frozenset(DayKind(kind) for kind in row["kinds"]),
        factor=factor,
        bands=frozenset(row["bands"]),
    )


def _price(yuan: str) -> int:
    fen = money.fen(yuan)
    if fen < 0:
        raise ValueError(f"negative price: {yuan}")
    return fen


def _rates(rows: object, faults: list[str]) -> list[VatRate]:
    """VAT rates; those without dates hold from the first day."""
    found = []
    for category, first, text in _dated(rows, faults):
        try:
            rate = Decimal(text)
        except (InvalidOperation, TypeError, ValueError):
            faults.append(f"vat_rates[{category}]: not a rate: {text!r}")
            continue
        if not rate.is_finite() or not 0 <= rate < 1:
            faults.append(f"vat_rates[{category}]: {text} is not between 0 and 1")
            continue
        found.append(VatRate(category, first, rate))
    return found


def _dated(rows: object, faults: list[str]) -> list[tuple[str, date, Any]]:
    """(category, first day, rate) of either form."""
    if isinstance(rows, dict):
        return [(category, FIRST_DAY, text) for category, text in rows.items()]
    found = []
    for place, row in enumerate(rows if isinstance(rows, list) else []):
        try:
            first = date.fromisoformat(row["valid_from"])
            found.append((str(row["category"]), first, row["rate"]))
        except (KeyError, TypeError, ValueError) as exc:
            faults.append(f"vat_rates[{place}]: {exc!r}")
    return found


def _band_faults(bands: Sequence[Band]) -> list[str]:
    """The bands must cover the day exactly once."""
    faults, at = [], 0
    for band in sorted(bands, key=lambda b: b.from_min):
        if band.from_min > at:
            faults.append(f"time_bands: hole before {band.code} at minute {at}")
        if band.from_min < at:
            faults.append(f"time_bands: {band.code} overlaps the band before")
        if band.to_min <= band.from_min:
            faults.append(f"time_bands: {band.code} is empty")
        at = max(at, band.to_min)
    return faults + ([f"time_bands: hole after minute {at}"] if bands and at < DAY_MIN else [])


def _references(
    bands: Sequence[Band],
    tariffs: Sequence[Tariff],
    services: Sequence[Service],
    surges: Sequence[Surge],
    vat: set[str],
) -> list[str]:
    """Names that lead nowhere, and tariffs with a hole in the day."""
    known = {b.code for b in bands}
    faults = []
    for tariff in tariffs:
        for what, prices in (("hourly", tariff.hourly_fen), ("session_4h", tariff.session_fen)):
            if prices and set(prices) != known:
                faults.append(f"tariffs[{tariff.code}]: {what} must name each band once")
        used = {tariff.vat_hourly, tariff.vat_monthly} - vat
        faults += [f"tariffs[{tariff.code}]: unknown VAT category {c}" for c in sorted(used)]
    for surge in surges:
        for band in sorted(surge.bands - known):
            faults.append(f"surge_calendar[{surge.code}]: unknown band {band}")
    for service in services:
        if service.vat_category not in vat:
            faults.append(f"services[{service.code}]: unknown VAT category")
    return faults
