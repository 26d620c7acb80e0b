"""What is known about a tenant and a wish when policies are judged."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Used:
    """The half-hours a tenant has booked in the month, and used of each policy by its code."""

    month_half_hours: int
    in_month: Mapping[str, int]
    in_total: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Situation:
    """Facts only: no clock, no database. Amounts in fen, hours in half-hours."""

    on: date
    rating: str
    category: str
    industry: str = ""
    town: str = ""
    tags: frozenset[str] = frozenset()
    registered: bool = False
    joined_on: date = date(2000, 1, 1)
    mode: str = "hourly"
    space_type: str = ""
    purpose: str | None = None
    partner_category: str | None = None
    agreement: bool = False
    programme_filed: bool = False
    annual_gmv_yuan: Decimal = Decimal(0)
    approvals: frozenset[str] = frozenset()
    month_half_hours: int = 0
    used_month: Mapping[str, int] = field(default_factory=dict)
    used_total: Mapping[str, int] = field(default_factory=dict)
    budget_left_fen: Mapping[str, int] = field(default_factory=dict)

    @property
    def months_since_join(self) -> int:
        """Whole months between joining and the day of use."""
        months = (self.on.year - self.joined_on.year) * 12 + self.on.month - self.joined_on.month
        return months - (self.on.day < self.joined_on.day)
