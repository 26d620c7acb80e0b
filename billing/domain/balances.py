"""What is still owed: credits, coupons, prepaid money and refunds against what was charged.

The order is always: discounts before tax; then tax; then credit notes; then prepaid money. The
latter two lower what is due, never the taxable amount. Amounts are integer fen unless said.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from base_ops.core import money


@dataclass(frozen=True, slots=True)
class Account:
    """One document's account.

    Args:
        charged_fen: its lines.
        adjusted_fen: what later corrections add to them; negative when they take off.
        credit_fen: credit of earlier documents that it used up, >= 0.
        paid_fen: payments, >= 0.
        refunded_fen: what was paid back, >= 0.
        owed: whether it counts; a draft, a void document, or one that only grants credit owes
            nothing.
    """

    charged_fen: int
    adjusted_fen: int = 0
    credit_fen: int = 0
    paid_fen: int = 0
    refunded_fen: int = 0
    owed: bool = True

    @property
    def total_fen(self) -> int:
        """What was charged after all."""
        return self.charged_fen + self.adjusted_fen

    @property
    def balance_fen(self) -> int:
        """What is still to be paid; negative when too much was."""
        if not self.owed:
            return 0
        return self.total_fen - self.credit_fen - self.paid_fen + self.refunded_fen


@dataclass(frozen=True, slots=True)
class Due:
    """From net to due, with how much of each credit was used."""

    net_fen: int
    tax_fen: int
    notes_fen: int
    prepaid_fen: int

    @property
    def total_fen(self) -> int:
        """With tax."""
        return self.net_fen + self.tax_fen

    @property
    def due_fen(self) -> int:
        """What is left to pay, >= 0."""
        return self.total_fen - self.notes_fen - self.prepaid_fen


def due(*, net_fen: int, rate: Decimal, notes_fen: int = 0, prepaid_fen: int = 0) -> Due:
    """What is due of a net amount after discounts; credits are used as far as there is need."""
    tax = money.round_half_up(net_fen * rate)
    notes = min(notes_fen, net_fen + tax)
    return Due(net_fen, tax, notes, min(prepaid_fen, net_fen + tax - notes))


@dataclass(frozen=True, slots=True)
class Part:
    """A net amount and its tax: of a document, of a credit, or what credits left of one."""

    net_fen: int
    tax_fen: int

    @property
    def total_fen(self) -> int:
        """With tax."""
        return self.net_fen + self.tax_fen

    def less(self, part: "Part") -> "Part":
        """What is left when a part is taken."""
        return Part(self.net_fen - part.net_fen, self.tax_fen - part.tax_fen)


def credit(net_fen: int, *, rate: Decimal, left: Part) -> Part:
    """The credit of a net amount; the last one takes whatever tax rounding left.

    Args:
        net_fen: what to give back, 0 <= net_fen <= left.net_fen.
        rate: the document's VAT rate.
        left: what earlier credits left of the document.

    Raises:
        ValueError: more than is left.
    """
    if not 0 <= net_fen <= left.net_fen:
        raise ValueError(f"{net_fen} fen of {left.net_fen}")
    if net_fen == left.net_fen:
        return left
    return Part(net_fen, min(money.round_half_up(net_fen * rate), left.tax_fen))


def overbilled_fen(*, billed_fen: int, right_fen: int) -> int:
    """The credit that corrects an amount which was too high; 0 when it was not."""
    return max(billed_fen - right_fen, 0)


def stacked_fen(list_fen: int, *, percents: Sequence[Decimal], amounts_fen: Sequence[int]) -> int:
    """Discounts that all count from the list price, never more than it."""
    off = sum((money.round_half_up(list_fen * p / 100) for p in percents), sum(amounts_fen))
    return min(off, list_fen)


def pro_rata(amount: Fraction, weights: Sequence[Fraction]) -> list[Fraction]:
    """An amount spread exactly over weights >= 0; nothing where all of them are 0."""
    whole = sum(weights)
    return [amount * weight / whole if whole else Fraction(0) for weight in weights]


def split(amount_fen: int, weights: Sequence[int]) -> list[int]:
    """Whole fen in proportion to weights >= 0, the largest remainders first; sums to the amount.

    Raises:
        ValueError: no weight is positive, or one is negative.
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise ValueError(f"no proportion: {list(weights)}")
    sign = -1 if amount_fen < 0 else 1
    cut = [divmod(abs(amount_fen) * weight, whole) for weight in weights]
    short = abs(amount_fen) - sum(floor for floor, _ in cut)
    first = sorted(range(len(cut)), key=lambda n: (-cut[n][1], n))[:short]
    return [sign * (floor + (n in first)) for n, (floor, _) in enumerate(cut)]
