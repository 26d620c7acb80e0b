"""The plan by which debts are reminded of and what being late costs: data, read and checked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from base_ops.core import money
from base_ops.core.errors import FieldFault, Invalid

TONES: Final = ("coming", "reminder", "demand", "final")
STANDARD: Final[Mapping[str, Any]] = {
    "steps": [
        {"code": "coming", "days": -3, "tone": "coming"},
        {"code": "first", "days": 3, "tone": "reminder"},
        {"code": "second", "days": 10, "tone": "demand"},
        {"code": "final", "days": 20, "tone": "final"},
    ],
    "late_fee": {"per_day": "0.0005", "cap_pct": 20},
}
"""With which the base begins; the rate is the terms' late fee per day."""
_MOST = 12


class BadDunning(Invalid):
    """The plan has faults; `fields` names every one by its path."""

    code, title_zh, title_en = "bad_dunning", "催缴方案有误", "The dunning plan has faults"


@dataclass(frozen=True, slots=True)
class Step:
    """So many days after the due day (before it below zero), in this tone."""

    code: str
    days: int
    tone: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps by their days, and the late fee: a share per day, at most so many percent."""

    steps: tuple[Step, ...]
    per_day: Decimal
    cap_pct: int

    def step(self, days: int) -> Step | None:
        """The last step that is reached so many days after the due day."""
        reached = [step for step in self.steps if step.days <= days]
        return reached[-1] if reached else None


def read(document: Mapping[str, Any]) -> Plan:
    """The plan of a document.

    Raises:
        BadDunning: naming every fault.
    """
    faults: list[FieldFault] = []
    steps = [_step(n, row, faults) for n, row in enumerate(document.get("steps", ()))]
    if not 1 <= len(steps) <= _MOST:
        faults.append(FieldFault("steps", "须有 1 至 12 步", "from 1 to 12 steps"))
    faults += [
        FieldFault(f"steps.{name}", "不可重复", "must differ")
        for name in ("code", "days")
        if len({getattr(step, name) for step in steps}) != len(steps)
    ]
    per_day = _per_day(document, faults)
    cap = document.get("late_fee", {}).get("cap_pct")
    if not isinstance(cap, int) or not 0 <= cap <= 100:
        faults.append(FieldFault("late_fee.cap_pct", "须为 0 至 100", "from 0 to 100"))
    if faults or not isinstance(cap, int):
        raise BadDunning(fields=faults)
    return Plan(tuple(sorted(steps, key=lambda step: step.days)), per_day, cap)


def _step(number: int, row: Mapping[str, Any], faults: list[FieldFault]) -> Step:
    code, days, tone = row.get("code", ""), row.get("days", 0), row.get("tone", "")
    if tone not in TONES:
        allowed = ", ".join(TONES)
        faults.append(FieldFault(f"steps.{number}.tone", f"须为 {allowed}", f"one of {allowed}"))
    if not -60 <= days <= 365:
        faults.append(FieldFault(f"steps.{number}.days", "须为 -60 至 365", "from -60 to 365"))
    return Step(str(code), int(days), str(tone))


def _per_day(document: Mapping[str, Any], faults: list[FieldFault]) -> Decimal:
    try:
        rate = Decimal(str(document.get("late_fee", {}).get("per_day", "")))
    except InvalidOperation:
        rate = Decimal("NaN")
    if not rate.is_finite() or not 0 <= rate <= Decimal("0.01"):
        fault = FieldFault("late_fee.per_day", "须为 0 至 0.01", "from 0 to 0.01")
        faults.append(fault)
        return Decimal(0)
    return rate


def late_fee_fen(
    *,
    first: date,
    last: date,
    principal_fen: int,
    settled: Iterable[tuple[date, int]],
    per_day: Decimal,
    left_fen: int,
) -> int:
    """What being late from `first` to `last`, both included, costs; rounded once, at the end.

    Args:
        first: the first day.
        last: the last day.
        principal_fen: what the document asks for without late fees of its own.
        settled: what was settled (day, amount), in any order; it counts from that day on.
        per_day: the share per day.
        left_fen: what the cap leaves.
    """
    paid = list(settled)
    owed_days = sum(
        max(principal_fen - sum(amount for on, amount in paid if on <= day), 0)
        for day in (first + timedelta(days=n) for n in range((last - first).days + 1))
    )
    return max(min(money.round_half_up(owed_days * per_day), left_fen), 0)
