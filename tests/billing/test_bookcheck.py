"""A price list's faults: all at once, each with its field and a reason in both languages."""

import json
import random
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.domain import bookcheck, booktext
from billing.domain.bookcheck import NOTHING
from billing.domain.needs import Needs
from billing.domain.reading import read_prices
from tests.billing import lists
from tests.billing.data import book

DAY = date(2027, 1, 1)
Change = Callable[[dict[str, Any]], None]
_DOCUMENT = json.dumps(lists.document())


def faults(change: Change, wanted: Needs = NOTHING) -> dict[str, str]:
    """By field, the English reasons."""
    document = json.loads(_DOCUMENT)
    change(document)
    found = bookcheck.check(document, valid_from=DAY, wanted=wanted)
    assert all(f.reason_zh and f.reason_zh != f.reason_en for f in found)
    return {f.name: f.reason_en for f in found}


def put(path: str, value: Any) -> Change:
    """Set what is at the path, e.g. "tariffs.0.hourly.prime"."""

    def change(document: Any) -> None:
        *way, last = [int(p) if p.isdigit() else p for p in path.split(".")]
        for step in way:
            document = document[step]
        document[last] = value

    return change


def drop(path: str) -> Change:
    """Leave out what is at the path."""

    def change(document: Any) -> None:
        *way, last = [int(p) if p.isdigit() else p for p in path.split(".")]
        for step in way:
            document = document[step]
        del document[last]

    return change


def test_a_written_book_has_no_faults_and_is_the_same_book() -> None:
    found = read_prices(json.loads(_DOCUMENT))

    assert faults(lambda document: None) == {}
    for part in ("bands", "tariffs", "surges", "services", "vat_rates", "terms"):
        assert getattr(found, part) == getattr(book(), part)
    assert booktext.as_document(found) == json.loads(_DOCUMENT)


