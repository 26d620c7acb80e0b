"""Money: to the fen, in both directions."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base_ops.core import money

amounts = st.integers(-(10**12), 10**12)


@given(amounts)
def test_yuan_and_fen_are_each_other_s_inverse(amount: int) -> None:
    assert money.fen(money.yuan(amount)) == amount


@given(amounts, st.sampled_from(["0", "0.01", "0.06", "0.09", "0.13"]))
def test_net_and_vat_make_gross_and_mirror_for_credits(gross: int, rate: str) -> None:
    net, vat = money.split_vat(gross, Decimal(rate))

    assert net + vat == gross
    assert money.split_vat(-gross, Decimal(rate)) == (-net, -vat)
    assert abs(net - gross / (1 + Decimal(rate))) <= Decimal("0.5")


def test_known_splits() -> None:
    assert money.split_vat(22000, Decimal("0.06")) == (20755, 1245)
    assert money.split_vat(420000, Decimal("0.09")) == (385321, 34679)


@pytest.mark.parametrize("text", ["", "abc", "NaN", "Infinity", "1.234", "1e-3"])
def test_what_is_no_amount_of_fen_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not"):
        money.fen(text)
