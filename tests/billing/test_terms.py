"""Terms of cancelling and of running over: published ones of others, faults, and frozen quotes.

The published policies speak of refunds and credits, the terms of fees: a refund is what was paid
less the fee. A deposit that is kept is a fee of the deposit's share of the price.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from base_ops.core import money
from base_ops.core.spans import Span
from billing import importers, selectors, services
from billing.domain import aftermath
from billing.domain.facts import BookingFacts
from billing.domain.quote import line
from billing.domain.reading import BookFaults, read_book
from billing.domain.terms import STANDARD, Terms, read
from billing.domain.texts import Bi
from billing.models import Charge, TermsRow
from tests import make
from tests.billing import world
from tests.billing.data import book, demo
from tests.booking.vectors import cases

START = datetime(2026, 11, 18, 11, 0, tzinfo=UTC)
END = START + timedelta(hours=4)
NAMES = Bi("房间", "Room")
PUBLISHED = {param.values[0]["id"]: param.values[0] for param in cases("policies_published")}


def terms(**rules: Any) -> Terms:
    faults: list[str] = []
    found = read(rules, faults)
    assert faults == []
    return found


def room(fen: int) -> dict[str, Any]:
    entry = line("room", NAMES, fen, vat=("x", Decimal("0.06")), start=START, end=END)
    return {"lines": [entry.as_json()], "tariff_version": "v"}


def fee(fen: int, agreed: Terms, *, hours_before: float) -> int:
    """What is charged for cancelling, which is also what a screen says before."""
    at = START - timedelta(hours=hours_before)
    facts = BookingFacts(
        booking_code="BK1", tenant_id=1, space_id=1, span=Span(START, END),
        outcome="cancelled", quote=room(fen), cancelled_at=at,
    )  # fmt: skip
    owed = aftermath.owed(facts, names=NAMES, tariff="", book=book(), terms=agreed)
    charged = sum(entry.gross_fen for _, entry in owed)
    assert charged == aftermath.cancellation_fen(facts.quote, starts_at=START, at=at, terms=agreed)
    return charged


@pytest.mark.parametrize("row", PUBLISHED["cancel-tiers-grapefruit"]["cases"])
def test_grapefruits_refund_tiers(row: dict[str, Any]) -> None:
    first, middle, last = PUBLISHED["cancel-tiers-grapefruit"]["policy"]["tiers"]
    assert last["less_than_hours_before"] == middle["at_least_hours_before"]
    bounds = [
        (first, {"hours_before_gt": first["more_than_hours_before"]}),
        (middle, {"hours_before_ge": middle["at_least_hours_before"]}),
        (last, {"hours_before_ge": 0}),
    ]
    tiers = [{"fee_pct": str(100 - t["refund_percent"])} | bound for t, bound in bounds]
    paid = money.fen(row["paid"])

    cost = fee(paid, terms(cancellation=tiers), hours_before=row["hours_before_start"])

    assert paid - cost == money.fen(row["refund"])


@pytest.mark.parametrize("row", PUBLISHED["overtime-habitus"]["cases"])
def test_habitus_overrun(row: dict[str, Any]) -> None:
    policy = PUBLISHED["overtime-habitus"]["policy"]
    agreed = terms(
        overtime={
            "grace_min": policy["grace_minutes"],
            "per_started_min": policy["per_started_minutes"],
            "step_price": policy["price"],
        }
    )
    over = Span(END, END + timedelta(minutes=row["minutes_over"]))
    facts = BookingFacts(
        booking_code="BK1", tenant_id=1, space_id=1, span=Span(START, END),
        outcome="completed", quote=room(10_000), ended_at=over.end, overtime=over,
    )  # fmt: skip

    owed = dict(aftermath.owed(facts, names=NAMES, tariff="TF-SINGLE", book=book(), terms=agreed))

    charge = owed["overtime"].gross_fen if "overtime" in owed else 0
    assert charge == money.fen(row["charge"])


@pytest.mark.parametrize(
    "row", [c for c in PUBLISHED["minimum-convertr"]["cases"] if "deposit" in c]
)
def test_convertrs_deposit_is_credited_or_kept(row: dict[str, Any]) -> None:
    policy = PUBLISHED["minimum-convertr"]["policy"]
    agreed = terms(
        cancellation=[
            {
                "hours_before_ge": policy["credit_if_cancelled_at_least_hours_before"],
                "fee_pct": "0",
            },
            {"hours_before_ge": 0, "fee_pct": str(policy["deposit_percent"])},
        ]
    )
    deposit = money.fen(row["deposit"])
    price = deposit * 100 // policy["deposit_percent"]

    cost = fee(price, agreed, hours_before=row["cancel_hours_before"])

    assert deposit - cost == money.fen(row["credit"])


def test_the_demo_file_says_what_is_usual() -> None:
    assert book().terms == STANDARD
    assert read_book({k: v for k, v in demo().items() if k != "pricing_rules"}).terms == STANDARD


@pytest.mark.parametrize(
    "rules",
    [
        {},
        {"cancellation": [{"hours_before_gt": 48, "fee_pct": "0"},
                          {"hours_before_ge": 48, "fee_pct": "50"},
                          {"hours_before_ge": 0, "fee_pct": "100"}]},
        {"overtime": {"per_started_min": 10, "grace_min": 3, "multiplier": "1.25"}},
        {"overtime": {"per_started_min": 10, "step_price": "0.50"}},
    ],
)  # fmt: skip
def test_terms_read_back_as_they_were_written(rules: dict[str, Any]) -> None:
    agreed = terms(**rules)

    assert terms(**agreed.as_json()) == agreed


def tiers(*rows: tuple[str, Any, Any]) -> dict[str, Any]:
    return {"cancellation": [{f"hours_before_{how}": h, "fee_pct": pct} for how, h, pct in rows]}


@pytest.mark.parametrize(
    ("rules", "fault"),
    [
        ([], "pricing_rules: not an object"),
        ({"cancellation": []}, "not a list of tiers"),
        (tiers(("ge", 24, "0")), "the last tier must be hours_before_ge 0"),
        (tiers(("ge", 4, "0"), ("ge", 24, "30"), ("ge", 0, "80")), "can never count"),
        (tiers(("ge", 4, "0"), ("gt", 4, "30"), ("ge", 0, "80")), "can never count"),
        (tiers(("ge", 4, "50"), ("ge", 0, "30")), "must not be cheaper"),
        (tiers(("ge", 0, "101")), "not a whole percentage"),
        (tiers(("ge", 0, "12.5")), "not a whole percentage"),
        (tiers(("ge", 0, "some")), "cancellation][0]"),
        (tiers(("ge", -1, "0"), ("ge", 0, "0")), "whole number from 0 on"),
        (tiers(("ge", True, "0"), ("ge", 0, "0")), "whole number from 0 on"),
        ({"cancellation": [{"fee_pct": "0"}]}, "either hours_before_ge or hours_before_gt"),
        ({"cancellation": [{"hours_before_ge": 0, "fee_pct": "0", "x": 1}]}, "unknown: x"),
        ({"overtime": {"per_started_min": 0, "multiplier": "1"}}, "whole number from 1 on"),
        ({"overtime": {"per_started_min": 15}}, "either multiplier or step_price"),
        ({"overtime": {"per_started_min": 15, "step_price": "-1"}}, "negative price"),
        ({"overtime": {"per_started_min": 15, "multiplier": "NaN"}}, "not a factor"),
        ({"overtime": {"per_started_min": 15, "multiplier": "1", "if_next_booked": "so"}},
         "no number at the end"),
    ],
)  # fmt: skip
def test_terms_that_cannot_be_used_are_named(rules: Any, fault: str) -> None:
    with pytest.raises(BookFaults) as caught:
        read_book({**demo(), "pricing_rules": rules})

    assert any(fault in found for found in caught.value.faults)


STRICT = {
    "cancellation": [{"hours_before_ge": 0, "fee_pct": "100"}],
    "overtime": {"per_started_min": 60, "multiplier": "3"},
}


def load(**changes: Any) -> str:
    data = {**demo(), "tenants": [], "training_programmes": []} | changes
    return importers.load(data).version


@pytest.mark.django_db
def test_a_booking_is_settled_by_the_terms_of_its_quote_whatever_came_later(
    now: datetime,
) -> None:
    load()
    span = Span(now + timedelta(hours=5), now + timedelta(hours=6))
    over = Span(span.end, span.end + timedelta(minutes=15))
    before = services.quote(tenant=make.tenant(), space=world.room(), span=span, now=now)
    load(pricing_rules=STRICT)
    after = services.quote(tenant=make.tenant(), space=world.room(), span=span, now=now)

    def charged(quote: dict[str, Any], code: str, **rest: Any) -> int:
        facts = BookingFacts(
            booking_code=code, tenant_id=make.tenant().pk, space_id=world.room().pk, span=span,
            quote=quote, **rest,
        )  # fmt: skip
        found: list[Charge] = services.charge_booking(facts=facts, now=now)
        return sum(row.gross_fen for row in found if row.kind in ("fee", "overtime"))

    old, new = before.as_json(), after.as_json()
    price = before.total_fen
    fees = [selectors.cancellation_fee_fen(quote, span.start, now) for quote in (old, new)]
    moved = [selectors.change_fee_fen(quote, span, over, now) for quote in (old, new)]
    assert fees == [price * 30 // 100, price]
    assert moved == [(price * 30 // 100, 30), (price, 100)]
    assert charged(old, "BK1", outcome="cancelled", cancelled_at=now) == fees[0]
    assert charged(new, "BK2", outcome="cancelled", cancelled_at=now) == fees[1]
    long = charged(new, "BK3", outcome="completed", ended_at=over.end, overtime=over)
    assert long == charged(old, "BK4", outcome="completed", ended_at=over.end, overtime=over) * 8


@pytest.mark.django_db
def test_terms_make_another_book_and_are_kept_for_ever() -> None:
    first, second = load(), load(pricing_rules=STRICT)

    assert first != second
    assert load() == first
    assert set(TermsRow.objects.values_list("fingerprint", flat=True)) == {first, second}
    assert selectors.price_book().terms == selectors.terms_of(first) == STANDARD
    assert selectors.terms_of(second) == terms(**STRICT)
    with pytest.raises(DatabaseError, match="immutable"), transaction.atomic():
        TermsRow.objects.all().delete()
