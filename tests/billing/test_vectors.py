"""Whole invoices of others, to the cent, under each rounding scheme."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from base_ops.core import money
from billing.domain import arithmetic
from billing.domain.arithmetic import Amount, Item, Scheme
from billing.domain.capitals import capitals
from tests.billing.data import vectors
from tests.billing.outside import REFUSED, dec, ids, named


def _item(line: Mapping[str, Any]) -> Item:
    taken = sum(
        (
            dec(a["amount"]) * (-1 if a["is_charge"] else 1)
            for a in line.get("allowances_charges", [])
        ),
        Decimal(0),
    )
    return Item(
        quantity=dec(line["qty"]),
        price=dec(line["price"]),
        per=dec(line.get("base_qty") or 1),
        taken=taken,
    )


def _amount(row: Mapping[str, Any], net: str) -> Amount:
    return Amount(dec(row[net]), dec(row.get("rate") or 0), row.get("category", "S"))


@pytest.mark.parametrize("vector", vectors("en16931_full_invoices"), ids=ids)
def test_whole_invoices_add_up_again(vector: dict[str, Any]) -> None:
    inputs, wanted = vector["inputs"], vector["expected"]["totals"]
    extra = inputs.get("document_allowances_charges", ())

    found = arithmetic.totals(
        [_amount(line, "net") for line in inputs["lines"]],
        allowances=[_amount(a, "amount") for a in extra if not a["is_charge"]],
        charges=[_amount(a, "amount") for a in extra if a["is_charge"]],
        prepaid=dec(wanted.get("prepaid", 0)),
        rounding=dec(wanted.get("rounding", 0)),
    )

    assert [_item(line).net == dec(line["net"]) for line in inputs["lines"]].count(False) == (
        len(vector["checks"]["differs"]) if vector["id"] in REFUSED else 0
    )
    assert found.lines == dec(wanted["line_total"])
    assert (found.allowances, found.charges) == (
        dec(wanted.get("allowance_total", 0)),
        dec(wanted.get("charge_total", 0)),
    )
    assert (found.net, found.gross, found.payable) == (
        dec(wanted["tax_exclusive"]),
        dec(wanted["tax_inclusive"]),
        dec(wanted["payable"]),
    )
    [told, *others] = vector["expected"]["tax_totals"]
    assert found.tax == dec(told["tax_amount"])
    groups = {(g.category, g.percent): (g.taxable, g.tax) for g in found.groups}
    assert groups == {
        (g["category"], dec(g.get("rate") or 0)): (dec(g["taxable"]), dec(g["tax"]))
        for g in told["subtotals"]
    }
    assert all(f"{vector['id']}/{other['currency']}" in REFUSED for other in others)


def _odoo(line: Mapping[str, str], *, inclusive: bool) -> Item:
    price, rate = dec(line["price"]), dec(line["tax"])
    return Item(
        quantity=dec(line["qty"]),
        price=price / (1 + rate / 100) if inclusive else price,
        percent=rate,
        discount=dec(line.get("discount_percent", 0)),
    )


@pytest.mark.parametrize("vector", vectors("tax_rounding_odoo"), ids=ids)
def test_one_invoice_under_each_rounding_scheme(vector: dict[str, Any]) -> None:
    inputs, derived, wanted = vector["inputs"], vector["derived"], vector["expected"]
    inclusive = inputs["prices_include_tax"]
    items = [_odoo(line, inclusive=inclusive) for line in inputs["lines"]]
    net = sum((item.net for item in items), Decimal(0))

    assert [item.net for item in items] == [dec(n) for n in derived["net_lines"]]
    assert net == dec(derived["net_total"]) == dec(wanted.get("net", net))
    if not inclusive:
        assert arithmetic.tax(items, Scheme.LINE) == dec(derived["tax_sum_of_lines"])
    per_rate = arithmetic.tax(items, Scheme.RATE)
    assert per_rate == dec(derived["tax_per_rate_group_on_rounded_net"])
    assert per_rate == dec(wanted.get("expected_tax", per_rate))
    assert arithmetic.tax(items, Scheme.ONCE) == dec(derived["tax_round_once_on_unrounded"])
    total = wanted.get("reporter_correct_total", wanted.get("total_one_line"))
    assert dec(total or net + per_rate) == net + per_rate
    if "buggy_tax" in wanted:
        assert f"{vector['id']}/buggy_tax" in REFUSED


def test_a_tax_inclusive_price_stays_and_tax_is_what_is_left() -> None:
    vector = named("tax_rounding_odoo", "odoo-34842-incl")
    gross = money.fen(vector["expected"]["gross_must_stay"])

    assert money.split_vat(gross, dec("0.20")) == (668, 133)
    assert sum(money.split_vat(gross, dec("0.20"))) == gross


def test_net_and_tax_inclusive_prices_on_one_paper() -> None:
    wanted = named("tax_rounding_odoo", "cn-exam-39.81")["expected"]
    added = arithmetic.tax([Item(dec(1), dec(200), percent=dec(13))], Scheme.LINE)
    within = money.split_vat(money.fen("120"), dec("0.13"))[1]

    assert added == dec(wanted["tax_part1"])
    assert within == money.fen(wanted["tax_part2_gross_120"])
    assert money.fen(added) + within == money.fen(wanted["total"])


AMOUNTS = [v for v in vectors("cn_einvoice_split") if not v["id"].startswith("rule-")]


@pytest.mark.parametrize("vector", AMOUNTS, ids=ids)
def test_amounts_of_e_invoices(vector: dict[str, Any]) -> None:
    inputs, wanted = vector["inputs"], vector["expected"]
    rate = dec(inputs["rate"])
    if "gross" in inputs:
        net, tax = money.split_vat(money.fen(inputs["gross"]), rate)
        assert net == money.fen(wanted["net"])
    else:
        net = money.fen(inputs["net"])
        tax = money.fen(arithmetic.rounded(dec(inputs["net"]) * rate))
    assert tax == money.fen(wanted["tax"])
    assert net + tax == money.fen(wanted.get("gross", money.yuan(net + tax)))
    assert not {"capital"} & set(wanted) or capitals(net + tax) in wanted["capital"]
    if "property_tax_12pct_of_net" in wanted:  # on rent without VAT
        assert money.round_half_up(net * dec("0.12")) == money.fen(
            wanted["property_tax_12pct_of_net"]
        )


def test_every_refusal_has_its_vector_and_every_broken_line_its_refusal() -> None:
    files = ("cn_einvoice_split", "en16931_full_invoices", "invoices_credits_discounts",
             "pricing_models", "tax_rounding_odoo")  # fmt: skip
    known = {vector["id"] for name in files for vector in vectors(name)}
    differing = {
        v["id"] for v in vectors("en16931_full_invoices") if not v["checks"]["recomputes_exactly"]
    }

    assert {refusal.partition("/")[0] for refusal in REFUSED} <= known
    assert len(differing) == 6
    assert differing <= set(REFUSED)
