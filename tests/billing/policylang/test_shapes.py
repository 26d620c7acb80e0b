"""Real subsidy policies of 22 places, each written in the language and worked out to the fen."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from base_ops.core import money
from billing.domain.policylang import cases, judging, rules, settling, splitting
from billing.domain.policylang.rules import Rule
from tests.billing.data import vectors

SHAPES = {shape["id"]: shape for shape in vectors("subsidy_rules")}
SOURCES = {row["id"]: row for row in vectors("subsidy_rule_shapes")}
CASES = [
    pytest.param(shape, case, id=f"{name}: {case['why']}")
    for name, shape in SHAPES.items()
    for case in shape["cases"]
]
START = datetime(2026, 1, 1, tzinfo=UTC)


def rule_of(shape: dict[str, Any], code: str = "") -> Rule:
    return rules.read(next(r for r in shape["rules"] if code in ("", r["code"])))


@pytest.mark.parametrize(("shape", "case"), CASES)
def test_a_real_policy_to_the_fen(shape: dict[str, Any], case: dict[str, Any]) -> None:
    rule = rule_of(shape, case.get("rule", ""))

    outcome = judging.judge(rule, cases.read(case["case"], rule))

    assert outcome.amount_fen == case["amount_fen"]
    assert (outcome.verdict == "refused") == (case["amount_fen"] == 0)
    assert list(outcome.parts_fen) == case.get("parts_fen", [outcome.amount_fen])
    assert all(step.text.zh and step.text.en and step.path for step in outcome.steps)


@pytest.mark.parametrize(
    ("shape", "settled"),
    [(s, t) for s in SHAPES.values() for t in s["settle"]],
    ids=lambda x: x.get("id", "") or x["why"],
)
def test_claims_on_one_budget(shape: dict[str, Any], settled: dict[str, Any]) -> None:
    rule = rule_of(shape)
    scores = settled.get("scores", ["0"] * len(settled["claims_fen"]))
    filed = [
        settling.Filed(f"C{i:02}", amount, START + timedelta(days=i), Fraction(scores[i]))
        for i, amount in enumerate(settled["claims_fen"])
    ]

    shares = settling.share_out(rule, filed, settled["left_fen"])

    assert [share.paid_fen for share in shares] == settled["paid_fen"]
    again = settling.share_out(rule, filed[::-1], settled["left_fen"])
    assert again == shares


def test_every_shape_and_every_worked_example_is_there() -> None:
    assert SHAPES.keys() == SOURCES.keys()
    assert all(len(shape["cases"]) + len(shape["settle"]) >= 2 for shape in SHAPES.values())
    for name, source in SOURCES.items():
        ours = SHAPES[name]["cases"]
        wanted = {case["amount_fen"] for case in ours}
        for example in source.get("worked_examples_ours", []):
            for key, unit in (("subsidy_fen", 1), ("paid_fen", 1), ("reward_yuan", 100)):
                if isinstance(example.get(key), int):
                    assert example[key] * unit in wanted, (name, example)


def test_instalments_carry_the_odd_fen_first() -> None:
    example = SOURCES["qianhai-purchase-spread"]["worked_examples_ours"][0]

    parts = splitting.equal(example["total_fen"], example["years"])

    assert list(parts) == example["parts_fen"]


def test_a_cut_is_the_largest_remainder_and_never_above_the_budget() -> None:
    example = SOURCES["nantou-rent-5"]["worked_examples_ours"][1]

    paid = splitting.pro_rata(example["claims_fen"], example["budget_fen"])

    assert list(paid) == example["paid_fen"]
    assert sum(paid) == money.fen("50000.01")
