"""Checks a price list's document: every fault at once, by field, with a reason in two languages.

What passes here is read by `reading.read_prices` without a fault.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from base_ops.core.errors import FieldFault
from base_ops.core.workdays import DayKind
from billing.domain import bookrules, needs, pricemodels
from billing.domain.bookwords import DAY_MIN, Row, Words
from billing.domain.needs import Needs
from billing.domain.reading import PRICES, BookFaults, read_prices

NOTHING = Needs()
KINDS = {str(kind) for kind in DayKind}
_BAND = ("code", "name_zh", "name_en", "from_time", "to_time")
_SURGE = ("code", "name_zh", "name_en", "from_md", "to_md", "multiplier", "bands")
_DAY_PRICE = ("code", "name_zh", "name_en", "kinds", "factor", "bands")
_TARIFF = (
    "code", "name_zh", "currency", "tax_inclusive", "hourly", "session_4h", "by_day",
    "monthly_per_m2", "unit_price", "includes_zh", "included_wh_per_hour", "vat_hourly",
    "vat_monthly",
)  # fmt: skip
_SERVICE = (
    "code", "name_zh", "name_en", "unit", "price", "price_note", "price_model", "vat_category",
)  # fmt: skip


def check(
    document: Mapping[str, Any], *, valid_from: date, wanted: Needs = NOTHING
) -> list[FieldFault]:
    """Everything that is wrong with the document as a price list from that day on.

    Args:
        document: prices and terms in the words of the data file.
        valid_from: the day from which it shall count; each VAT rate must be known on it.
        wanted: what must have a price, because it is let or lent.
    """
    words = Words()
    words.known(document, "document", *PRICES, "pricing_rules")
    bands = _bands(words, document)
    rates = _rates(words, document, valid_from)
    _surges(words, document, bands)
    _day_prices(words, document, bands)
    _tariffs(words, document, bands, rates)
    _services(words, document, rates)
    bookrules.check(words, document)
    return words.faults or _whole(document, wanted)


def _whole(document: Mapping[str, Any], wanted: Needs) -> list[FieldFault]:
    """What only a readable book shows."""
    try:
        book = read_prices(document)
    except BookFaults as exc:
        return [FieldFault("document", f"无法读取：{f}", f) for f in exc.faults]
    return list(needs.lacking(book, wanted))


def _bands(words: Words, document: Row) -> set[str]:
    """The codes of the bands, which must cover the day exactly once."""
    seen: set[str] = set()
    spans: list[tuple[int, int, str, str]] = []
    for where, row in words.rows(document, "time_bands"):
        words.known(row, where, *_BAND)
        code = words.code(row, where, seen)
        words.text(row, "name_zh", where, most=32)
        words.text(row, "name_en", where, most=32)
        first = words.time(row.get("from_time"), f"{where}.from_time")
        last = words.time(row.get("to_time"), f"{where}.to_time")
        if first is None or last is None:
            continue
        if last <= first:
            words.fault(
                f"{where}.to_time", "时段为空：须晚于开始", "empty: must end after it begins"
            )
        else:
            spans.append((first, last, where, code or "?"))
    _cover(words, sorted(spans))
    return seen


def _cover(words: Words, spans: list[tuple[int, int, str, str]]) -> None:
    if not spans:
        return
    if spans[0][0] > 0:
        _hole(words, 0, spans[0][0])
    at = spans[0]
    for span in spans[1:]:
        if span[0] < at[1]:
            words.fault(
                f"{span[2]}.from_time", f"与时段 {at[3]} 重叠", f"overlaps the band {at[3]}"
            )
        elif span[0] > at[1]:
            _hole(words, at[1], span[0])
        at = max(at, span, key=lambda s: s[1])
    if at[1] < DAY_MIN:
        _hole(words, at[1], DAY_MIN)


def _hole(words: Words, first: int, last: int) -> None:
    times = f"{first // 60:02d}:{first % 60:02d}–{last // 60:02d}:{last % 60:02d}"
    words.fault("time_bands", f"{times} 没有时段", f"no band covers {times}")


def _rates(words: Words, document: Row, valid_from: date) -> dict[str, bool]:
    """VAT categories, and whether a rate of each is known on the day."""
    value = document.get("vat_rates")
    if isinstance(value, dict) and value:  # without dates: from the first day on
        for category, rate in value.items():
            words.share(rate, f"vat_rates.{category}"[:120])
        return dict.fromkeys(value, True)
    found: dict[str, bool] = {}
    seen: set[tuple[str, date]] = set()
    for where, row in words.rows(document, "vat_rates"):
        words.known(row, where, "category", "valid_from", "rate")
        words.share(row.get("rate"), f"{where}.rate")
        category = words.text(row, "category", where, most=32)
        first = words.day(row.get("valid_from"), f"{where}.valid_from")
        if category is None or first is None:
            continue
        if (category, first) in seen:
            words.fault(f"{where}.valid_from", "同日税率重复", "two rates from the same day")
        seen.add((category, first))
        found[category] = found.get(category, False) or first <= valid_from
    return found


def _vat(words: Words, value: object, where: str, rates: Mapping[str, bool]) -> None:
    if not isinstance(value, str) or value not in rates:
        words.fault(where, "未知的增值税类别", "unknown VAT category")
    elif not rates[value]:
        words.fault(
            where, f"生效日尚无 {value} 的税率", f"no rate of {value} is known on the first day"
        )


def _surges(words: Words, document: Row, bands: set[str]) -> None:
    seen: set[str] = set()
    for where, row in words.rows(document, "surge_calendar"):
        words.known(row, where, *_SURGE)
        words.code(row, where, seen)
        words.text(row, "name_zh", where, most=80)
        words.text(row, "name_en", where, most=80, least=0)
        words.month_day(row.get("from_md"), f"{where}.from_md")
        words.month_day(row.get("to_md"), f"{where}.to_md")
        words.factor(row.get("multiplier"), f"{where}.multiplier", least=Decimal(1))
        words.names(row.get("bands"), f"{where}.bands", bands, "时段", "band")


def _day_prices(words: Words, document: Row, bands: set[str]) -> None:
    """Factors by kind of day; each kind and band has at most one."""
    seen: set[str] = set()
    taken: dict[tuple[str, str], str] = {}
    for where, row in words.rows(document, "day_prices", needed=False):
        words.known(row, where, *_DAY_PRICE)
        words.code(row, where, seen)
        words.text(row, "name_zh", where, most=40)
        words.text(row, "name_en", where, most=40)
        words.factor(row.get("factor"), f"{where}.factor", least=Decimal("0.01"))
        kinds = words.names(row.get("kinds"), f"{where}.kinds", KINDS, "日类型", "kind of day")
        covered = words.names(row.get("bands"), f"{where}.bands", bands, "时段", "band")
        for kind, band in sorted((k, b) for k in kinds for b in covered):
            if (other := taken.setdefault((kind, band), where)) != where:
                words.fault(
                    where,
                    f"{kind}/{band} 已由 {other} 定价",
                    f"{kind}/{band} is priced by {other}",
                )


def _tariffs(words: Words, document: Row, bands: set[str], rates: Mapping[str, bool]) -> None:
    seen: set[str] = set()
    for where, row in words.rows(document, "tariffs"):
        words.known(row, where, *_TARIFF)
        words.code(row, where, seen)
        words.text(row, "name_zh", where, most=80)
        words.text(row, "includes_zh", where, most=200, least=0)
        if row.get("currency") != "CNY":
            words.fault(f"{where}.currency", "只支持人民币 CNY", "only CNY is understood")
        if row.get("tax_inclusive") is not True:
            words.fault(f"{where}.tax_inclusive", "价格须含税", "prices must include tax")
        _by_hour(words, row, where, bands)
        _by_day(words, row, where, bands)
        _by_month(words, row, where)
        for name in ("vat_hourly", "vat_monthly"):
            _vat(words, row.get(name), f"{where}.{name}", rates)


def _by_hour(words: Words, row: Row, where: str, bands: set[str]) -> None:
    for name in ("hourly", "session_4h"):
        if row.get(name) is not None:
            _table(words, row[name], f"{where}.{name}", bands)
    if row.get("session_4h") is not None and row.get("hourly") is None:
        words.fault(f"{where}.hourly", "有场次价须有小时价", "sessions need hourly prices")
    if row.get("included_wh_per_hour") is not None:
        place = f"{where}.included_wh_per_hour"
        words.whole(row["included_wh_per_hour"], place, least=0, most=10**7)


def _by_month(words: Words, row: Row, where: str) -> None:
    if row.get("monthly_per_m2") is not None:
        words.price(row["monthly_per_m2"], f"{where}.monthly_per_m2")
    _unit_price(words, row.get("unit_price"), f"{where}.unit_price")


def _table(words: Words, value: object, where: str, bands: set[str]) -> None:
    """A price for each band."""
    row = words.row(value, where)
    if row is None:
        return
    for band in sorted(bands - set(row)):
        words.fault(f"{where}.{band}", f"缺少时段 {band} 的价格", f"no price in the band {band}")
    for band, price in row.items():
        if band not in bands:
            words.fault(f"{where}.{band}"[:120], "未知的时段", "unknown band")
        else:
            words.price(price, f"{where}.{band}")


def _by_day(words: Words, tariff: Row, where: str, bands: set[str]) -> None:
    value = tariff.get("by_day")
    kinds = words.row({} if value is None else value, f"{where}.by_day")
    for kind, own in (kinds or {}).items():
        place = f"{where}.by_day.{kind}"[:100]
        if kind not in KINDS:
            words.fault(place, "未知的日类型", "unknown kind of day")
        if tariff.get("hourly") is None:
            words.fault(place, "没有平常的小时价", "there are no usual hourly prices")
        row = words.row(own, place)
        if row is None:
            continue
        words.known(row, place, "hourly", "session_4h")
        _table(words, row.get("hourly"), f"{place}.hourly", bands)
        if row.get("session_4h") is not None:
            _table(words, row["session_4h"], f"{place}.session_4h", bands)


def _unit_price(words: Words, value: object, where: str) -> None:
    row = None if value is None else words.row(value, where)
    if row is None:
        return
    words.known(row, where, "unit", "period", "price")
    words.text(row, "unit", where, most=32)
    words.text(row, "period", where, most=16)
    words.price(row.get("price"), f"{where}.price")


def _services(words: Words, document: Row, rates: Mapping[str, bool]) -> None:
    seen: set[str] = set()
    for where, row in words.rows(document, "services"):
        words.known(row, where, *_SERVICE)
        words.code(row, where, seen)
        words.text(row, "name_zh", where, most=80)
        words.text(row, "name_en", where, most=120)
        words.text(row, "unit", where, most=32)
        words.text(row, "price_note", where, most=40, least=0)
        if row.get("price") is not None:
            words.price(row["price"], f"{where}.price")
        if row.get("price_model") is not None:
            _model(words, row, where)
        _vat(words, row.get("vat_category", "modern_service_6"), f"{where}.vat_category", rates)


def _model(words: Words, row: Row, where: str) -> None:
    model = words.row(row["price_model"], f"{where}.price_model")
    if row.get("price") is None:
        words.fault(f"{where}.price", "有价格模型须有标价", "a price model needs a listed price")
    if model is None:
        return
    try:
        pricemodels.read(model)
    except ValueError as exc:
        words.fault(f"{where}.price_model", f"价格模型有误：{exc}", str(exc))
