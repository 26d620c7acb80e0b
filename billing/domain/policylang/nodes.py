"""The terms of an amount, as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from billing.domain.policylang.conditions import Condition


@dataclass(frozen=True, slots=True)
class Fixed:
    """So many fen."""

    path: str
    fen: Fraction


@dataclass(frozen=True, slots=True)
class OfFact:
    """A declared amount, such as the rent."""

    path: str
    fact: str


@dataclass(frozen=True, slots=True)
class Named:
    """An amount that the rule worked out before, under a name."""

    path: str
    name: str


@dataclass(frozen=True, slots=True)
class Spend:
    """Proven costs of some classes and days; one class may be at most a share of what counts."""

    path: str
    kinds: tuple[str, ...]
    first: date | None
    last: date | None
    limited: str = ""
    most: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True)
class Increment:
    """How much one amount is above another; nothing when it is below."""

    path: str
    now: str
    before: str


@dataclass(frozen=True, slots=True)
class Percent:
    """A share of an amount; with `by`, the share of that year and nothing after the last."""

    path: str
    shares: tuple[Fraction, ...]
    of: "Amount"
    by: str = ""


@dataclass(frozen=True, slots=True)
class PerUnit:
    """A rate for each unit of a quantity, up to so many, for so many times (such as months)."""

    path: str
    quantity: str
    rate: "Amount"
    up_to: Fraction | None
    times: str
    times_up_to: Fraction | None


@dataclass(frozen=True, slots=True)
class EachFull:
    """An amount for each full step."""

    path: str
    of: "Amount"
    step: Fraction
    amount: "Amount"


@dataclass(frozen=True, slots=True)
class Tier:
    """From a threshold on; `strict` means above it."""

    threshold: Fraction
    strict: bool
    then: "Amount"

    def reached(self, given: Fraction) -> bool:
        """Whether a figure is on this tier."""
        return given > self.threshold if self.strict else given >= self.threshold


@dataclass(frozen=True, slots=True)
class Table:
    """Thresholds from the lowest up; only the highest that is reached counts."""

    path: str
    by: str
    tiers: tuple[Tier, ...]


@dataclass(frozen=True, slots=True)
class Lookup:
    """The row that names exactly these facts, such as class and year of settling."""

    path: str
    by: tuple[str, ...]
    rows: Mapping[tuple[str, ...], "Amount"] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Choose:
    """The first whose condition holds; nothing when none does."""

    path: str
    branches: tuple[tuple[Condition | None, "Amount"], ...]


@dataclass(frozen=True, slots=True)
class Several:
    """`sum`, `least` or `greatest` of several."""

    path: str
    op: str
    parts: tuple["Amount", ...]


@dataclass(frozen=True, slots=True)
class RoundDown:
    """Down to full units, such as 10,000 yuan."""

    path: str
    of: "Amount"
    unit: Fraction


@dataclass(frozen=True, slots=True)
class Divide:
    """An amount divided by a number that is written down."""

    path: str
    of: "Amount"
    by: Fraction


Amount = (
    Fixed | OfFact | Named | Spend | Increment | Percent | PerUnit | EachFull | Table | Lookup
    | Choose | Several | RoundDown | Divide
)  # fmt: skip
