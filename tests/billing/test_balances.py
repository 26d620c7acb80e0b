"""Credits, coupons, refunds and what is left to pay, against outside facts."""

from fractions import Fraction
from typing import Any

import pytest

from base_ops.core import money
from billing.domain import arithmetic, balances
from billing.domain.balances import Account, Part
from tests.billing.data import vectors
from tests.billing.outside import dec, ids, named

ACCOUNTS = [v for v in vectors("invoices_credits_discounts") if "items" in v["inputs"]]
CHARGES = ("RECURRING", "EXTERNAL_CHARGE")


@pytest.mark.parametrize("vector", ACCOUNTS, ids=ids)
def test_balances_after_credits_and_refunds(vector: dict[str, Any]) -> None:
    inputs, wanted = vector["inputs"], vector["expected"]
    items = {kind: money.fen(amount) for kind, amount in inputs["items"].items()}
    adjusted = sum(items.get(kind, 0) for kind in ("ITEM_ADJ", "CREDIT_ADJ"))

    account = Account(
        charged_fen=sum(items.get(kind, 0) for kind in CHARGES),
        adjusted_fen=adjusted,
        credit_fen=-items.get("CBA_ADJ", 0),
        paid_fen=money.fen(inputs["paid"]),
        refunded_fen=-money.fen(inputs["refunded"]),
        owed=inputs["status"] == "COMMITTED" and not inputs["credit_invoice"],
    )

    assert account.total_fen == money.fen(wanted["charged"])
    assert account.balance_fen == money.fen(wanted["balance"])


