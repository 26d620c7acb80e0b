"""Scenes: named target states of the devices of a space, and the least commands that lead there.

`standby` waits with the room dark, `prepare` makes it ready to go live, `on_air` starts the
stream, `wrap` ends it and closes the cameras, `off` powers down. House lights, sensors, meters,
locks and the climate in between keep their own rules. A state says only what the scene cares for.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from devices.domain import capabilities
from devices.domain.shadow import delta

State = Mapping[str, Any]


class Scene(StrEnum):
    """The five scenes."""

    STANDBY = "standby"
    PREPARE = "prepare"
    ON_AIR = "on_air"
    WRAP = "wrap"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Target:
    """One device that a scene may touch.

    `expected` is what it reported, with the commands that are still on their way laid over.
    """

    code: str
    kind: str
    role: str
    model: str
    expected: State


@dataclass(frozen=True, slots=True)
class Wish:
    """What the caller adds to a scene: when the stream ends and for whom it is."""

    until: datetime | None = None
    target_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a plan: only the keys that must change."""

    code: str
    state: State


KEY_CCT_K = 5600
_LEVEL_PCT: Mapping[str, int] = {
    "key": 80,
    "fill": 60,
    "rim": 40,
    "top-soft": 60,
    "cyc": 50,
    "contour": 40,
    "macro": 70,
    "effect": 30,
    "practical": 30,
    "mirror": 60,
    "stage": 70,
}
_OTHER_LEVEL_PCT = 60
_OWN_RULE_ROLES = frozenset({"house"})
# Spares, graphics and the second leg wait for a person to start them.
_STANDING_BY_ROLES = frozenset({"backup-stream", "graphics", "spare-encoder"})

_LIT = frozenset({Scene.PREPARE, Scene.ON_AIR})


def plan(scene: Scene, targets: Sequence[Target], wish: Wish = Wish()) -> list[Step]:
    """The least commands, in a safe order.

    Into the light: power and picture first, the sign, then the stream. Out of it: the stream stops
    first, then the sign goes, then cameras close and lights go dark. Applying the result to the
    targets and planning again gives no steps.
    """
    wanted = ((t, desired(scene, t, wish)) for t in targets)
    steps = [
        (_rank(scene, t), t.code, Step(t.code, change))
        for t, state in wanted
        if (change := delta(state, t.expected))
    ]
    return [step for _, _, step in sorted(steps, key=lambda s: s[:2])]


def desired(scene: Scene, target: Target, wish: Wish) -> State:
    """The state of one device in a scene; empty when the scene leaves it alone."""
    wants = _WANTS.get(target.kind)
    if wants is None or target.role in _OWN_RULE_ROLES:
        return {}
    able = capabilities.table(kind=target.kind, model=target.model)
    return {key: v for key, v in wants(scene, target, wish).items() if key in able}


def _light(scene: Scene, target: Target, wish: Wish) -> State:
    if scene not in _LIT:
        return {"power": False}
    level = _LEVEL_PCT.get(target.role, _OTHER_LEVEL_PCT)
    return {"power": True, "mode": "cct", "brightness": level, "cct": KEY_CCT_K}


def _camera(scene: Scene, target: Target, wish: Wish) -> State:
    if scene in _LIT:
        tally = "program" if scene is Scene.ON_AIR else "preview"
        return {"power": True, "privacy": False, "tally": tally, **_end(scene, wish)}
    parked = {"pan": 0, "tilt": 0, "zoom": 0}
    return {"power": scene is not Scene.OFF, "privacy": True, "tally": "off", **parked}


def _end(scene: Scene, wish: Wish) -> State:
    """When the device ends the show by itself, whoever is there."""
    if scene not in _LIT or wish.until is None:
        return {}
    return {"until": round(wish.until.timestamp() * 1000)}


def _encoder(scene: Scene, target: Target, wish: Wish) -> State:
    if scene is Scene.PREPARE:
        return {"run": "stopped", "target_ref": wish.target_ref}
    if scene is not Scene.ON_AIR:
        return {"run": "stopped", "target_ref": None}
    if target.role in _STANDING_BY_ROLES:
        return {}
    ref = {"target_ref": wish.target_ref} if wish.target_ref else {}
    return {"run": "live", **ref, **_end(scene, wish)}


def _sign(scene: Scene, target: Target, wish: Wish) -> State:
    return {"on_air_sign": scene is Scene.ON_AIR}


def _audio(scene: Scene, target: Target, wish: Wish) -> State:
    return {"muted": scene not in _LIT}


def _screen(scene: Scene, target: Target, wish: Wish) -> State:
    return {"power": scene in _LIT}


def _hvac(scene: Scene, target: Target, wish: Wish) -> State:
    if scene in _LIT:
        return {"power": True, "setpoint_c": 24, "fan": "low"}
    return {"power": False} if scene is Scene.OFF else {}


_WANTS: Mapping[str, Callable[[Scene, Target, Wish], State]] = {
    "light": _light,
    "camera": _camera,
    "encoder": _encoder,
    "access": _sign,
    "audio": _audio,
    "monitor": _screen,
    "prompter": _screen,
    "display": _screen,
    "hvac": _hvac,
}
_INTO = ("hvac", "light", "monitor", "display", "prompter", "camera", "audio", "access", "encoder")


def _rank(scene: Scene, target: Target) -> int:
    place = _INTO.index(target.kind)
    return place if scene in _LIT else -place
