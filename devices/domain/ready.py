"""Can this room go live? (能开播吗) Pure: power, lights, camera, encoder, uplink."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from devices.domain.scenes import Scene, Target, Wish, desired
from devices.domain.shadow import Link


class Reason(TypedDict):
    """One thing that is missing, and on which device; plain JSON, as bookings keep it."""

    code: str
    device: str | None
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Ready:
    """Green, or red with every reason."""

    ok: bool
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """One device of the room, or of the base for the uplink."""

    code: str
    kind: str
    role: str
    model: str
    link: Link
    reported: Mapping[str, Any]


_NEEDED: Mapping[str, tuple[str, str]] = {
    "light": ("灯光", "lights"),
    "camera": ("摄像机", "a camera"),
    "encoder": ("编码器", "an encoder"),
}
_STREAM_KINDS = frozenset({"light", "camera", "encoder", "power_meter"})


def light(devices: Sequence[Seen], uplinks: Sequence[Seen]) -> Ready:
    """The ready light of a room.

    Args:
        devices: all active devices of the room.
        uplinks: the gateways of the base; one that is online is enough.
    """
    reasons = [r for d in devices if _counts(d) for r in _faults(d)]
    have = {d.kind for d in devices if _counts(d)}
    reasons += [
        _reason(f"no_{kind}", None, f"没有可用的{zh}", f"the room has not got {en}")
        for kind, (zh, en) in _NEEDED.items()
        if kind not in have
    ]
    if not any(u.link is Link.ONLINE for u in uplinks):
        reasons.append(_reason("no_uplink", None, "外网链路不可用", "no uplink is online"))
    return Ready(not reasons, tuple(reasons))


def _reason(code: str, device: str | None, zh: str, en: str) -> Reason:
    return {"code": code, "device": device, "zh": zh, "en": en}


def _counts(device: Seen) -> bool:
    """Whether the show needs it: not house lights, security cameras, spares."""
    if device.kind not in _STREAM_KINDS:
        return False
    if device.kind == "power_meter":
        return True
    target = Target(device.code, device.kind, device.role, device.model, {})
    return bool(desired(Scene.ON_AIR, target, Wish()))


def _faults(device: Seen) -> list[Reason]:
    if device.link is not Link.ONLINE:
        zh = {Link.OFFLINE: "离线", Link.STALE: "无响应"}.get(device.link, "状态未知")
        return [_reason(f"{device.kind}_{device.link}", device.code, zh, f"is {device.link}")]
    check = _CHECKS.get(device.kind)
    return check(device) if check else []


def _light_faults(device: Seen) -> list[Reason]:
    if device.reported.get("power") is True:
        return []
    return [_reason("light_off", device.code, "灯未开", "is off")]


def _camera_faults(device: Seen) -> list[Reason]:
    faults = []
    if device.reported.get("power") is False:
        faults.append(_reason("camera_off", device.code, "摄像机未开机", "is off"))
    if device.reported.get("privacy") is True:
        faults.append(
            _reason("camera_private", device.code, "隐私遮挡未打开", "has its shutter closed")
        )
    return faults


def _encoder_faults(device: Seen) -> list[Reason]:
    faults = []
    if device.reported.get("run") not in ("stopped", "starting", "live"):
        faults.append(_reason("encoder_error", device.code, "编码器异常", "is in error"))
    if device.reported.get("input_locked") is False:
        faults.append(_reason("encoder_no_input", device.code, "编码器无信号输入", "has no input"))
    return faults


_CHECKS: Mapping[str, Callable[[Seen], list[Reason]]] = {
    "light": _light_faults,
    "camera": _camera_faults,
    "encoder": _encoder_faults,
}
