"""A price book written down in the words that `reading.read_prices` understands."""

from collections.abc import Mapping
from typing import Any

from base_ops.core import money
from billing.domain.catalog import Band, OwnPrices, PriceBook, Service, Surge, Tariff
from billing.domain.terms import Terms


def as_document(book: PriceBook) -> dict[str, Any]:
    """The book as a document; price models have their words in the list they came from."""
    return {
        "time_bands": [_band(band) for band in book.bands],
        "surge_calendar": [_surge(surge) for surge in book.surges],
        "day_prices": [
            {
                "code": p.code, "name_zh": p.name_zh, "name_en": p.name_en,
                "kinds": sorted(p.kinds), "factor": str(p.factor), "bands": sorted(p.bands),
            }
            for p in book.day_prices
        ],
        "vat_rates": [
            {"category": r.category, "valid_from": r.valid_from.isoformat(), "rate": str(r.rate)}
            for r in book.vat_rates
        ],
        "tariffs": [_tariff(tariff) for tariff in book.tariffs.values()],
        "services": [_service(service) for service in book.services.values()],
        "pricing_rules": _terms(book.terms),
    }  # fmt: skip


def _terms(terms: Terms) -> dict[str, Any]:
    """All of them, usual or not."""
    deposits = {name: money.yuan(fen) for name, fen in terms.deposits_fen}
    return terms.as_json() | {
        "no_show": {"fee_pct": str(terms.no_show_pct)},
        "late_fee_per_day": str(terms.late_fee_per_day),
        "deposit": {"monthly_months": terms.deposit_months} | deposits,
    }


def _band(band: Band) -> dict[str, Any]:
    return {
        "code": band.code,
        "name_zh": band.name_zh,
        "name_en": band.name_en,
        "from_time": _time(band.from_min),
        "to_time": _time(band.to_min),
    }


def _time(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _surge(surge: Surge) -> dict[str, Any]:
    return {
        "code": surge.code,
        "name_zh": surge.name_zh,
        "name_en": surge.name_en,
        "from_md": f"{surge.first[0]:02d}-{surge.first[1]:02d}",
        "to_md": f"{surge.last[0]:02d}-{surge.last[1]:02d}",
        "multiplier": str(surge.multiplier),
        "bands": sorted(surge.bands),
    }


def _tariff(tariff: Tariff) -> dict[str, Any]:
    unit = {"unit": tariff.unit, "period": tariff.unit_period}
    return {
        "code": tariff.code,
        "name_zh": tariff.name_zh,
        "currency": "CNY",
        "tax_inclusive": True,
        "hourly": _prices(tariff.hourly_fen),
        "session_4h": _prices(tariff.session_fen),
        "by_day": {str(kind): _own(own) for kind, own in sorted(tariff.by_day.items())},
        "monthly_per_m2": _yuan(tariff.monthly_per_m2_fen),
        "unit_price": (
            None
            if tariff.unit_price_fen is None
            else unit | {"price": money.yuan(tariff.unit_price_fen)}
        ),
        "includes_zh": tariff.includes_zh,
        "included_wh_per_hour": tariff.included_wh_per_hour,
        "vat_hourly": tariff.vat_hourly,
        "vat_monthly": tariff.vat_monthly,
    }


def _own(own: OwnPrices) -> dict[str, Any]:
    return {"hourly": _prices(own.hourly_fen), "session_4h": _prices(own.session_fen)}


def _prices(fen: Mapping[str, int]) -> dict[str, str] | None:
    return {band: money.yuan(price) for band, price in fen.items()} or None


def _yuan(fen: int | None) -> str | None:
    return None if fen is None else money.yuan(fen)


def _service(service: Service) -> dict[str, Any]:
    return {
        "code": service.code,
        "name_zh": service.name_zh,
        "name_en": service.name_en,
        "unit": service.unit,
        "price": _yuan(service.price_fen),
        "price_note": service.price_note,
        "vat_category": service.vat_category,
    }
