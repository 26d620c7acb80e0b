"""Red letters as pure rules: amounts that sum to the fen, reasons, and who starts."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base_ops.core import money
from billing.domain import reds
from billing.domain.reds import Amount, Billed, BuyerUse, RedDeed, RedReason, RedState, Side

RATES = [Decimal(n) / 100 for n in (0, 1, 6, 9, 13)]
SIX = Decimal("0.06")


def line(position: int, gross_fen: int, rate: Decimal = SIX) -> Billed:
    return Billed(position, f"c{rate}", rate, Amount(*money.split_vat(gross_fen, rate)))


@settings(max_examples=1000, deadline=None)
@given(
    st.integers(-(10**7), 10**7).filter(bool),
    st.sampled_from(RATES),
    st.lists(st.integers(1, 10**7), max_size=30),
)
def test_parts_of_a_line_sum_to_it_exactly(gross: int, rate: Decimal, wishes: list[int]) -> None:
    whole = left = Amount(*money.split_vat(gross, rate))
    sign = 1 if gross > 0 else -1
    parts = []
    for wish in wishes:
        if abs(left.gross_fen) <= 1:
            break
        parts.append(reds.taken(left, sign * (wish % (abs(left.gross_fen) - 1) + 1), rate))
        left -= parts[-1]
    parts.append(reds.taken(left, left.gross_fen, rate))

    assert sum(parts, reds.NOTHING) == whole
    for part in parts:
        assert min(sign * part.net_fen, sign * part.vat_fen) >= 0
        assert sign * part.gross_fen > 0


@settings(max_examples=1000, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 10**6), st.sampled_from(RATES), st.integers(0, 99)),
        min_size=1, max_size=6,
    ),
    st.lists(
        st.dictionaries(st.integers(1, 12), st.integers(-(10**6), 10**6), max_size=4), max_size=8
    ),
)  # fmt: skip
def test_what_is_given_back_never_exceeds_the_invoice(
    sold: list[tuple[int, Decimal, int]], wishes: list[dict[int, int]]
) -> None:
    """Lines with their discounts; whatever is wished, each rate keeps what is left of it."""
    lines = {}
    for n, (gross, rate, percent) in enumerate(sold, start=1):
        lines[2 * n - 1] = line(2 * n - 1, gross, rate)
        if off := gross * percent // 100:
            lines[2 * n] = line(2 * n, -off, rate)
    total = sum((entry.left for entry in lines.values()), reds.NOTHING)
    given_back = reds.NOTHING

    for wish in (*wishes, None):
        try:
            parts = reds.parts(list(lines.values()), wish, RedReason.ALLOWANCE, BuyerUse.BOOKED)
        except (reds.RedNotAllowed, reds.RedTooMuch):
            continue
        assert sum(part.gross_fen for part in parts.values()) > 0
        for place, part in parts.items():
            entry = lines[place]
            lines[place] = Billed(place, entry.vat_category, entry.vat_rate, entry.left - part)
            given_back += part
        assert 0 <= given_back.gross_fen <= total.gross_fen

    left = sum((entry.left for entry in lines.values()), reds.NOTHING)
    assert left + given_back == total
    assert left.gross_fen == 0 or given_back == reds.NOTHING


def test_the_last_part_takes_the_rounding_rest() -> None:
    """100.00 at 13 %: 88.50 and 11.50. Thirds of it are 29.50 and 3.83; the last has 3.84."""
    left = Amount(8850, 1150)
    first = reds.taken(left, 3333, Decimal("0.13"))
    second = reds.taken(left - first, 3333, Decimal("0.13"))
    last = reds.taken(left - first - second, 3334, Decimal("0.13"))

    assert (first, second, last) == (Amount(2950, 383), Amount(2950, 383), Amount(2950, 384))


def test_the_rest_of_net_bounds_a_part() -> None:
    """Cents of a line at 13 % would each round up to net alone; VAT has to be given back too."""
    left = Amount(*money.split_vat(100, Decimal("0.13")))
    for _ in range(100):
        left -= reds.taken(left, 1, Decimal("0.13"))

    assert left == reds.NOTHING


@pytest.mark.parametrize("gross", [0, -1, 10_601])
def test_nothing_and_more_than_is_left_are_refused(gross: int) -> None:
    with pytest.raises(reds.RedTooMuch):
        reds.taken(Amount(10_000, 600), gross, SIX)


@pytest.mark.parametrize("use", BuyerUse)
@pytest.mark.parametrize("reason", RedReason)
@pytest.mark.parametrize("wanted", [None, {1: 100}])
def test_parts_are_taken_back_by_the_tax_offices_table(
    use: BuyerUse, reason: RedReason, wanted: dict[int, int] | None
) -> None:
    """Of the vector rule-red-partial, as a table of 3 × 4 × 2, of goods: all reasons fit."""
    used = use in (BuyerUse.BOOKED, BuyerUse.DEDUCTED)
    allowed = wanted is None or (used and reason in (RedReason.RETURNED, RedReason.ALLOWANCE))
    lines = [Billed(1, "goods_13", SIX, Amount(10_000, 600))]

    try:
        found = reds.parts(lines, wanted, reason, use)
    except reds.RedNotAllowed:
        found = {}

    assert bool(found) == allowed
    assert (reds.first_state(side=Side.SELLER, use=use) == RedState.CONFIRMED) == (not used)


def test_a_service_is_not_sent_back_nor_a_line_that_is_not_there() -> None:
    lines = [Billed(1, "modern_service_6", SIX, Amount(10_000, 600))]

    with pytest.raises(reds.RedNotAllowed, match="sent back"):
        reds.parts(lines, None, RedReason.RETURNED, BuyerUse.NONE)
    with pytest.raises(reds.RedNotAllowed, match="no such lines"):
        reds.parts(lines, {2: 100}, RedReason.ALLOWANCE, BuyerUse.BOOKED)


def test_a_discount_alone_is_never_taken_back() -> None:
    """It would ask for more money; nor may a line give more than its discount left of it."""
    lines = [line(1, 10_600), line(2, -2_120)]

    with pytest.raises(reds.RedNotAllowed, match="never asks"):
        reds.parts(lines, {2: -2_120}, RedReason.ALLOWANCE, BuyerUse.BOOKED)
    with pytest.raises(reds.RedTooMuch):
        reds.parts(lines, {1: 10_600}, RedReason.ALLOWANCE, BuyerUse.BOOKED)
    both = reds.parts(lines, {1: 10_600, 2: -2_120}, RedReason.ALLOWANCE, BuyerUse.BOOKED)
    assert sum(p.gross_fen for p in both.values()) == 8_480


def test_who_starts_depends_on_the_buyers_use() -> None:
    assert reds.first_state(side=Side.SELLER, use=BuyerUse.NONE) == RedState.CONFIRMED
    with pytest.raises(reds.SellerStarts):
        reds.first_state(side=Side.BUYER, use=BuyerUse.NONE)
    for use in (BuyerUse.BOOKED, BuyerUse.DEDUCTED):
        for side in Side:
            assert reds.first_state(side=side, use=use) == RedState.REQUESTED


def test_what_has_ended_stays_so() -> None:
    for state in (RedState.ISSUED, RedState.REFUSED, RedState.WITHDRAWN, RedState.EXPIRED):
        for deed in RedDeed:
            with pytest.raises(reds.WrongRedState):
                reds.after(state, deed)
