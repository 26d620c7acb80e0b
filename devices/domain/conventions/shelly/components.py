"""The components of a Shelly of the second generation: what each reports and is told.

Components are named <type>:<id>. With only one that can be told anything, its keys are plain
(`power`); with several they begin with the component (`switch:0.power`).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from devices.domain.capabilities import Number, Rule, Table
from devices.domain.conventions import colour, lamp
from devices.domain.conventions.journal import Journal
from devices.domain.conventions.reading import number

NAME = re.compile(r"([a-z][a-z0-9]{0,15}):(\d{1,3})", re.ASCII)
# type → the namespace of its methods
METHODS: Mapping[str, str] = {
    "switch": "Switch",
    "light": "Light",
    "rgb": "RGB",
    "rgbw": "RGBW",
    "cct": "CCT",
    "rgbcct": "RGBCCT",
}
_READ = ("input", "temperature", "humidity", "devicepower", "pm1", "em1", "em", "illuminance")
KINDS = frozenset({*METHODS, *_READ})
CCT_K = (2700, 6500)
_COLOUR = frozenset({"rgb", "rgbw", "rgbcct"})
_WHITE = frozenset({"cct", "rgbcct"})

# status attribute → metric; numbers only
_METRICS: Mapping[str, str] = {
    "apower": "power_w",
    "act_power": "power_w",
    "total_act_power": "power_w",
    "voltage": "voltage_v",
    "current": "current_a",
    "total_current": "current_a",
    "pf": "power_factor",
    "freq": "frequency_hz",
    "tC": "temperature_c",
    "rh": "humidity_pct",
    "lux": "illuminance_lx",
}
_FAULTS: Mapping[str, str] = {"overpower": "overload", "overcurrent": "overload"}


@dataclass(frozen=True, slots=True)
class Component:
    """One component; `prefix` begins its keys, `tag` its measurements ("" with only one)."""

    name: str
    kind: str
    number: int
    prefix: str
    tag: str

    @property
    def method(self) -> str:
        """The namespace of its methods; "" when it is only read."""
        return METHODS.get(self.kind, "")


def name_of(text: str) -> str | None:
    """The type of a component that we know, or None."""
    found = NAME.fullmatch(text)
    return found[1] if found and found[1] in KINDS else None


def arrange(names: Iterable[str]) -> list[Component]:
    """The components of one device, in order of name."""
    found = sorted({name for name in names if name_of(name)})
    told = [name for name in found if name_of(name) in METHODS]
    metered = [name for name in found if name_of(name) != "input"]
    return [
        Component(
            name,
            name.partition(":")[0],
            int(name.partition(":")[2]),
            "" if told == [name] else f"{name}.",
            "" if metered == [name] else f"{name.replace(':', '_')}_",
        )
        for name in found
    ]


def table(one: Component) -> Table:
    """What it may be told."""
    if not one.method:
        return {}
    lit = one.kind != "switch"
    found: dict[str, Rule] = dict(
        lamp.table(
            prefix=one.prefix,
            brightness=lit,
            cct=CCT_K if one.kind in _WHITE else None,
            rgb=one.kind in _COLOUR,
            fade=lit,
        )
    )
    if one.kind == "rgbw":
        found[f"{one.prefix}white"] = Number(0, 100, "%")
        del found[f"{one.prefix}mode"]  # both shine at once
    return found


def reads(one: Component) -> set[str]:
    """The keys that it only reports."""
    return {one.name} if one.kind == "input" else set()


def params(one: Component, wish: lamp.Wish) -> dict[str, Any]:
    """The parameters of its Set method."""
    found: dict[str, Any] = {"id": one.number}
    if wish.power is not None:
        found["on"] = wish.power
    if wish.brightness is not None:
        found["brightness"] = colour.to_scale(wish.brightness, 100)
    if wish.rgb is not None:
        found["rgb"] = list(wish.rgb)
    if wish.white is not None:
        found["white"] = colour.to_scale(wish.white, 255)
    if wish.cct is not None:
        found["ct"] = int(wish.cct)
    if one.kind == "rgbcct" and (wish.cct is not None or wish.rgb is not None):
        found["mode"] = "cct" if wish.cct is not None else "rgb"
    if wish.fade_ms:
        found["transition_duration"] = wish.fade_ms / 1000
    return found


def reported(journal: Journal, one: Component, status: Mapping[str, Any]) -> dict[str, Any]:
    """What a status, whole or partial, says of it; what it does not name stays as it was."""
    if one.kind == "input":
        value = status.get("state")
        return {one.name: value} if isinstance(value, bool) else {}
    if not one.method:
        return {}
    report: dict[str, Any] = {}
    if "output" in status:
        if isinstance(status["output"], bool):
            report["power"] = status["output"]
        else:
            journal.fault(f"{one.name}.output", "bad-value", "must be true or false")
    if one.kind != "switch":
        report |= _light(journal, one, status)
    return {one.prefix + part: value for part, value in report.items()}


def _light(journal: Journal, one: Component, status: Mapping[str, Any]) -> dict[str, Any]:
    report: dict[str, Any] = {}
    for attribute, part, top in (("brightness", "brightness", 100), ("white", "white", 255)):
        if attribute in status:
            raw = number(status[attribute])
            if raw is None or not 0 <= raw <= top:
                journal.fault(f"{one.name}.{attribute}", "bad-value", f"must be 0 to {top}")
            else:
                report[part] = colour.from_scale(raw, top)
    return report | _shade(journal, one, status)


def _shade(journal: Journal, one: Component, status: Mapping[str, Any]) -> dict[str, Any]:
    report: dict[str, Any] = {}
    if one.kind in _WHITE and "ct" in status:
        kelvin = number(status["ct"])
        if kelvin is None or not 1000 <= kelvin <= 20_000:
            journal.fault(f"{one.name}.ct", "bad-value", "no colour temperature in kelvin")
        else:
            report["cct"] = colour.half_up(kelvin)
    if one.kind in _COLOUR and "rgb" in status:
        if _is_rgb(status["rgb"]):
            report["rgb"] = list(status["rgb"])
        else:
            journal.fault(f"{one.name}.rgb", "bad-value", "must be three numbers 0 to 255")
    if one.kind == "rgbcct" and status.get("mode") in ("cct", "rgb"):
        report["mode"] = status["mode"]
    elif one.kind in ("rgb", "cct"):
        report["mode"] = one.kind
    return report


def _is_rgb(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 3
        and all(isinstance(p, int) and not isinstance(p, bool) and 0 <= p <= 255 for p in value)
    )


def metrics(one: Component, status: Mapping[str, Any]) -> dict[str, float]:
    """The measurements in a status."""
    found: dict[str, float] = {}
    flat = dict(status)
    for group, inner, name in (
        ("aenergy", "total", "energy_wh"),
        ("temperature", "tC", "temperature_c"),
        ("battery", "percent", "battery_pct"),
    ):
        part = flat.pop(group, None)
        value = number(part.get(inner)) if isinstance(part, dict) else None
        if value is not None:
            found[one.tag + name] = value
    for attribute, name in _METRICS.items():
        value = number(flat.get(attribute))
        if value is not None:
            found[one.tag + name] = value
    return found


def faults(status: Mapping[str, Any]) -> list[str]:
    """What it complains of."""
    errors = status.get("errors")
    if not isinstance(errors, list):
        return []
    return [error[:64] for error in errors if isinstance(error, str)][:8]


def event_of(error: str) -> str:
    """The event that an error is to us."""
    return _FAULTS.get(error, "fault")
