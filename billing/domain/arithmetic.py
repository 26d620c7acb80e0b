"""The arithmetic of a whole invoice, recomputed from its lines under a named rounding scheme.

Our own documents take VAT out of tax-inclusive lines (`money.split_vat`, the scheme of fully
digital e-invoices). What others issue adds VAT to net lines, and rounds it per line, per rate, or
once: the same lines, up to three totals. Amounts are exact decimals of the currency unit.

Source: EN 16931-1 (BR-CO-10 to BR-CO-17, BR-DEC); the public roundings of Odoo and Lago.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Final

ZERO: Final = Decimal(0)
CENT: Final = Decimal("0.01")


class Scheme(StrEnum):
    """Where VAT that is added to net amounts is rounded."""

    LINE = "per_line"
    RATE = "per_rate"
    ONCE = "once"


@dataclass(frozen=True, slots=True)
class Item:
    """A net line as it is written; `taken` is what allowances take off less what charges add.

    `percent` is the VAT rate in percent, `discount` a discount in percent of the price.
    """

    quantity: Decimal
    price: Decimal
    percent: Decimal = ZERO
    category: str = "S"
    per: Decimal = Decimal(1)
    discount: Decimal = ZERO
    taken: Decimal = ZERO

    @property
    def exact(self) -> Decimal:
        """The net amount, unrounded."""
        whole = self.quantity * self.price / self.per
        return whole * (1 - self.discount / 100) - self.taken

    @property
    def net(self) -> Decimal:
        """The net amount as it is printed."""
        return rounded(self.exact)


@dataclass(frozen=True, slots=True)
class Amount:
    """A net amount with its VAT category and rate in percent: a line, a charge, an allowance."""

    net: Decimal
    percent: Decimal = ZERO
    category: str = "S"


@dataclass(frozen=True, slots=True)
class Group:
    """What one category and rate comes to."""

    category: str
    percent: Decimal
    taxable: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True)
class Totals:
    """The totals of a document; `gross = net + tax` and `payable = gross - prepaid + rounding`."""

    lines: Decimal
    allowances: Decimal
    charges: Decimal
    groups: tuple[Group, ...]
    prepaid: Decimal = ZERO
    rounding: Decimal = ZERO

    @property
    def net(self) -> Decimal:
        """Lines less allowances, with charges."""
        return self.lines - self.allowances + self.charges

    @property
    def tax(self) -> Decimal:
        """The tax of all groups."""
        return sum((group.tax for group in self.groups), ZERO)

    @property
    def gross(self) -> Decimal:
        """With tax."""
        return self.net + self.tax

    @property
    def payable(self) -> Decimal:
        """What is left to pay."""
        return self.gross - self.prepaid + self.rounding


def rounded(amount: Decimal, step: Decimal = CENT) -> Decimal:
    """The nearest multiple of `step`; a half goes away from zero."""
    return (amount / step).quantize(Decimal(1), ROUND_HALF_UP) * step


def totals(
    lines: Sequence[Amount],
    *,
    allowances: Sequence[Amount] = (),
    charges: Sequence[Amount] = (),
    prepaid: Decimal = ZERO,
    rounding: Decimal = ZERO,
) -> Totals:
    """A document's totals, VAT per category and rate (`Scheme.RATE`, as EN 16931 wants it)."""
    found: dict[tuple[str, Decimal], Decimal] = {}
    for sign, entries in ((1, lines), (1, charges), (-1, allowances)):
        for entry in entries:
            key = entry.category, entry.percent
            found[key] = found.get(key, ZERO) + sign * entry.net
    groups = (
        Group(category, percent, taxable, rounded(taxable * percent / 100))
        for (category, percent), taxable in found.items()
    )
    return Totals(_sum(lines), _sum(allowances), _sum(charges), tuple(groups), prepaid, rounding)


def tax(items: Sequence[Item], scheme: Scheme) -> Decimal:
    """The VAT that is added to net lines, under one scheme."""
    if scheme is Scheme.LINE:
        return sum((rounded(item.net * item.percent / 100) for item in items), ZERO)
    if scheme is Scheme.RATE:
        return totals([Amount(i.net, i.percent, i.category) for i in items]).tax
    return rounded(sum((item.exact * item.percent / 100 for item in items), ZERO))


def _sum(entries: Iterable[Amount]) -> Decimal:
    return sum((entry.net for entry in entries), ZERO)
