"""When to call a person. Pure; levels go up and down with hysteresis so nothing flutters."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """What an alarm is about; one of a kind may be open per device."""

    COMMAND_FAILED = "command_failed"
    DEVICE_OFFLINE = "device_offline"
    UPLINK_BAD = "uplink_bad"
    FAULT = "device_fault"
    NOT_READY = "not_ready"
    HANDOVER = "handover"


class Severity(StrEnum):
    """How soon somebody should look."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


TITLES: Mapping[Code, tuple[str, str]] = {
    Code.COMMAND_FAILED: ("指令执行失败", "A command failed"),
    Code.DEVICE_OFFLINE: ("设备离线", "Device offline"),
    Code.UPLINK_BAD: ("上行链路质量差", "Uplink is bad"),
    Code.FAULT: ("设备报告故障", "The device reports a fault"),
    Code.NOT_READY: ("空间未就绪", "The room is not ready"),
    Code.HANDOVER: ("交接发现问题", "The handover found a problem"),
}


def title_of(code: str, zh: str, en: str) -> tuple[str, str]:
    """An alarm's title in both languages; one from before rules had words has that of its code."""
    if zh:
        return zh, en
    return TITLES[Code(code)] if code in set(Code) else (code, code)


@dataclass(frozen=True, slots=True)
class Limit:
    """A metric is bad from `bad` upwards and good again below `good`; in between keeps."""

    good: float
    bad: float


# Source: base data, telemetry_limits (warn_high is good again, critical_high is bad).
UPLINK_LIMITS: Mapping[str, Limit] = {
    "dropped_pct": Limit(good=1, bad=3),
    "rtt_ms": Limit(good=100, bad=150),
}
BAD_SAMPLES = 3


def uplink_is_bad(metrics: Mapping[str, float]) -> bool | None:
    """True: some metric is bad. False: all known ones are good. None: in between, or unknown."""
    known = [(metrics[name], limit) for name, limit in UPLINK_LIMITS.items() if name in metrics]
    if any(value >= limit.bad for value, limit in known):
        return True
    return False if known and all(value < limit.good for value, limit in known) else None


def step(score: int, bad: bool | None) -> int:
    """Count bad samples up to BAD_SAMPLES and good ones down to 0.

    The alarm is raised when the score arrives at BAD_SAMPLES and cleared when it arrives at 0.
    """
    if bad is None:
        return score
    return min(score + 1, BAD_SAMPLES) if bad else max(score - 1, 0)