THERE = [
    ("time_bands.1.from_time", "08:00", "overlaps the band off_peak"),
    ("time_bands.1.to_time", "09:00", "must end after it begins"),
    ("time_bands.1.to_time", "25:00", "a time from"),
    ("tariffs.0.hourly.prime", "-1.00", "cannot be negative"),
    ("tariffs.0.hourly.prime", "1.005", "whole fen"),
    ("tariffs.0.hourly.prime", 90.0, "as text"),
    ("tariffs.0.hourly.prime", "NaN", "as text"),
    ("tariffs.0.hourly.night", "1", "unknown band"),
    ("tariffs.0.hourly", None, "sessions need"),
    ("tariffs.0.vat_hourly", "luxury", "unknown VAT category"),
    ("tariffs.0.tax_inclusive", False, "must include tax"),
    ("tariffs.0.currency", "EUR", "only CNY"),
    ("tariffs.0.surprise", 1, "unknown field"),
    ("tariffs.1.code", "TF-SINGLE", "given twice"),
    ("vat_rates.0.rate", "1.06", "below 1"),
    ("surge_calendar.0.from_md", "02-30", "day of the year"),
    ("surge_calendar.0.multiplier", "0.9", "from 1 to"),
    ("surge_calendar.0.bands", ["night"], "unknown band night"),
    ("services.0.price", "-5", "cannot be negative"),
    ("services.0.vat_category", "x", "unknown VAT"),
    ("services.0.price_model", {"kind": "magic"}, "kind must"),
    ("pricing_rules.late_fee_per_day", "1.5", "below 1"),
    ("pricing_rules.deposit.jewel_room", "-1", "negative"),
    ("pricing_rules.cancellation.2.fee_pct", "10", "must not be cheaper"),
    ("pricing_rules.overtime.per_started_min", 0, "whole number"),
    ("tariffs", [], "missing"),
    ("services", "none", "missing"),
]
HOLIDAY = {"code": "H", "name_zh": "节", "name_en": "h", "kinds": ["holiday"], "bands": ["prime"]}
ELSEWHERE = [
    (put("time_bands.1.from_time", "10:00"), "time_bands", "no band covers 09:00–10:00"),
    (put("time_bands.2.to_time", "23:00"), "time_bands", "no band covers 23:00–24:00"),
    (put("time_bands.0.from_time", "01:00"), "time_bands", "no band covers 00:00–01:00"),
    (put("time_bands.1.code", "prime"), "time_bands.2.code", "given twice"),
    (drop("tariffs.0.hourly.prime"), "tariffs.0.hourly.prime", "no price in the band prime"),
    (put("tariffs.0.by_day", {"xmas": {}}), "tariffs.0.by_day.xmas", "unknown kind of day"),
    (put("tariffs.0.by_day", {"holiday": {"hourly": {"prime": "1"}}}),
     "tariffs.0.by_day.holiday.hourly.standard", "no price in the band standard"),
    (put("tariffs.0.unit_price", {"unit": "seat", "period": "hour", "price": "-2"}),
     "tariffs.0.unit_price.price", "cannot be negative"),
    (put("vat_rates.0.valid_from", "2027-01-02"), "tariffs.0.vat_hourly", "no rate of"),
    (put("pricing_rules.no_show", {"fee_pct": "120"}), "pricing_rules.no_show.fee_pct", "whole"),
    (put("pricing_rules.cancellation.2.hours_before_ge", 1),
     "pricing_rules.cancellation.2", "the last tier"),
    (put("day_prices", [{**HOLIDAY, "factor": "0"}]), "day_prices.0.factor", "from 0.01"),
    (put("day_prices", [{**HOLIDAY, "factor": "1.2"}, {**HOLIDAY, "code": "I", "factor": "2"}]),
     "day_prices.1", "holiday/prime is priced by day_prices.0"),
    (drop("services.9"), "services", "SV-KWH"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [*((put(path, value), path, why) for path, value, why in THERE), *ELSEWHERE],
)
def test_each_fault_names_its_field(change: Change, field: str, reason: str) -> None:
    found = faults(change)

    assert reason in found[field], found


def test_all_faults_come_at_once() -> None:
    def change(document: Any) -> None:
        for one in (
            put("time_bands.1.from_time", "10:00"),
            put("tariffs.0.hourly.prime", "-1"),
            put("tariffs.3.vat_monthly", "luxury"),
            put("services.1.price", "two"),
        ):
            one(document)

    assert set(faults(change)) == {
        "time_bands", "tariffs.0.hourly.prime", "tariffs.3.vat_monthly", "services.1.price",
    }  # fmt: skip


def test_what_is_let_or_lent_needs_its_price() -> None:
    wanted = Needs(
        {("TF-SINGLE", "single"): "3F-01", ("TF-GONE", "single"): "3F-02",
         ("TF-VIRT", "monthly"): "3F-03", ("TF-DESK", "single"): "3F-04",
         ("TF-DESK", "monthly"): "3F-05"},
        frozenset({"SV-CAM", "SV-MK"}),
    )  # fmt: skip

    found = bookcheck.check(json.loads(_DOCUMENT), valid_from=DAY, wanted=wanted)

    assert [(f.name, f.reason_en) for f in found] == [
        ("tariffs.TF-DESK", "has no price for single bookings: space 3F-04 needs it"),
        ("tariffs", "tariff TF-GONE is missing: space 3F-02 needs it"),
        ("tariffs.TF-VIRT", "has no price for a lease by the month: space 3F-03 needs it"),
        ("services", "service SV-MK needs a price by the hour: equipment is lent by it"),
    ]


ODD = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        1.5,
        "",
        "-3",
        "1e999",
        "24:00",
        [],
        {},
        ["x"],
        {"a": 1},
        "x" * 200,
        "\\x00",
    ]
)


@settings(max_examples=150)
@given(st.integers(0, 2**32), st.lists(ODD, min_size=1, max_size=3))
def test_any_change_is_either_a_fault_or_a_book_that_can_be_read(
    seed: int, odd: list[Any]
) -> None:
    dice = random.Random(seed)
    document = json.loads(_DOCUMENT)
    for value in odd:
        place: Any = document
        while True:
            key = (
                dice.choice(list(place)) if isinstance(place, dict) else dice.randrange(len(place))
            )
            if not place[key] or not isinstance(place[key], dict | list) or dice.random() < 0.1:
                place[key] = value
                break
            place = place[key]

    if not bookcheck.check(document, valid_from=DAY):
        assert read_prices(document).tariffs
