"""What a measurement means by a rule: nothing, wait, raise, clear. Pure.

A limit is crossed at `limit` and left at `clear`; in between, whatever was goes on. What is beyond
for less than `for_s` is waited for and never raised.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from devices.domain.alarmrules.rules import Kind, Rule


@dataclass(frozen=True, slots=True)
class Pending:
    """What is remembered of one device and rule while its value is beyond the limit."""

    since: datetime
    at: datetime
    raised: bool = False


class Verdict(StrEnum):
    """What follows from a measurement."""

    KEEP = "keep"
    RAISE = "raise"
    CLEAR = "clear"


def judge(
    rule: Rule, before: Pending | None, value: float, at: datetime
) -> tuple[Pending | None, Verdict]:
    """The state after a measurement, and what follows; the same state when nothing does.

    A measurement older than the last that counted is passed over.
    """
    if before is not None and at < before.at:
        return before, Verdict.KEEP
    if _is_well(rule, value):
        return None, (Verdict.CLEAR if before is not None and before.raised else Verdict.KEEP)
    if before is None:
        if not _is_beyond(rule, value):
            return None, Verdict.KEEP
        before = Pending(since=at, at=at)
    lasted = at - before.since >= timedelta(seconds=rule.params.get("for_s", 0))
    if lasted and not before.raised:
        return Pending(before.since, at, raised=True), Verdict.RAISE
    return before, Verdict.KEEP


def is_too_fast(rule: Rule, change: float, over: timedelta) -> bool | None:
    """Whether a change within a time breaks a rule on rates; None: too short to tell."""
    window = timedelta(seconds=rule.params["window_s"])
    if over < window / 2:
        return None
    per_min = change / (over / timedelta(minutes=1))
    limit = rule.params["per_min"]
    match rule.params["direction"]:
        case "rise":
            return bool(per_min > limit)
        case "fall":
            return bool(-per_min > limit)
        case _:
            return bool(abs(per_min) > limit)


def _is_beyond(rule: Rule, value: float) -> bool:
    limit = float(rule.params["limit"])
    return value <= limit if _is_floor(rule) else value >= limit


def _is_well(rule: Rule, value: float) -> bool:
    """On the good side of where it clears, or of its limit when both are one."""
    clear = float(rule.params["clear"])
    if clear == float(rule.params["limit"]):
        return not _is_beyond(rule, value)
    return value >= clear if _is_floor(rule) else value <= clear


def _is_floor(rule: Rule) -> bool:
    return rule.kind is Kind.THRESHOLD and rule.params["side"] == "below"
