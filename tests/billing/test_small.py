"""Small pure modules against outside facts."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base_ops.core import money, uscc
from billing.domain.capitals import DIGITS, capitals
from tests.billing.data import demo, vectors


@pytest.mark.parametrize("vector", vectors("rmb_capitals"), ids=lambda v: v["id"])
def test_capitals_as_the_central_bank_writes_them(vector: dict[str, Any]) -> None:
    amount = money.fen(Decimal(vector["inputs"]["amount"]))

    assert capitals(amount) in vector["expected"]["accept"]


@pytest.mark.parametrize(
    ("yuan", "wanted"),
    [
        ("0", "零元整"),
        ("0.05", "伍分"),
        ("107000.53", "壹拾万柒仟元零伍角叁分"),
        ("10000000000.01", "壹佰亿元零壹分"),
        ("-145.83", "（负数）壹佰肆拾伍元捌角叁分"),
        ("100100100", "壹亿零壹拾万零壹佰元整"),
        ("10.50", "壹拾元零伍角整"),
    ],
)
def test_capitals_of_hard_cases(yuan: str, wanted: str) -> None:
    assert capitals(money.fen(yuan)) == wanted


def test_capitals_end_somewhere() -> None:
    with pytest.raises(ValueError, match="too large"):
        capitals(10**18)


def read_back(text: str) -> int:
    """Fen of an amount in capitals, by place value alone."""
    total = section = digit = fen = 0
    for char in text.removesuffix("整"):
        if char in DIGITS:
            digit = DIGITS.index(char)
        elif char in "拾佰仟":
            section += digit * 10 ** ("拾佰仟".index(char) + 1)
            digit = 0
        elif char in "万亿":
            total = (total + section + digit) * (10**4 if char == "万" else 10**8)
            section = digit = 0
        elif char == "元":
            total, section, digit = total + section + digit, 0, 0
        else:
            fen += digit * (10 if char == "角" else 1)
            digit = 0
    return total * 100 + fen


@given(st.integers(1, 10**10))
def test_capitals_can_be_read_back(fen: int) -> None:
    text = capitals(fen)

    assert "零零" not in text
    assert read_back(text) == fen


@pytest.mark.parametrize("vector", vectors("uscc"), ids=lambda v: v["id"])
def test_social_credit_codes(vector: dict[str, Any]) -> None:
    code, expected = vector["inputs"]["code"], vector["expected"]

    assert uscc.is_valid(code) == expected["valid"]
    if "check_digit" in expected:
        assert uscc.check_character(uscc.normalise(code)[:17]) == expected["check_digit"]
    if "normalised" in expected:
        assert uscc.normalise(code) == expected["normalised"]


def test_every_demo_tenant_has_a_valid_code_or_none() -> None:
    assert all(uscc.is_valid(t["uscc"]) for t in demo()["tenants"] if t["uscc"])
