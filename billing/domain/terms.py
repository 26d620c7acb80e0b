"""Terms of what is owed beside the price: tiers of cancelling, and running over.

A price book has them; a booking is settled by those of the book that its frozen quote names.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any, Final, TypeVar

from base_ops.core import money
from base_ops.core.spans import Span

T = TypeVar("T")
_GE, _GT = "hours_before_ge", "hours_before_gt"
_LAST_NUMBER = re.compile(r"(\d+(?:\.\d+)?)\s*$")
_TIER_KEYS = {_GE, _GT, "fee_pct"}
_OVERTIME_KEYS = {"grace_min", "per_started_min", "multiplier", "if_next_booked", "step_price"}


@dataclass(frozen=True, slots=True)
class Tier:
    """What cancelling so long before the start costs, in percent of the room price.

    `reached`: exactly that long before is enough; otherwise it must be more.
    """

    hours: int
    pct: int
    reached: bool = True

    def covers(self, notice: timedelta) -> bool:
        """Whether cancelling that long before the start is early enough for this tier."""
        boundary = timedelta(hours=self.hours)
        return notice > boundary or (self.reached and notice == boundary)


@dataclass(frozen=True, slots=True)
class Overtime:
    """The price of running over.

    Nothing while it lasts no longer than the grace; beyond it every started step from the booked
    end on, at a multiple of the hourly price, or at a price of its own if there is one.
    """

    step_min: int = 15
    grace_min: int = 0
    multiplier: Decimal = Decimal("1.5")
    next_booked: Decimal = Decimal("2.0")
    step_price_fen: int | None = None

    def steps(self, span: Span) -> int:
        """Started steps in the span."""
        return -(-span.length // timedelta(minutes=self.step_min))

    def forgives(self, span: Span) -> bool:
        """Whether running over that long costs nothing."""
        return span.length <= timedelta(minutes=self.grace_min)

    def factor(self, *, next_booked: bool) -> Decimal:
        """The multiple of the hourly price; more where somebody waits for the room."""
        return self.next_booked if next_booked else self.multiplier


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of one price book; without anything said they are the base's usual ones.

    `no_show_pct`: of the list price. `late_fee_per_day`: the share of an overdue amount that each
    day costs. `deposit_months`: rents that a lease leaves as a deposit; `deposits_fen`: deposits
    of single bookings by what is let.
    """

    cancellation: tuple[Tier, ...] = (Tier(24, 0), Tier(4, 30), Tier(0, 80))
    overtime: Overtime = Overtime()
    no_show_pct: int = 100
    late_fee_per_day: Decimal = Decimal("0.0005")
    deposit_months: int = 2
    deposits_fen: tuple[tuple[str, int], ...] = (
        ("jewel_room", 100_000),
        ("variety_stage", 200_000),
    )

    def cancellation_pct(self, *, starts_at: datetime, at: datetime) -> int:
        """Percent of the room price that cancelling at that instant costs.

        After the start the last tier counts.
        """
        notice = starts_at - at
        found = (tier.pct for tier in self.cancellation if tier.covers(notice))
        return next(found, self.cancellation[-1].pct)

    def as_json(self) -> dict[str, Any]:
        """The terms in the words of the data file; `read` understands them."""
        over = self.overtime
        price: dict[str, Any] = (
            {"multiplier": str(over.multiplier), "if_next_booked": str(over.next_booked)}
            if over.step_price_fen is None
            else {"step_price": money.yuan(over.step_price_fen)}
        )
        return {
            "cancellation": [
                {(_GE if tier.reached else _GT): tier.hours, "fee_pct": str(tier.pct)}
                for tier in self.cancellation
            ],
            "overtime": {"per_started_min": over.step_min, "grace_min": over.grace_min} | price,
        } | self._unusual()

    def _unusual(self) -> dict[str, Any]:
        """The terms that books did not have from the beginning, where they are not as usual."""
        found: dict[str, Any] = {}
        if self.no_show_pct != STANDARD.no_show_pct:
            found["no_show"] = {"fee_pct": str(self.no_show_pct)}
        if self.late_fee_per_day != STANDARD.late_fee_per_day:
            found["late_fee_per_day"] = str(self.late_fee_per_day)
        deposit = self.deposit_months, self.deposits_fen
        if deposit != (STANDARD.deposit_months, STANDARD.deposits_fen):
            found["deposit"] = {"monthly_months": self.deposit_months} | {
                name: money.yuan(fen) for name, fen in self.deposits_fen
            }
        return found


STANDARD: Final = Terms()


def read(rules: object, faults: list[str]) -> Terms:
    """The terms in `pricing_rules`; what is not there is as usual, every fault is noted."""
    if rules is None:
        return STANDARD
    if not isinstance(rules, Mapping):
        faults.append("pricing_rules: not an object")
        return STANDARD
    tiers, overtime = STANDARD.cancellation, STANDARD.overtime
    if "cancellation" in rules:
        tiers = _tiers(rules["cancellation"], faults) or tiers
    if "overtime" in rules:
        found = _try(_overtime, rules["overtime"], "pricing_rules[overtime]", faults)
        overtime = found or overtime
    return Terms(tiers, overtime, **_rest(rules, faults))


