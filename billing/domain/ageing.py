"""How long debts are overdue."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

BUCKETS: Final = ("not_due", "days_1_30", "days_31_60", "days_61_90", "days_over_90")


@dataclass(slots=True)
class Ageing:
    """What is open, in fen, by the days since it fell due."""

    not_due: int = 0
    days_1_30: int = 0
    days_31_60: int = 0
    days_61_90: int = 0
    days_over_90: int = 0

    @property
    def total_fen(self) -> int:
        """All that is open."""
        return sum(getattr(self, name) for name in BUCKETS)

    @property
    def overdue_fen(self) -> int:
        """All that is past its day."""
        return self.total_fen - self.not_due

    def add(self, due_on: date, open_fen: int, *, on: date) -> None:
        """Count one debt as of a day."""
        name = bucket(due_on, on=on)
        setattr(self, name, getattr(self, name) + open_fen)


def bucket(due_on: date, *, on: date) -> str:
    """Where a debt belongs on a day; on the day itself it is not overdue."""
    days = (on - due_on).days
    if days <= 0:
        return BUCKETS[0]
    return BUCKETS[min((days - 1) // 30 + 1, 4)]


def age(debts: Iterable[tuple[date, int]], *, on: date) -> Ageing:
    """The ages of debts (due day, open amount) on a day."""
    found = Ageing()
    for due_on, open_fen in debts:
        found.add(due_on, open_fen, on=on)
    return found