def _case(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    vector = named("invoices_credits_discounts", name)
    return vector["inputs"], vector["expected"]


def test_coupons_before_tax_credit_notes_and_prepaid_money_after() -> None:
    inputs, wanted = _case("lago-doc-waterfall")
    net = sum(money.fen(inputs[k]) for k in ("subscriptions", "usage")) - money.fen(
        inputs["coupons"]
    )

    found = balances.due(
        net_fen=net,
        rate=dec(inputs["tax_percent"]) / 100,
        notes_fen=money.fen(inputs["credit_notes"]),
        prepaid_fen=money.fen(inputs["prepaid_credits"]),
    )

    assert found.net_fen == money.fen(wanted["subtotal_excl_tax"])
    assert found.tax_fen == money.fen(wanted["tax"])
    assert found.total_fen == money.fen(wanted["subtotal_incl_tax"])
    assert found.due_fen == money.fen(wanted["due"])


def test_a_line_coupon_then_one_on_the_whole_then_tax_then_the_wallet() -> None:
    inputs, wanted = _case("flexprice-sequence")
    lines = {line["name"]: money.fen(line["amount"]) for line in inputs["lines"]}
    coupon = inputs["line_coupon"]
    off = balances.stacked_fen(
        lines[coupon["line"]], percents=[dec(coupon["percent"])], amounts_fen=[]
    )
    after_line = sum(lines.values()) - off
    net = after_line - money.fen(inputs["invoice_coupon"]["amount"])

    found = balances.due(
        net_fen=net,
        rate=dec(inputs["tax_percent"]) / 100,
        prepaid_fen=money.fen(inputs["wallet"]),
    )

    assert sum(lines.values()) == money.fen(wanted["subtotal"])
    assert after_line == money.fen(wanted["after_line_coupon"])
    assert net == money.fen(wanted["after_invoice_coupon"]) == money.fen(wanted["taxable"])
    assert (found.tax_fen, found.due_fen) == (
        money.fen(wanted["tax"]),
        money.fen(wanted["total"]),
    )


def test_a_credit_for_unused_time_is_rounded_by_itself() -> None:
    inputs, wanted = _case("lago-cn-round-2")
    rate = dec(inputs["tax_percent"]) / 100
    net = inputs["price_cents"]
    whole = Part(net, money.round_half_up(net * rate))
    unused = Fraction(inputs["unused_fraction"])
    back = money.round_half_up(dec(net * unused.numerator) / unused.denominator)

    found = balances.credit(back, rate=rate, left=whole)

    assert whole.total_fen == wanted["invoice_total_cents"]
    assert (found.net_fen, found.tax_fen, found.total_fen) == (
        wanted["cn_net_cents"],
        wanted["cn_tax_cents"],
        wanted["cn_total_cents"],
    )


def test_credits_one_after_another_end_at_the_invoice() -> None:
    inputs, wanted = _case("lago-cn-sequence")
    rate = dec(inputs["tax_percent"]) / 100
    net = inputs["invoice_net_cents"]
    left = whole = Part(net, money.round_half_up(net * rate))
    found = []
    for back in inputs["credit_notes_net_cents"]:
        found.append(balances.credit(back, rate=rate, left=left))
        left = left.less(found[-1])

    assert whole.total_fen == wanted["invoice_total_cents"]
    assert [
        {"tax_cents": part.tax_fen, "total_cents": part.total_fen} for part in found
    ] == wanted["credit_notes"]
    assert left == Part(0, 0)
    with pytest.raises(ValueError, match="1 fen of 0"):
        balances.credit(1, rate=rate, left=left)


def _spread(inputs: dict[str, Any]) -> list[Fraction]:
    """What is left of each line when every coupon is spread over what earlier ones left."""
    lines = inputs["lines"]
    left = [Fraction(line["cents"]) for line in lines]
    for coupon in inputs["coupons"]:
        covered = [
            line["id"] in coupon.get("scope_lines", ())
            or line["plan"] == coupon.get("scope_plan")
            or coupon.get("scope") == "all"
            for line in lines
        ]
        weights = [part * inside for part, inside in zip(left, covered, strict=True)]
        off = balances.pro_rata(Fraction(coupon["cents"]), weights)
        left = [part - taken for part, taken in zip(left, off, strict=True)]
    return left


def test_coupons_are_spread_over_what_earlier_ones_left() -> None:
    inputs, wanted = _case("lago-coupon-breakdown")

    left = _spread(inputs)

    for line, part, told in zip(inputs["lines"], left, wanted["coupon_per_line"], strict=True):
        assert abs(line["cents"] - part - Fraction(told)) <= Fraction(1, 10**5)
    assert sum(left) == wanted["subtotal_cents"]
    assert sum(line["cents"] for line in inputs["lines"]) == wanted["fees_cents"]
    assert wanted["fees_cents"] - sum(left) == wanted["coupons_cents"]


def test_the_same_discounted_lines_have_three_totals() -> None:
    inputs, wanted = _case("lago-coupon-breakdown")
    nets = [dec(part.numerator) / part.denominator for part in _spread(inputs)]
    rates = [dec(line["tax"]) / 100 for line in inputs["lines"]]
    taxed = list(zip(nets, rates, strict=True))
    per_rate = {rate: sum(n for n, r in taxed if r == rate) for rate in rates}

    per_line = [money.round_half_up(net * rate) for net, rate in taxed]
    grouped = [money.round_half_up(net * rate) for rate, net in per_rate.items()]
    once = money.round_half_up(sum((net * rate for net, rate in taxed), dec(0)))

    assert per_line == wanted["tax_cents_per_line"]
    derived = wanted["derived"]
    assert sum(per_line) == derived["tax_sum_of_lines"]
    assert sum(grouped) == derived["tax_per_rate_group_half_up"]
    assert once == derived["tax_round_once"] == wanted["lago_tax_cents"]
    assert wanted["subtotal_cents"] + once == wanted["lago_total_cents"]


def test_a_total_in_steps_of_a_coin() -> None:
    inputs, wanted = _case("erpnext-11171")
    total = dec(inputs["grand_total"])

    found = arithmetic.rounded(total, dec(inputs["round_to"]))

    assert found == dec(wanted["rounded_total"])
    assert found - total == dec(wanted["adjustment"])


def test_discounts_that_count_from_the_list_price_add_up_and_end_at_it() -> None:
    inputs, wanted = _case("erpnext-41211-stack")
    percent, amount = inputs["discounts"]

    found = balances.stacked_fen(
        money.fen(inputs["price"]),
        percents=[dec(percent["percent"])],
        amounts_fen=[money.fen(amount["amount"])],
    )

    assert found == money.fen(wanted["total_discount"])
    assert balances.stacked_fen(100, percents=[dec(60)], amounts_fen=[60]) == 100


def test_what_was_billed_too_much_is_credited() -> None:
    inputs, wanted = _case("stripe-overbilled")
    billed, right = money.fen(inputs["invoice"]), money.fen(inputs["should_be"])

    found = balances.overbilled_fen(billed_fen=billed, right_fen=right)

    assert found == money.fen(wanted["credit_note"])
    assert balances.overbilled_fen(billed_fen=right, right_fen=billed) == 0
