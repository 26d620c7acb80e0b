"""What the language refuses, with the path and the reason; what it says about a claim."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.domain.policylang import cases, judging, rules, settling, source
from billing.domain.policylang.judging import Outcome
from tests.billing.policylang.documents import BOOKING, document, nested, rule

ENDLESS = {"a": {"sum": [{"amount": "b"}, "1"]}, "b": {"amount": "a"}}
WIDE = {"any": [{"fact": "registered", "is": True}] * 50}


def faults(changes: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(source.Refused) as caught:
        rules.read(document(**changes))
    return {fault.path: fault.reason.en for fault in caught.value.faults}


@pytest.mark.parametrize(
    ("changes", "path", "reason"),
    [
        ({"amounts": ENDLESS}, "amounts.a.sum[0].amount", "never end"),
        ({"amounts": {"a": {"amount": "a"}}}, "amounts.a.amount", "never end"),
        ({"benefit": {"while": True, "do": "1"}}, "benefit.while", "no loops"),
        ({"benefit": {"python": "1/0"}}, "benefit.python", "no loops, calls or code"),
        ({"benefit": {"divide": "5", "by": "0"}}, "benefit.by", "divide by zero"),
        ({"benefit": {"divide": "5", "by": {"fact": "rent"}}}, "benefit.by", "could be zero"),
        (
            {"benefit": {"each_full": "0", "of": {"fact": "rent"}, "give": "1"}},
            "benefit.each_full", "divide by zero",
        ),
        ({"benefit": {"round_down": "0.00", "of": "7"}}, "benefit.round_down", "divide by zero"),
        ({"round_down": "-10000"}, "round_down", "divide by zero"),
        (
            {"benefit": {"spend": {"limited": {"kind": "staff", "percent": "100"}}}},
            "benefit.spend.limited.percent", "divided by zero",
        ),
        ({"benefit": {"divide": "5", "by": "0.0000001"}}, "benefit.by", "must be a number"),
        ({"benefit": "-1"}, "benefit", "below 0"),
        ({"benefit": "1e400"}, "benefit", "must be a number"),
        ({"benefit": "NaN"}, "benefit", "must be a number"),
        ({"benefit": "9" * 16}, "benefit", "must be a number"),
        ({"benefit": {"percent": "100.5", "of": "1"}}, "benefit.percent", "above 100"),
        ({"benefit": {"fact": "registered"}}, "benefit.fact", "of kind amount"),
        ({"benefit": {"fact": "rent", "percent": "1"}}, "benefit", "exactly one"),
        ({"benefit": {"table": [{"ge": "2", "then": "1"}, {"ge": "1", "then": "2"}],
                      "by": "sales"}}, "benefit.table[1]", "must rise"),
        ({"when": {"fact": "rentt", "ge": "1"}}, "when.fact", "not declared"),
        ({"when": {"fact": "rent", "is": True}}, "when.is", "unknown term"),
        ({"when": {"fact": "rating", "in": []}}, "when.in", "list of 1 to 50"),
        ({"when": {"all": []}}, "when.all", "list of 1 to 50"),
        (
            {"when": {"some_related": {"some_related": {"fact": "rent", "ge": "1"}}}},
            "when.some_related.some_related", "inside itself",
        ),
        ({"when": {"all": [{}] * 51}}, "when.all", "list of 1 to 50"),
        ({"benefit": 0.5}, "benefit", "as text"),
        ({"benefit": {"fixed": True}}, "benefit.fixed", "must be a number"),
        ({"language": 2}, "language", "must be 1"),
        ({"valid_to": "2025-12-31"}, "valid_to", "before"),
        ({"facts": {"rent": {"kind": "amount", "zh": "租", "en": "rent"}}}, "facts.rent",
         "standard fact"),
        ({"caps": [{"per": "week", "limit": "1"}]}, "caps[0].per", "one of"),
        ({"caps": [{"per": "month", "hours": "3"}]}, "caps[0].hours", "bookings only"),
        ({"budget": {"per": "year", "limit": "1", "share": "lottery"}}, "budget.share", "one of"),
        ({"code": "../x"}, "code", "must be a code"),
        ({"name_zh": "字" * 121}, "name_zh", "1 to 120"),
        ({"eval": "x"}, "eval", "unknown term"),
    ],
)  # fmt: skip
def test_what_is_not_in_the_language_is_refused_with_its_path(
    changes: dict[str, Any], path: str, reason: str
) -> None:
    assert reason in faults(changes)[path]


def test_a_document_is_bound_in_depth_and_size() -> None:
    (deep,) = faults({"when": nested(5000)}).values()
    (big,) = faults({"when": {"all": [WIDE] * 50}}).values()

    assert "24 levels" in deep
    assert "2000 values" in big


def test_every_fault_is_listed_at_once_in_both_languages() -> None:
    with pytest.raises(source.Refused) as caught:
        rules.read(document(benefit="-1", order="x", code=7, when={"fact": "nothing"}))

    assert len(caught.value.faults) == 4
    assert all(fault.reason.zh != fault.reason.en for fault in caught.value.faults)


def test_what_a_booking_cannot_have_is_refused() -> None:
    with pytest.raises(source.Refused, match=r"benefit\.percent: unknown term"):
        rules.read(BOOKING | {"benefit": {"percent": "10", "of": "1"}})
    with pytest.raises(source.Refused, match="at most two places"):
        rules.read(BOOKING | {"benefit": {"percent_off": "33.333"}})
    with pytest.raises(source.Refused, match="claims only"):
        rules.read(BOOKING | {"caps": [{"per": "month", "limit": "10"}]})


def judged(case: dict[str, Any], **changes: Any) -> Outcome:
    found = rule(**changes)
    return judging.judge(found, cases.read(case, found))


def texts(outcome: Outcome, kind: str) -> list[str]:
    return [step.text.en for step in outcome.steps if step.kind == kind]


def test_an_evaluation_is_bound_in_steps() -> None:
    many = {"all": [{"some_related": WIDE}] * 5}

    outcome = judged(
        {"facts": {"rent_paid": "10"}, "related": [{"registered": False}] * 100}, when=many
    )

    assert outcome.amount_fen == 0
    assert texts(outcome, "refused") == ["the evaluation takes too many steps"]


def test_doubling_names_many_times_takes_no_longer() -> None:
    names: dict[str, Any] = {"n0": "0.01"}
    for i in range(1, 30):
        names[f"n{i}"] = {"sum": [{"amount": f"n{i - 1}"}, {"amount": f"n{i - 1}"}]}

    outcome = judged({}, amounts=names, benefit={"amount": "n29"})

    assert outcome.amount_fen == 2**29


def test_the_trace_says_what_the_next_tier_asks() -> None:
    table = {"table": [{"gt": "100", "then": "10"}, {"gt": "200", "then": "30"}], "by": "sales"}

    outcome = judged({"facts": {"sales": "150"}}, benefit=table)

    assert outcome.amount_fen == 1000
    assert texts(outcome, "unlock") == ["50 more of sales (more than 200) reaches the next tier"]
    assert outcome.unlocks[0].zh == "销售额再增加50并超过200进入下一档"


def test_the_trace_says_every_reason_and_what_would_help() -> None:
    when = {"all": [{"fact": "area_m2", "gt": "100"}, {"fact": "rating", "in": ["A", "B"]}]}

    outcome = judged({"facts": {"area_m2": "80", "rating": "C", "rent_paid": "1"}}, when=when)

    assert texts(outcome, "refused") == [
        "area in m² must be more than 100 (it is 80)",
        "compliance rating must be A/B (it is C)",
    ]
    assert texts(outcome, "unlock")[0] == "more than 20 more: area in m²"
    assert [step.path for step in outcome.steps[:2]] == ["when.all[0]", "when.all[1]"]


def test_the_trace_says_the_cap_the_rounding_and_the_rest_of_the_budget() -> None:
    outcome = judged(
        {"facts": {"rent_paid": "90000"}, "used": {"year": "20000"}, "budget_left": "70000"},
        caps=[{"per": "year", "limit": "45678"}], round_down="1000",
    )  # fmt: skip

    assert (outcome.verdict, outcome.amount_fen) == ("capped", 2_500_000)
    assert texts(outcome, "cap") == ["limit of a year: only CNY 25678 is left"]
    assert texts(outcome, "rounded") == ["down to full units of CNY 1000"]
    assert texts(outcome, "budget") == ["CNY 45000 of the budget will be left"]


def test_a_fact_that_is_not_declared_never_grants_even_by_its_opposite() -> None:
    unwanted = {"not": {"fact": "registered", "is": True}}

    assert judged({"facts": {"rent_paid": "10"}}, when=unwanted).amount_fen == 0
    assert judged({"facts": {}}).amount_fen == 0
    known = {"facts": {"rent_paid": "10", "registered": False}}
    assert judged(known, when=unwanted).amount_fen == 500


def test_a_new_name_starts_no_new_first_year() -> None:
    by_year = {"percent_by": {"year": "lease_year", "percents": ["50", "30"]}, "of": "100"}
    case: dict[str, Any] = {
        "facts": {"started_on": "2026-06-01", "on": "2026-07-01"},
        "identity": {"person": "P1", "premises": "F2-S01"},
    }
    before = {"key": "premises", "value": "F2-S01", "started_on": "2025-06-15", "tenant": "T1"}
    same = {"same": ["person", "premises"]}

    first = judged(case, benefit=by_year, identity=same)
    again = judged(case | {"history": [before]}, benefit=by_year, identity=same)
    other = judged(case | {"history": [before]}, benefit=by_year)

    assert (first.amount_fen, again.amount_fen, other.amount_fen) == (5000, 3000, 5000)
    assert "2025-06-15" in texts(again, "identity")[0]


def test_of_a_group_the_best_counts_and_together_never_more_than_was_paid() -> None:
    rules_ = [
        rule(code="A", group="g", benefit="100"),
        rule(code="B", group="g", benefit="300"),
        rule(code="C", order=20, benefit="200"),
    ]
    known = {r.code: cases.read({}, r) for r in rules_}

    outcomes = settling.combine(rules_[::-1], known, most_fen=40_000)

    assert [(o.rule.code, o.amount_fen) for o in outcomes] == [
        ("A", 0), ("B", 30_000), ("C", 10_000),
    ]  # fmt: skip
    assert outcomes == settling.combine(rules_, known, most_fen=40_000)


YUAN = st.integers(0, 10**9).map(lambda n: f"{n // 100}.{n % 100:02d}")
BENEFITS = st.sampled_from(
    [
        {"percent": "50", "of": {"fact": "rent_paid"}},
        {"least": [{"fact": "rent"}, {"percent": "33.33", "of": {"fact": "rent_paid"}}]},
        {"table": [{"ge": "10", "then": {"fact": "rent"}}, {"gt": "500", "then": "900"}],
         "by": "rent_paid"},
        {"each_full": "7.77", "of": {"fact": "rent"}, "give": "3.33"},
        {"divide": {"sum": [{"fact": "rent"}, {"fact": "rent_paid"}]}, "by": "3"},
        {"increment": {"now": "rent", "before": "rent_paid"}},
    ]
)  # fmt: skip


@settings(max_examples=1000, deadline=None)
@given(BENEFITS, YUAN, YUAN, YUAN, YUAN, YUAN, YUAN)
def test_nothing_is_ever_below_zero_nor_above_a_cap(
    benefit: dict[str, Any], rent: str, paid: str, cap: str, outer: str, used: str, left: str
) -> None:
    caps = [{"per": "claim", "limit": cap}, {"per": "year", "limit": outer}]
    case = {
        "facts": {"rent": rent, "rent_paid": paid}, "used": {"year": used}, "budget_left": left,
    }  # fmt: skip

    outcome = judged(case, benefit=benefit, caps=caps)
    turned = judged(case, benefit=benefit, caps=caps[::-1])

    def fen(yuan: str) -> int:
        return int(Fraction(yuan) * 100)

    limit = min(fen(cap), max(fen(outer) - fen(used), 0), fen(left))
    assert 0 <= outcome.amount_fen <= limit
    assert turned.amount_fen == outcome.amount_fen
    assert (outcome.verdict == "refused") == (outcome.amount_fen == 0)
    assert sum(outcome.parts_fen) == outcome.amount_fen


FILED = st.lists(
    st.tuples(st.integers(0, 10**12), st.integers(0, 5), st.integers(0, 9)), max_size=6
)


@settings(max_examples=1000, deadline=None)
@given(
    FILED,
    st.integers(-5, 10**12),
    st.sampled_from(["first_come", "pro_rata", "ranked"]),
    st.sampled_from([None, {"places": 2, "by": "score"}]),
    st.randoms(use_true_random=False),
)
def test_a_budget_is_never_overspent_whatever_the_order_of_claims(
    rows: list[tuple[int, int, int]], left: int, share: str, quota: Any, random: Any
) -> None:
    found = rule(budget={"per": "year", "limit": "1", "share": share}, quota=quota)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    filed = [
        settling.Filed(f"C{i:02}", amount, start + timedelta(days=day), Fraction(score))
        for i, (amount, day, score) in enumerate(rows)
    ]

    shares = settling.share_out(found, filed, left)

    assert sum(s.paid_fen for s in shares) <= max(left, 0)
    amounts = {f.code: f.amount_fen for f in filed}
    assert all(0 <= s.paid_fen <= amounts[s.code] for s in shares)
    if quota is None:
        assert sum(s.paid_fen for s in shares) == min(sum(amounts.values()), max(left, 0))
    assert settling.share_out(found, random.sample(filed, len(filed)), left) == shares
