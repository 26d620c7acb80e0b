"""How devices of each kind start, draw power and take time. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from devices.simulator.plan import Spec

State = Mapping[str, Any]
STANDBY_SHARE = 0.02
ON_AIR_STATES = ("starting", "live", "stopping")


def first_state(spec: Spec) -> dict[str, Any]:
    """What a device reports after it booted."""
    return dict(_FIRST_BY_MODEL.get(spec.model) or _FIRST.get(spec.kind, {}))


_CLOSED_CAMERA: State = {"power": False, "privacy": True, "tally": "off", "signal_ok": True}
_FIRST: Mapping[str, State] = {
    "light": {
        "power": False,
        "mode": "cct",
        "brightness": 0,
        "cct": 5600,
        "rgb": [255, 255, 255],
        "preset": None,
        "fade_ms": 400,
    },
    "camera": _CLOSED_CAMERA,
    "encoder": {
        "run": "stopped",
        "codec": "h264",
        "w": 1920,
        "h": 1080,
        "fps": 30,
        "kbps": 6000,
        "target_ref": None,
        "input_locked": True,
    },
    "switcher": {"program_input": 1, "preview_input": 2},
    "audio": {"muted": True, "gain_db": 0},
    "prompter": {"power": False},
    "monitor": {"power": False, "brightness": 70},
    "display": {"power": False, "brightness": 60},
    "power_meter": {"relay_on": True},
    "access": {"locked": True, "door_open": False, "on_air_sign": False},
    "hvac": {"power": True, "setpoint_c": 26, "fan": "auto"},
    "ups": {"on_battery": False},
    "network": {"active_wan": 1},
    "security": {"door_open": False, "tamper": False},
    "power_outlet": {"power": False},
    "workstation": {"power": True},
}
_FIRST_BY_MODEL: Mapping[str, State] = {
    "CAM-PTZ": {**_CLOSED_CAMERA, "pan": 0, "tilt": 0, "zoom": 0, "preset": None},
    "CAM-SEC": {"recording": True},
    "LT-HOUSE-36": {"power": True},
    "SEN-PIR": {"presence": False, "count": 0},
    "SEN-SMOKE": {"alarm": False, "fault": False},
}


def power_w(spec: Spec, state: State) -> float:
    """What the device draws now."""
    if spec.kind == "encoder":
        return spec.rated_w * (1.0 if state.get("run") in ON_AIR_STATES else 0.45)
    if spec.kind == "hvac":
        fan = {"low": 0.4, "mid": 0.7, "high": 1.0}.get(state.get("fan", ""), 0.55)
        return spec.rated_w * (fan if state.get("power") else STANDBY_SHARE)
    if "power" not in state:
        return spec.rated_w
    if not state["power"]:
        return spec.rated_w * STANDBY_SHARE
    if "brightness" in state:
        return spec.rated_w * (0.05 + 0.95 * float(state["brightness"]) / 100)
    return spec.rated_w


@dataclass(frozen=True, slots=True)
class Phase:
    """A change of state that happens `after_ms`."""

    after_ms: float
    changes: State


def phases(spec: Spec, state: State, wish: State, chance: Callable[[], float]) -> list[Phase]:
    """How a wish comes true, step by step; the last phase ends the command.

    Args:
        spec: the device.
        state: what it reports now.
        wish: the absolute values asked for.
        chance: a random number in [0, 1).
    """
    if spec.kind == "encoder" and wish.get("run", state.get("run")) != state.get("run"):
        return _encoder_phases(wish, chance)
    if wish.get("privacy") and state.get("until"):
        wish = {**wish, "until": 0}
    return [Phase(_travel_ms(spec, state, wish) + 15 + 40 * chance(), wish)]


def _encoder_phases(wish: State, chance: Callable[[], float]) -> list[Phase]:
    """Connecting to the platform takes 1-2 s; letting go of it 0.3-0.8 s."""
    if wish["run"] == "live":
        wait = 1000 + 1000 * chance()
        return [Phase(20, {**wish, "run": "starting"}), Phase(wait, {"run": "live"})]
    wait = 300 + 500 * chance()
    return [Phase(20, {**wish, "run": "stopping"}), Phase(wait, {"run": "stopped", "until": 0})]


def _travel_ms(spec: Spec, state: State, wish: State) -> float:
    if spec.kind == "light":
        dims = {"power", "brightness", "cct", "rgb", "mode"} & wish.keys()
        fade = wish.get("fade_ms", state.get("fade_ms", 0))
        return float(fade) if dims else 0.0
    if spec.kind == "camera":
        degrees = max(
            (abs(wish[axis] - state.get(axis, 0)) for axis in ("pan", "tilt") if axis in wish),
            default=0.0,
        )
        booting = 400.0 if wish.get("power") and not state.get("power") else 0.0
        return booting + degrees * 8
    if spec.kind in ("display", "monitor") and wish.get("power"):
        return 300.0
    return 0.0


def settle(value: float, target: float, seconds: float, time_constant_s: float) -> float:
    """One step of a first-order lag towards `target`."""
    return value + (target - value) * min(1.0, seconds / time_constant_s)
