"""Small pure modules against outside facts."""

from decimal import ROUND_HALF_UP, Decimal
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


SPLITS = [v for v in vectors("cn_einvoice_split") if {"gross", "rate"} <= set(v["inputs"])]


@pytest.mark.parametrize("vector", SPLITS, ids=lambda v: v["id"])
def test_splits_of_real_e_invoices(vector: dict[str, Any]) -> None:
    gross, rate = money.fen(vector["inputs"]["gross"]), Decimal(vector["inputs"]["rate"])
    wanted = vector["expected"]

    assert money.split_vat(gross, rate) == (money.fen(wanted["net"]), money.fen(wanted["tax"]))


def _line_net(line: dict[str, str]) -> Decimal:
    exact = Decimal(line["qty"]) * Decimal(line["price"])
    exact *= 1 - Decimal(line.get("discount_percent", "0")) / 100
    return exact.quantize(Decimal("0.01"), ROUND_HALF_UP)


@pytest.mark.parametrize("vector", vectors("tax_rounding_odoo"), ids=lambda v: v["id"])
def test_tax_of_an_invoice_is_the_sum_of_its_lines(vector: dict[str, Any]) -> None:
    """Our scheme: VAT per line, gross is fixed when prices include tax."""
    inputs, derived = vector["inputs"], vector["derived"]
    tax = 0
    for line in inputs["lines"]:
        net, rate = _line_net(line), Decimal(line["tax"]) / 100
        if inputs["prices_include_tax"]:
            net_fen, vat_fen = money.split_vat(money.fen(net), rate)
            assert net_fen + vat_fen == money.fen(net)
        else:
            vat_fen = money.round_half_up(net * 100 * rate)
            assert abs(money.split_vat(money.fen(net) + vat_fen, rate)[0] - money.fen(net)) <= 1
        tax += vat_fen

    assert tax == money.fen(derived["tax_sum_of_lines"])
