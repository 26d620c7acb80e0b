"""Homie values: what is valid for a datatype and format, read and written to the letter."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from devices.domain.conventions import colour
from devices.domain.conventions.plain import MAX_INT, is_clean, is_plain
from devices.domain.conventions.reading import MAX_BYTES, numeral

DATATYPES = (
    "boolean",
    "integer",
    "float",
    "string",
    "enum",
    "color",
    "datetime",
    "duration",
    "json",
)
_INTEGER = re.compile(r"-?\d{1,19}", re.ASCII)
_FLOAT = re.compile(r"-?\d+(\.\d*)?([eE]-?\d+)?", re.ASCII)
_DURATION = re.compile(r"PT(?=\d)(\d{1,6}H)?(\d{1,6}M)?(\d{1,6}(\.\d{1,6})?S)?", re.ASCII)
_COLOR = re.compile(r"(rgb|hsv|xyz),(\d+(?:\.\d+)?),(\d+(?:\.\d+)?)(?:,(\d+))?", re.ASCII)
_INT64 = 2**63
_LEAST_STEP = 1e-6
BAD = object()  # what no payload means


@dataclass(frozen=True, slots=True)
class Span:
    """The numbers that a property takes: both ends included, in steps from the lower one."""

    low: float | None = None
    high: float | None = None
    step: float | None = None

    def holds(self, value: float) -> bool:
        """Whether it lies between the ends."""
        low = -MAX_INT if self.low is None else self.low
        return low <= value <= (MAX_INT if self.high is None else self.high)

    def on_step(self, value: float) -> float:
        """The nearest value on a step, within the ends."""
        if not self.step:
            return value
        base = self.low if self.low is not None else self.high or 0
        nearest = base + colour.half_up((value - base) / self.step) * self.step
        if self.high is not None and nearest > self.high:
            nearest -= self.step
        return nearest


def span(form: str | None) -> Span | None:
    """A range `[min]:[max][:step]`; None when the format is none."""
    if form is None or form == "":
        return Span()
    parts = form.split(":")
    if not 2 <= len(parts) <= 3:
        return None
    ends = [numeral(part) if part else None for part in parts]
    if any(part and end is None for part, end in zip(parts, ends, strict=True)):
        return None
    low, high, step = (*ends, None)[:3]
    if (low is not None and high is not None and low > high) or (
        step is not None and step < _LEAST_STEP
    ):
        return None
    return Span(low, high, step)


def words(form: str | None) -> Sequence[str]:
    """The values of an enum, or the colour formats in order of preference."""
    return tuple(form.split(",")) if form else ()


def decode(datatype: str, form: str | None, said: str) -> Any:
    """What a payload means, or BAD. Enum and text: as written; rgb: three numbers."""
    match datatype:
        case "integer" | "float":
            return _number(datatype, form, said)
        case "color":
            return _color(form, said)
        case "json":
            return _json(said)
        case "boolean":
            return {"true": True, "false": False}.get(said, BAD)
        case _:
            return _text(datatype, form, said)


def _text(datatype: str, form: str | None, said: str) -> Any:
    """What stays as it is written; one NUL is how an empty text is sent."""
    if datatype == "string":
        return "" if said == "\x00" else said if is_clean(said) else BAD
    good = {
        "enum": said in words(form),
        "datetime": _is_datetime(said),
        "duration": _DURATION.fullmatch(said) is not None,
    }
    return said if said and good.get(datatype) else BAD


def _number(datatype: str, form: str | None, said: str) -> Any:
    if datatype == "integer":
        if not _INTEGER.fullmatch(said) or not -_INT64 <= int(said) < _INT64:
            return BAD
        value: float = int(said)
    else:
        found = numeral(said) if _FLOAT.fullmatch(said) else None
        if found is None:
            return BAD
        value = found
    limits = span(form)
    return value if limits is not None and limits.holds(value) else BAD


def _color(form: str | None, said: str) -> Any:
    found = _COLOR.fullmatch(said)
    if found is None or found[1] not in words(form):
        return BAD
    kind, *parts = found.groups()
    if kind == "xyz":
        x, y = float(parts[0] or 0), float(parts[1] or 0)
        return colour.rgb_of_xy(x, y) if parts[2] is None and x <= 1 and y <= 1 else BAD
    if any(part is None or not part.isdigit() or len(part) > 3 for part in parts):
        return BAD
    a, b, c = (int(part or 0) for part in parts)
    if kind == "rgb":
        return [a, b, c] if max(a, b, c) <= 255 else BAD
    return colour.rgb_of_hs(a, b) if a <= 360 and b <= 100 and c <= 100 else BAD


def _is_datetime(said: str) -> bool:
    try:
        datetime.fromisoformat(said)
    except ValueError:
        return False
    return "T" in said


def _json(said: str) -> Any:
    if len(said) > MAX_BYTES:
        return BAD
    try:
        value = msgspec.json.decode(said)
    except (ValueError, RecursionError):
        return BAD
    return value if isinstance(value, dict | list) and is_plain(value) else BAD


def encode(datatype: str, form: str | None, value: Any) -> str:
    """The payload that sets a value which the rules of the property allow."""
    match datatype, value:
        case "boolean", _:
            return "true" if value else "false"
        case "integer", _:
            return str(colour.half_up((span(form) or Span()).on_step(value)))
        case "float", _:
            return _plain_float((span(form) or Span()).on_step(value))
        case "color", [r, g, b]:
            return _color_text(form, [r, g, b])
        case "string", "":
            return "\x00"  # an empty text is one NUL: nothing at all would be no message
        case _:
            return str(value)


def _plain_float(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))


def _color_text(form: str | None, rgb: list[int]) -> str:
    """In the format that the device prefers."""
    kind = (words(form) or ("rgb",))[0]
    if kind == "hsv":
        hue, saturation = colour.hs_of(rgb)
        level = colour.half_up(max(rgb) * 100 / 255)
        return f"hsv,{colour.half_up(hue) % 360},{colour.half_up(saturation)},{level}"
    if kind == "xyz":
        x, y = colour.xy_of(rgb)
        return f"xyz,{x},{y}"
    return f"rgb,{rgb[0]},{rgb[1]},{rgb[2]}"
