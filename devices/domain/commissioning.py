"""The test of a device before it serves: a list of steps by what it can be told. Pure.

A step that tells something passes when the device obeys *and* reports what it was told; one that
only looks passes as soon as what it looks for is seen. The last step puts back what was changed,
whatever became of the others. Nothing is tried that reaches outside the room: no stream is
started, no door is unlocked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from devices.domain.capabilities import Choice, Flag, Number, Rgb, Rule, Table
from devices.domain.shadow import Link

LOOK_S = 60.0
TELL_S = 15.0
RESTORE = "restore"
# Never tried: they reach outside the room, or only mean something during a show.
_UNTOUCHED = frozenset({"run", "until", "target_ref", "locked", "preset", "fade_ms", "codec"})
_MAX_STEPS = 24


class StepStatus(StrEnum):
    """Where a step stands."""

    WAITING = "waiting"
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class Result(StrEnum):
    """Where a whole test stands."""

    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to be tried; without `state` it only looks."""

    name: str
    title_zh: str
    title_en: str
    state: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """The device as it is seen now."""

    link: Link
    seen_at: datetime | None
    reported: Mapping[str, Any]
    model: str
    stated_model: str
    measured_at: datetime | None


def plan(*, table: Table, reported: Mapping[str, Any], measures: bool) -> list[Step]:
    """The steps for a device that can be told `table` and reports `reported` before the test."""
    steps = [
        Step("link", "在线", "is online"),
        Step("identity", "型号与登记一致", "says the model that is registered"),
    ]
    if measures:
        steps.append(Step("telemetry", "上报测量值", "sends measurements"))
    changed: dict[str, Any] = {}
    for key, rule in table.items():
        if key in _UNTOUCHED:
            continue
        for value in _tried(rule):
            if len(steps) >= _MAX_STEPS:
                break
            shown = f"{key}={value}"
            steps.append(Step(f"set_{key}", f"设置 {shown}", f"takes {shown}", {key: value}))
            if key in reported:
                changed[key] = reported[key]
    if changed:
        back = {k: v for k, v in changed.items() if table[k].fault(v) is None}
        steps.append(Step(RESTORE, "恢复测试前状态", "returns to what it was", back))
    return steps


def _tried(rule: Rule) -> Sequence[Any]:
    """Two values of a rule that are told apart, within its limits; none of a free text."""
    match rule:
        case Flag():
            return (True, False)
        case Number(low=low, high=high):
            return tuple(_near(low + (high - low) * part, rule) for part in (0.2, 0.6))
        case Choice(words=words):
            return words[:2]
        case Rgb():
            return ([255, 0, 0], [0, 0, 255])
        case _:
            return ()


def _near(value: float, rule: Number) -> int | float:
    return round(value) if rule.high - rule.low > 5 or rule.whole else round(value, 2)


def looked(step: Step, seen: Seen, since: datetime) -> bool:
    """Whether a step that only looks has seen what it looks for since it began."""
    match step.name:
        case "link":
            return seen.link is Link.ONLINE
        case "identity":
            return not seen.stated_model or seen.stated_model == seen.model
        case "telemetry":
            return seen.measured_at is not None and seen.measured_at >= since
        case _:
            return False


def shows(state: Mapping[str, Any], reported: Mapping[str, Any]) -> bool:
    """Whether the device reports what it was told; numbers may be rounded by it."""
    return all(key in reported and _same(value, reported[key]) for key, value in state.items())


def _same(a: Any, b: Any) -> bool:
    numbers = not isinstance(a, bool) and not isinstance(b, bool)
    if numbers and isinstance(a, int | float) and isinstance(b, int | float):
        return abs(a - b) <= max(1.0, abs(a) * 0.02) if abs(a) > 1 else abs(a - b) <= 0.02
    return bool(a == b)


def result_of(statuses: Sequence[StepStatus]) -> Result:
    """What the statuses of all steps come to."""
    if any(s in (StepStatus.WAITING, StepStatus.RUNNING) for s in statuses):
        return Result.RUNNING
    return Result.FAILED if StepStatus.FAILED in statuses else Result.PASSED
