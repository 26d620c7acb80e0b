"""The demo's discounts written in the language give the same price as their short form."""

import json
import random
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base_ops.core.spans import Span
from billing.domain import rating
from billing.domain.catalog import PriceBook
from billing.domain.labels import POLICY_LABELS
from billing.domain.policylang import cases, compiling, judging, rules
from billing.domain.policylang.upgrading import upgrade
from billing.domain.quote import Quote
from billing.domain.rating import RoomWish
from billing.domain.reading import BookFaults, read_book
from billing.domain.situation import Situation
from billing.domain.texts import local_day
from tests.billing import test_golden as golden
from tests.billing.data import VECTORS, book, demo
from tests.billing.policylang.documents import BOOKING, document
from tests.billing.test_rating import PLAIN, ROOMS, SITUATIONS, STARTS, wish

WRITTEN = json.loads((VECTORS / "demo_policies.json").read_text("utf-8"))


@cache
def in_language(order: int = 0) -> PriceBook:
    """The same book with every policy in the language, in one of many orders."""
    written = random.Random(order).sample(WRITTEN, len(WRITTEN))
    return replace(read_book(demo() | {"policies": written}), version=book().version)


def test_every_demo_policy_is_written_in_the_language() -> None:
    upgraded = [upgrade(p, POLICY_LABELS.get(p["code"])) for p in demo()["policies"]]

    assert upgraded == WRITTEN
    assert [rules.read(p).code for p in WRITTEN] == [f"P{n:02}" for n in range(1, 18)]


@settings(max_examples=1000, deadline=None)
@given(STARTS, st.integers(1, 40), ROOMS, SITUATIONS, st.integers(0, 50))
def test_the_language_and_the_short_form_give_the_same_quote_in_any_order(
    start: datetime, half_hours: int, room: tuple[str, str], known: Situation, order: int
) -> None:
    when = Span(start, start + timedelta(minutes=30 * half_hours))
    asked = RoomWish("房间", "Room", room[0], room[1], when)
    known = replace(known, on=local_day(start), space_type=room[0])

    short = rating.rate(asked, book=book(), situation=known)

    assert rating.rate(asked, book=in_language(order), situation=known) == short


@pytest.mark.parametrize("invoice", demo()["golden_invoices"], ids=lambda g: g["code"])
def test_golden_invoices_come_out_of_the_language_too(
    invoice: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(golden, "book", in_language)

    golden.test_golden_invoice_to_the_fen(invoice)


def test_the_site_subsidy_is_a_claim_and_never_above_half_of_what_was_paid() -> None:
    rule = rules.read(next(p for p in WRITTEN if p["code"] == "P03"))
    known = {"booking_mode": "monthly", "category": "brand", "rating": "B", "area_m2": "250"}
    papers = [paper.key for paper in rule.evidence]

    def given_for(months: int, paid: str) -> int:
        facts = known | {"months": months, "rent_paid": paid}
        case = cases.read({"facts": facts, "evidence": papers, "approved": True}, rule)
        return judging.judge(rule, case).amount_fen

    assert given_for(12, "1000000") == 200 * 30 * 12 * 100
    assert given_for(30, "1000000") == 200 * 30 * 24 * 100
    assert given_for(12, "100000.01") == 5_000_001


def test_a_condition_beyond_the_short_form_is_judged_in_the_price() -> None:
    either = {
        "any": [
            {"fact": "town", "in": ["大石街道"]},
            {"all": [{"fact": "month_hours", "gt": "20"}, {"fact": "rating", "is": "A"}]},
        ]
    }
    policy = compiling.load(BOOKING | {"when": either, "order": 25})
    with_it = replace(book(), policies=(policy,))

    def quoted(**known: Any) -> Quote:
        at = replace(PLAIN, on=date(2026, 11, 16), space_type="studio_single", **known)
        return rating.rate(wish("11-16 10:00", 2), book=with_it, situation=at)

    assert quoted(town="大石街道").discount_fen == 1200
    assert quoted(rating="A", month_half_hours=41).discount_fen == 1200
    refused = quoted(town="沙湾街道", rating="A", month_half_hours=40)
    assert refused.discount_fen == 0
    (verdict,) = refused.policies
    assert "须大于20（现为20）" in verdict.reason_zh
    assert verdict.unlock_en is not None


def test_a_claims_rule_in_the_book_leaves_prices_alone() -> None:
    policy = compiling.load(document())

    quote = rating.rate(
        wish("11-16 10:00", 2), book=replace(book(), policies=(policy,)), situation=PLAIN
    )

    assert (policy.kind, quote.discount_fen, quote.policies) == ("claim", 0, ())


def test_a_fault_in_the_data_file_names_policy_path_and_reason() -> None:
    bad = document(code="X9", benefit={"divide": "1", "by": "0"})

    with pytest.raises(BookFaults, match=r"X9: benefit\.by: must be above zero"):
        read_book(demo() | {"policies": [*demo()["policies"], bad]})
