"""What each kind of device can be told, and within which limits.

The state of a device, desired and reported alike, has these keys (and, reported, more that are
only read). A kind or model that is missing or empty here never gets a command: sensors, meters,
the mirror of the fire panel, security cameras.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from base_ops.core.errors import FieldFault, Invalid


class BadState(Invalid):
    """A wished state that the device cannot take; names each field and why."""

    code, title_zh, title_en = "bad_state", "设备状态无效", "The device cannot take this state"


class NotControllable(Invalid):
    """Sensors, meters and mirrors are only read."""

    code, title_zh, title_en = "not_controllable", "该设备不可控制", "This device is read only"


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    def fault(self, value: object) -> tuple[str, str] | None:
        """Why the value is refused (zh, en), or None."""
        return None if isinstance(value, bool) else ("须为 true 或 false", "must be true or false")

    def describe(self) -> dict[str, Any]:
        """For the API and $meta."""
        return {"type": "flag"}


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number in [low, high]; `whole` refuses fractions."""

    low: float
    high: float
    unit: str = ""
    whole: bool = False

    def fault(self, value: object) -> tuple[str, str] | None:
        """Why the value is refused (zh, en), or None."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return "须为数字", "must be a number"
        if isinstance(value, float) and not isfinite(value):
            return "须为有限数字", "must be a finite number"
        if self.whole and not isinstance(value, int):
            return "须为整数", "must be a whole number"
        if not self.low <= value <= self.high:
            span = f"{self.low:g}–{self.high:g} {self.unit}".strip()
            return f"须在 {span} 之间", f"must be within {span}"
        return None

    def describe(self) -> dict[str, Any]:
        """For the API and $meta."""
        whole = {"whole": True} if self.whole else {}
        return {"type": "number", "min": self.low, "max": self.high, "unit": self.unit, **whole}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]

    def fault(self, value: object) -> tuple[str, str] | None:
        """Why the value is refused (zh, en), or None."""
        if isinstance(value, str) and value in self.words:
            return None
        listed = ", ".join(self.words)
        return f"须为其中之一:{listed}", f"must be one of {listed}"

    def describe(self) -> dict[str, Any]:
        """For the API and $meta."""
        return {"type": "choice", "of": list(self.words)}


@dataclass(frozen=True, slots=True)
class Text:
    """A short printable text; None where `nullable`."""

    longest: int
    nullable: bool = False

    def fault(self, value: object) -> tuple[str, str] | None:
        """Why the value is refused (zh, en), or None."""
        if value is None and self.nullable:
            return None
        if isinstance(value, str) and value.isprintable() and 0 < len(value) <= self.longest:
            return None
        return f"须为 1–{self.longest} 个字符", f"must be 1–{self.longest} printable characters"

    def describe(self) -> dict[str, Any]:
        """For the API and $meta."""
        nullable = {"nullable": True} if self.nullable else {}
        return {"type": "text", "max_length": self.longest, **nullable}


@dataclass(frozen=True, slots=True)
class Rgb:
    """Three whole numbers 0–255."""

    def fault(self, value: object) -> tuple[str, str] | None:
        """Why the value is refused (zh, en), or None."""
        part = Number(0, 255, whole=True)
        if isinstance(value, list) and len(value) == 3 and not any(map(part.fault, value)):
            return None
        return "须为三个 0–255 的整数", "must be three whole numbers 0–255"

    def describe(self) -> dict[str, Any]:
        """For the API and $meta."""
        return {"type": "rgb"}


@dataclass(frozen=True, slots=True)
class Focus:
    """{"mode": "auto"|"manual", "pos": 0–1}; pos only with manual."""

    def fault(self, value: object) -> tuple[str, str] | None:
        """Why the value is refused (zh, en), or None."""
        match value:
            case {"mode": "auto", **rest} if not rest:
                return None
            case {"mode": "manual", "pos": pos, **rest} if not rest and not Number(0, 1).fault(
                pos
            ):
                return None
        return "须为 {mode, pos 0–1}", "must be {mode: auto} or {mode: manual, pos: 0–1}"

    def describe(self) -> dict[str, Any]:
        """For the API and $meta."""
        return {"type": "focus"}


Rule = Flag | Number | Choice | Text | Rgb | Focus
Table = Mapping[str, Rule]

FAR_FUTURE_MS = 4_102_444_800_000  # 2100-01-01; an `until` beyond is a mistake

_SHUTTERED: Table = {
    "power": Flag(),
    "tally": Choice(("off", "preview", "program")),
    "privacy": Flag(),
    "until": Number(0, FAR_FUTURE_MS, "ms", whole=True),
}
_SWITCHED: Table = {"power": Flag()}
_SCREEN: Table = {"power": Flag(), "brightness": Number(0, 100, "%")}

_BY_KIND: Mapping[str, Table] = {
    "light": {
        "power": Flag(),
        "mode": Choice(("cct", "rgb", "fx")),
        "brightness": Number(0, 100, "%"),
        "cct": Number(2500, 10000, "K", whole=True),
        "rgb": Rgb(),
        "preset": Text(32, nullable=True),
        "fade_ms": Number(0, 60_000, "ms", whole=True),
    },
    "camera": _SHUTTERED,
    "encoder": {
        "run": Choice(("stopped", "live")),
        "codec": Choice(("h264", "h265")),
        "w": Number(320, 3840, "px", whole=True),
        "h": Number(180, 2160, "px", whole=True),
        "fps": Number(10, 60, "fps"),
        "kbps": Number(500, 20_000, "kbit/s", whole=True),
        "target_ref": Text(64, nullable=True),
        "until": Number(0, FAR_FUTURE_MS, "ms", whole=True),
    },
    "switcher": {
        "program_input": Number(1, 20, whole=True),
        "preview_input": Number(1, 20, whole=True),
    },
    "audio": {"muted": Flag(), "gain_db": Number(-60, 20, "dB")},
    "prompter": _SWITCHED,
    "monitor": _SCREEN,
    "display": _SCREEN,
    "access": {"locked": Flag(), "on_air_sign": Flag()},
    "hvac": {
        "power": Flag(),
        "setpoint_c": Number(16, 30, "°C"),
        "fan": Choice(("auto", "low", "mid", "high")),
    },
    "power_outlet": _SWITCHED,
}

_BY_MODEL: Mapping[str, Table] = {
    "CAM-PTZ": {
        **_SHUTTERED,
        "pan": Number(-175, 175, "°"),
        "tilt": Number(-90, 90, "°"),
        "zoom": Number(0, 1),
        "focus": Focus(),
        "preset": Text(32, nullable=True),
    },
    "CAM-SEC": {},  # watches the base, not the show: nobody turns it off from here
    "LT-HOUSE-36": _SWITCHED,  # a circuit on a relay
}


def table(*, kind: str, model: str = "") -> Table:
    """What a device of this kind and model can be told; empty when it is only read."""
    return _BY_MODEL.get(model, _BY_KIND.get(kind, {}))


def describe(*, kind: str, model: str = "") -> dict[str, dict[str, Any]]:
    """The table as JSON."""
    return {key: rule.describe() for key, rule in table(kind=kind, model=model).items()}


def check(state: Mapping[str, Any], *, kind: str, model: str = "") -> None:
    """Refuse a wished state that the device cannot take.

    Raises:
        NotControllable: the device is only read.
        BadState: empty, or with every faulty field and its reason.
    """
    check_against(state, table(kind=kind, model=model), model or kind)


def check_against(state: Mapping[str, Any], rules: Table, name: str) -> None:
    """Refuse a wished state that `rules` do not allow.

    Raises:
        NotControllable: there are no rules; `name` is only read.
        BadState: empty, or with every faulty field and its reason.
    """
    if not rules:
        raise NotControllable(f"{name} takes no commands")
    if not state:
        raise BadState("the state is empty")
    if faults := [fault for key in state if (fault := _fault(key, state[key], rules))]:
        raise BadState(fields=faults)


def _fault(key: str, value: object, rules: Table) -> FieldFault | None:
    if key not in rules:
        known = ", ".join(rules)
        return FieldFault(key, f"没有此项;可用:{known}", f"not known; it has {known}")
    reason = rules[key].fault(value)
    return FieldFault(key, *reason) if reason else None
