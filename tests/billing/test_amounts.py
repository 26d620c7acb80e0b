"""What holds for all amounts: lines are the totals, net and VAT the gross, parts the whole."""

import random
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from base_ops.core.spans import Span
from billing.domain import aftermath, arithmetic, balances, rating
from billing.domain import pricemodels as models
from billing.domain.arithmetic import Amount
from billing.domain.balances import Part
from billing.domain.facts import BookingFacts
from billing.domain.quote import line, lines_from_json
from billing.domain.rating import RoomWish, ServiceWish
from billing.domain.texts import Bi
from tests.billing.data import at, book, situation, span
from tests.billing.outside import named

MANY = settings(max_examples=1000)
RATES = st.sampled_from(
    [Decimal(r) for r in ("0", "0.01", "0.03", "0.05", "0.06", "0.09", "0.13")]
)
FEN = st.integers(-(10**14), 10**14)
TARIFFS = sorted(code for code, tariff in book().tariffs.items() if tariff.hourly_fen)
SERVICES = sorted(code for code, s in book().services.items() if s.price_fen is not None)


@MANY
@given(FEN, RATES)
def test_net_and_vat_are_the_gross_of_every_line(gross: int, rate: Decimal) -> None:
    found = line("room", Bi("房", "room"), gross, vat=("any", rate))

    assert found.net_fen + found.vat_fen == found.gross_fen == gross
    assert abs(found.net_fen * (1 + rate) - gross) <= (1 + rate) / 2


@MANY
@given(
    st.sampled_from(TARIFFS),
    st.integers(0, 365 * 48),
    st.integers(1, 60),
    st.lists(st.tuples(st.sampled_from(SERVICES), st.integers(1, 9_999)), max_size=3),
    st.sampled_from(["T001", "T007", "T012"]),
)
def test_the_lines_of_a_quote_are_its_totals(
    tariff: str, start: int, half_hours: int, services: list[tuple[str, int]], tenant: str
) -> None:
    begin = at("01-01 00:00") + timedelta(minutes=30 * start)
    wish = RoomWish(
        name_zh="房", name_en="room", space_type="studio_single", tariff=tariff,
        span=Span(begin, begin + timedelta(minutes=30 * half_hours)),
        services=tuple(ServiceWish(code, Decimal(n) / 10) for code, n in services),
    )  # fmt: skip

    quote = rating.rate(wish, book=book(), situation=situation(tenant, begin.date()))

    assert all(entry.net_fen + entry.vat_fen == entry.gross_fen for entry in quote.lines)
    assert quote.total_fen == quote.net_fen + quote.vat_fen
    assert quote.total_fen == quote.list_fen - quote.discount_fen
    assert 0 <= quote.discount_fen <= quote.list_fen
    assert list(lines_from_json(quote.as_json())) == list(quote.lines)


@MANY
@given(FEN, st.lists(st.integers(0, 10**9), min_size=1, max_size=12).filter(any))
def test_the_parts_of_an_amount_are_the_amount(amount: int, weights: list[int]) -> None:
    found = balances.split(amount, weights)

    assert sum(found) == amount
    for part, weight in zip(found, weights, strict=True):
        assert abs(part - Fraction(amount * weight, sum(weights))) < 1
    assert sum(balances.pro_rata(Fraction(amount), [Fraction(w) for w in weights])) == amount


@MANY
@given(st.integers(0, 10**10), RATES, st.lists(st.integers(1, 10**6), min_size=1, max_size=6))
def test_credits_never_exceed_their_document_and_the_last_takes_the_rest(
    net: int, rate: Decimal, shares: list[int]
) -> None:
    left = whole = Part(net, int(net * rate))
    given_back = []
    for part in balances.split(net, shares):
        given_back.append(balances.credit(part, rate=rate, left=left))
        left = left.less(given_back[-1])
        assert min(left.net_fen, left.tax_fen) >= 0

    assert sum(part.net_fen for part in given_back) == whole.net_fen
    assert sum(part.total_fen for part in given_back) + left.total_fen == whole.total_fen
    assert left.tax_fen == 0 or left.net_fen > 0 or not any(p.net_fen for p in given_back)


LINES = st.lists(
    st.builds(
        Amount,
        st.integers(-(10**9), 10**9).map(lambda n: Decimal(n) / 100),
        st.sampled_from([Decimal(0), Decimal(6), Decimal(9), Decimal(13)]),
    ),
    max_size=4,
)


@MANY
@given(LINES, LINES, st.integers(0, 2**32))
def test_the_order_of_lines_changes_no_total(
    lines: list[Amount], allowances: list[Amount], seed: int
) -> None:
    dice = random.Random(seed)
    found = arithmetic.totals(lines, allowances=allowances)

    again = arithmetic.totals(
        dice.sample(lines, len(lines)), allowances=dice.sample(allowances, len(allowances))
    )

    assert set(again.groups) == set(found.groups)
    assert (again.net, again.tax, again.gross) == (found.net, found.tax, found.gross)
    assert found.gross == found.net + found.tax
    assert sum(group.taxable for group in found.groups) == found.net


UNITS = st.integers(0, 10**5)


@MANY
@given(st.tuples(*[st.integers(0, 10**4)] * 3), st.integers(1, 10**4), UNITS, UNITS)
def test_more_units_never_cost_less_when_each_tier_has_its_own_price(
    prices: tuple[int, int, int], step: int, one: int, other: int
) -> None:
    tiers = [
        {"up_to": end and str(end * step), "unit": str(price), "flat": str(prices[0])}
        for end, price in zip((1, 3, None), prices, strict=True)
    ]
    model = models.read({"kind": "graduated", "tiers": tiers})
    few, many = (Decimal(units) / 10 for units in sorted((one, other)))

    assert 0 <= model.amount(few) <= model.amount(many)
    least = models.WithMinimum(model, Decimal(100))
    assert least.amount(few) == max(model.amount(few), Decimal(100))


def test_fees_bear_the_vat_of_what_was_to_be_supplied() -> None:
    """价外费用: what is paid beside the price is split by the rate of the main supply."""
    assert named("cn_einvoice_split", "rule-extra-price")["inputs"]["kinds"]
    when = span("11-16 10:00", 4)
    wish = RoomWish("房", "room", "studio_single", TARIFFS[0], when)
    quote = rating.rate(wish, book=book(), situation=situation("T007", when.start.date()))
    facts = BookingFacts("BK1", 1, 1, when, "cancelled", quote.as_json(), cancelled_at=when.start)

    [(_, fee)] = aftermath.owed(facts, names=Bi("房", "room"), tariff=TARIFFS[0], book=book())

    assert fee.vat_rate == quote.lines[0].vat_rate > 0
    assert fee.net_fen + fee.vat_fen == fee.gross_fen > 0
