"""Is the room as it should be left? Each device: there, without alarm, at rest. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devices.domain.ready import Reason
from devices.domain.scenes import Scene, Target, Wish, desired
from devices.domain.shadow import Link

_LINKS = {Link.OFFLINE: "离线", Link.STALE: "无响应", Link.UNKNOWN: "状态未知"}


@dataclass(frozen=True, slots=True)
class Probe:
    """One device as it is seen, and the kinds of alarm that are open on it."""

    code: str
    kind: str
    role: str
    model: str
    link: Link
    reported: Mapping[str, Any]
    alarms: Collection[str] = ()
    pending: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What became of one device; no reasons is good. `settling` waits for its own answer."""

    code: str
    kind: str
    role: str
    reasons: tuple[Reason, ...]
    settling: bool = False

    def as_json(self) -> dict[str, Any]:
        """Plain, as a handover keeps it."""
        return {
            "device": self.code,
            "kind": self.kind,
            "role": self.role,
            "ok": not self.reasons,
            "settling": self.settling,
            "reasons": [dict(reason) for reason in self.reasons],
        }


def check(probes: Sequence[Probe]) -> list[Found]:
    """Every device of a room, in order, with all that is wrong.

    A device that was just told to rest and has not answered yet is not wrong but settling.
    """
    return [_check(probe) for probe in sorted(probes, key=lambda p: p.code)]


def _check(probe: Probe) -> Found:
    reasons = [
        _reason(f"alarm_{alarm}", probe, "有未消除的告警", f"has an open alarm: {alarm}")
        for alarm in sorted(probe.alarms)
    ]
    settling = False
    if probe.link is not Link.ONLINE:
        zh = _LINKS.get(probe.link, "状态未知")
        reasons.append(_reason(f"link_{probe.link}", probe, zh, f"is {probe.link}"))
    elif differs := _not_at_rest(probe):
        settling = probe.pending
        if not settling:
            reasons += [
                _reason(
                    f"not_at_rest_{key}",
                    probe,
                    f"未恢复待机状态:{key}={probe.reported.get(key)!r}",
                    f"is not at rest: {key} is {probe.reported.get(key)!r}",
                )
                for key in differs
            ]
    return Found(probe.code, probe.kind, probe.role, tuple(reasons), settling)


def _not_at_rest(probe: Probe) -> list[str]:
    """The keys that differ from what the scene `wrap` leaves behind; unreported ones do not."""
    target = Target(probe.code, probe.kind, probe.role, probe.model, probe.reported)
    rest = desired(Scene.WRAP, target, Wish())
    return sorted(k for k, v in rest.items() if k in probe.reported and probe.reported[k] != v)


def _reason(code: str, probe: Probe, zh: str, en: str) -> Reason:
    return {"code": code, "device": probe.code, "zh": zh, "en": en}