def _rest(rules: Mapping[str, Any], faults: list[str]) -> dict[str, Any]:
    """What is said of not showing up, of paying late, and of deposits."""
    found: dict[str, Any] = {}
    if "no_show" in rules:
        where = "pricing_rules[no_show]"
        found["no_show_pct"] = _try(
            lambda row: _pct(row["fee_pct"]), rules["no_show"], where, faults
        )
    if "late_fee_per_day" in rules:
        where = "pricing_rules[late_fee_per_day]"
        found["late_fee_per_day"] = _try(_share, rules["late_fee_per_day"], where, faults)
    if "deposit" in rules:
        where = "pricing_rules[deposit]"
        months, amounts = _try(_deposit, rules["deposit"], where, faults) or (None, None)
        found |= {"deposit_months": months, "deposits_fen": amounts}
    return {name: value for name, value in found.items() if value is not None}


def _share(text: Any) -> Decimal:
    share = Decimal(text)
    if not share.is_finite() or not 0 <= share < 1:
        raise ValueError(f"{text} is not between 0 and 1")
    return share


def _deposit(row: Mapping[str, Any]) -> tuple[int, tuple[tuple[str, int], ...]]:
    """Months of rent, and amounts by what is let; `hourly` is a word about credit."""
    amounts = {k: money.fen(v) for k, v in row.items() if k not in ("monthly_months", "hourly")}
    if any(fen < 0 for fen in amounts.values()):
        raise ValueError("negative deposit")
    months = _whole(row, "monthly_months", least=0) if "monthly_months" in row else 0
    return months, tuple(sorted(amounts.items()))


def _try(read_one: Callable[[Any], T], row: object, where: str, faults: list[str]) -> T | None:
    try:
        return read_one(row)
    except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation) as exc:
        faults.append(f"{where}: {exc!r}")
        return None


def _tiers(rows: object, faults: list[str]) -> tuple[Tier, ...]:
    """Tiers from the earliest on, which together cover every instant before the start."""
    where = "pricing_rules[cancellation]"
    if not isinstance(rows, list) or not rows:
        faults.append(f"{where}: not a list of tiers")
        return ()
    found = [_try(_tier, row, f"{where}[{n}]", faults) for n, row in enumerate(rows)]
    tiers = [tier for tier in found if tier is not None]
    if len(tiers) == len(rows):
        faults += [f"{where}: {fault}" for fault in _tier_faults(tiers)]
    return tuple(tiers)


def _tier(row: Mapping[str, Any]) -> Tier:
    _known(row, _TIER_KEYS)
    if (_GE in row) == (_GT in row):
        raise ValueError(f"either {_GE} or {_GT}")
    pct = _pct(row["fee_pct"])
    return Tier(_whole(row, _GE if _GE in row else _GT, least=0), pct, reached=_GE in row)


def _pct(text: Any) -> int:
    pct = Decimal(text)
    if not pct.is_finite() or pct != int(pct) or not 0 <= pct <= 100:
        raise ValueError(f"{pct} is not a whole percentage")
    return int(pct)


def _tier_faults(tiers: Sequence[Tier]) -> list[str]:
    faults = []
    for early, late in pairwise(tiers):
        if (early.hours, not early.reached) <= (late.hours, not late.reached):
            faults.append(f"the tier of {late.hours} h can never count after {early.hours} h")
        if early.pct > late.pct:
            faults.append(
                f"cancelling later must not be cheaper: {early.pct} %, then {late.pct} %"
            )
    if (tiers[-1].hours, tiers[-1].reached) != (0, True):
        faults.append(f"the last tier must be {_GE} 0")
    return faults


def _overtime(row: Mapping[str, Any]) -> Overtime:
    _known(row, _OVERTIME_KEYS)
    step = _whole(row, "per_started_min", least=1)
    grace = _whole(row, "grace_min", least=0) if "grace_min" in row else 0
    if ("step_price" in row) == ("multiplier" in row):
        raise ValueError("either multiplier or step_price")
    if "step_price" in row:
        price = money.fen(row["step_price"])
        if price < 0:
            raise ValueError(f"negative price: {row['step_price']}")
        return Overtime(step, grace, step_price_fen=price)
    factor = _factor(row["multiplier"])
    return Overtime(step, grace, factor, _next_booked(row) or factor)


def _next_booked(row: Mapping[str, Any]) -> Decimal | None:
    """The number at the end of the words: "hard stop warning at -10 min; 2.0"."""
    if "if_next_booked" not in row:
        return None
    match = _LAST_NUMBER.search(row["if_next_booked"])
    if match is None:
        raise ValueError(f"no number at the end of {row['if_next_booked']!r}")
    return _factor(match[1])


def _factor(text: str) -> Decimal:
    factor = Decimal(text)
    if not factor.is_finite() or factor < 0:
        raise ValueError(f"{text} is not a factor")
    return factor


def _whole(row: Mapping[str, Any], key: str, *, least: int) -> int:
    value = row[key]
    if type(value) is not int or value < least:
        raise ValueError(f"{key} must be a whole number from {least} on, not {value!r}")
    return value


def _known(row: Mapping[str, Any], keys: set[str]) -> None:
    if unknown := sorted(set(row) - keys):
        raise ValueError(f"unknown: {', '.join(unknown)}")
