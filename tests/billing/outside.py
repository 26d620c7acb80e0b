"""Outside facts for tests, and what of them we judge otherwise, with the reason."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tests.billing.data import vectors

REFUSED: Mapping[str, str] = {
    # lines that are not quantity times price; their documents add up from the lines as written
    "guide-example1.xml": "a negative line has a positive quantity: 6 × 18.33 is not -109.98",
    "ubl-tc434-example1.xml": "a negative line has a positive quantity: 6 × 18.33 is not -109.98",
    "guide-example3.xml": "2 × 800.00 is not 400.00, and no allowance says why",
    "ubl-tc434-example2.xml": "2 × 1273.00 is not 1273.00; the allowance and the charge cancel",
    "ubl-tc434-test-1.xml": "2 × 1273.00 is not 1273.00; the allowance and the charge cancel",
    "BIS_Billing_30-Rantefaktura_Enkel.xml": "486 × 4.9715 is 2416.15: the printed price is cut",
    # totals that the source itself calls wrong
    "odoo-37896/odoo_global_total": "tax rounded once on unrounded lines: not what is printed",
    "odoo-46511/buggy_tax": "the sum of lines is 3.91; its reporter wants tax per rate, 3.92",
    "odoo-179603/buggy_tax": "the sum of lines is 29.70; its reporter wants tax per rate, 29.71",
    "odoo-34842-incl/buggy_total": "a tax-inclusive price stays: 8.01, never 8.02",
    "lago-coupon-breakdown/lago_tax_cents": "rounded once; on our documents tax is of lines",
    "lago-coupon-breakdown/coupon_per_line": "a fifth place is cut: 1352.941176… as …17",
    # rules, not arithmetic
    "rule-red-partial": "who may issue which red letter: part of making them, not of amounts",
    # beyond us
    "CreditNote-Max_content.xml/EUR": "a second currency without its rate",
}


def ids(vector: Mapping[str, Any]) -> str:
    return str(vector["id"])


def named(name: str, vector_id: str) -> Any:
    """One vector of a file."""
    return next(v for v in vectors(name) if v["id"] == vector_id)


def dec(text: object) -> Decimal:
    return Decimal(str(text))
