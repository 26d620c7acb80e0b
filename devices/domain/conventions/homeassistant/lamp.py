"""What the three kinds of MQTT lamps share: their modes, limits and our keys.

Ours: power; brightness 0–100; cct in kelvin; rgb; effect by name; mode, which of these
it shows; fade_ms and flash go with a command. In the cell, `light` holds what was said, in these
terms: power, brightness, cct, rgb, white, effect, colour (the mode by Home Assistant's name).
"""

from collections.abc import Mapping
from typing import Any

from devices.domain.capabilities import BadState, Choice, Flag, Number, Rgb, Rule, Text
from devices.domain.conventions import lamp as wishes
from devices.domain.conventions.homeassistant import colour
from devices.domain.conventions.homeassistant.entity import At, Cell, Entity, Identity, Out, Parts
from devices.domain.conventions.homeassistant.fields import Fields

COLOURS = frozenset({"hs", "rgb", "rgbw", "rgbww", "xy"})
MODES = (*sorted(COLOURS), "brightness", "color_temp", "onoff", "white")
_COLDEST_MIREDS, _WARMEST_MIREDS = 153, 500
_TOLERANCE = 12  # of 255, where a colour went through another notation
FADE_MAX_MS = 60_000


class Lamp(Entity):
    """A lamp; how it is told is up to its schema."""

    primary = 1

    def __init__(self, fields: Fields, identity: Identity) -> None:
        super().__init__(fields, identity)
        self.modes: tuple[str, ...] = ("onoff",)
        self.effects = fields.words("effect_list")
        self.coldest, self.warmest = self._limits(fields)
        self.reported: frozenset[str] = frozenset()  # parts that it tells us of

    def _limits(self, fields: Fields) -> tuple[int, int]:
        """The coldest and the warmest white, in kelvin."""
        self.in_kelvin = fields.flag("color_temp_kelvin")
        low = fields.number("min_mireds", _COLDEST_MIREDS, low=1, high=10_000)
        high = fields.number("max_mireds", _WARMEST_MIREDS, low=1, high=10_000)
        cold = fields.number("max_kelvin", colour.kelvin(low), low=100, high=100_000)
        warm = fields.number("min_kelvin", colour.kelvin(high), low=100, high=100_000)
        if warm > cold:
            raise fields.refuse("max_mireds", "must not be less than min_mireds")
        return int(cold), int(warm)

    def _set_modes(self, fields: Fields, modes: set[str]) -> None:
        """Without those that any richer one includes; refuses what cannot be together."""
        if len(modes) > 1:
            modes = modes - {"onoff"}
        if len(modes) > 1:
            modes = modes - {"brightness"}
        if modes == {"white"}:
            raise fields.refuse("supported_color_modes", "white needs a colour beside it")
        self.modes = tuple(sorted(modes)) or ("onoff",)
        self.rules = self._rules()

    @property
    def can_colour(self) -> bool:
        """Whether it shows colours."""
        return not COLOURS.isdisjoint(self.modes)

    @property
    def colour_mode(self) -> str:
        """How it is told a colour."""
        for mode in ("rgb", "rgbw", "rgbww", "hs", "xy"):
            if mode in self.modes:
                return mode
        raise BadState("this lamp shows no colours")

    def _rules(self) -> dict[str, Rule]:
        rules: dict[str, Rule] = {"power": Flag()}
        if self.modes != ("onoff",):
            rules["brightness"] = Number(0, 100, "%")
        if "color_temp" in self.modes:
            rules["cct"] = Number(self.warmest, self.coldest, "K", whole=True)
        if self.can_colour:
            rules["rgb"] = Rgb()
        if "white" in self.modes:
            rules["white"] = Number(0, 100, "%")
        shows = tuple(sorted({_MODE[m] for m in self.modes if m in _MODE}))
        if shows:
            rules["mode"] = Choice(shows)
        return rules

    def _offer_effects(self, *, any_word: bool) -> None:
        if self.effects:
            self.rules = {**self.rules, "effect": Choice(self.effects)}
        elif any_word:
            self.rules = {**self.rules, "effect": Text(64)}

    def _offer_fades(self) -> None:
        fade = Number(0, FADE_MAX_MS, "ms", whole=True)
        self.rules = {**self.rules, "fade_ms": fade, "flash": Choice(("short", "long"))}

    def _light(self, cell: Cell) -> Mapping[str, Any]:
        light: Mapping[str, Any] = cell.get("light", {})
        return light

    def _with(self, cell: Cell, **found: Any) -> Cell:
        return {**cell, "light": {**self._light(cell), **found}}

    def _all(self, cell: Cell) -> dict[str, Any]:
        light = self._light(cell)
        shown = {key: light.get(key) for key in self.rules if key in _REPORTED}
        if "mode" in self.rules:
            shown["mode"] = _MODE.get(str(light.get("colour")))
        return shown

    def shown(self, cell: Cell) -> Parts:
        """What it reports."""
        return {k: v for k, v in self._all(cell).items() if k in self.reported}

    def assumed(self, cell: Cell) -> Parts:
        """What nothing reports."""
        return {k: v for k, v in self._all(cell).items() if k not in self.reported}

    def told(self, cell: Cell, parts: Parts) -> Cell:
        """What nothing reports is taken for granted."""
        wanted = {"power": True, **self.awaited(parts)}
        found = {k: v for k, v in wanted.items() if k in _REPORTED and k not in self.reported}
        if "cct" in found:
            found["colour"] = "color_temp"
        if "rgb" in found:
            found["colour"] = self.colour_mode
        return self._with(cell, **found) if found else cell

    def follows(self, cell: Cell, part: str, wanted: Any) -> bool | None:
        """Whether it reports what was wanted."""
        shown = self.shown(cell)
        if part not in shown:
            return None
        value = shown[part]
        if value is None:
            return False
        match part:
            case "brightness" | "white":
                return bool(abs(value - wanted) <= 1)
            case "cct":
                return abs(colour.mireds(value) - colour.mireds(wanted)) <= 1
            case "rgb":
                return all(abs(a - b) <= _TOLERANCE for a, b in zip(value, wanted, strict=True))
            case _:
                return bool(value == wanted)

    def tell(self, cell: Cell, parts: Parts, at: At) -> list[Out]:
        """Off, or on and how; whatever is set of a lamp turns it on."""
        wanted = {key: value for key, value in parts.items() if key != "flash"}
        wish = wishes.wish(wanted, self._light(cell), wakes=True)
        flash = {"flash": parts["flash"]} if "flash" in parts else {}
        given = {key: getattr(wish, key) for key in wishes.PARTS if key != "mode"}
        asked = {key: value for key, value in given.items() if value is not None}
        if wish.power is False:
            return self._off({**asked, **flash}, at)
        return self._on(cell, {**asked, **flash}, at)

    def awaited(self, parts: Parts) -> Parts:
        """Without what only says how it is to change, and after off nothing else."""
        return wishes.awaited({key: value for key, value in parts.items() if key != "flash"})

    def _off(self, parts: Parts, at: At) -> list[Out]:
        raise NotImplementedError

    def _on(self, cell: Cell, parts: Parts, at: At) -> list[Out]:
        raise NotImplementedError

    def _device_cct(self, cct: int) -> int:
        return cct if self.in_kelvin else colour.mireds(cct)

    def _our_cct(self, value: Any) -> int | None:
        """Kelvin, or None where it is no such number."""
        try:
            number = float(value)
            cct = int(number) if self.in_kelvin else colour.kelvin(number)
        except (TypeError, ValueError, ArithmeticError):
            return None
        return cct if 100 <= cct <= 1_000_000 else None


_MODE = {**dict.fromkeys(COLOURS, "rgb"), "color_temp": "cct", "white": "white"}
_REPORTED = frozenset({"power", "brightness", "cct", "rgb", "white", "effect"})


def percent(value: Any, scale: float) -> float | None:
    """A brightness of a device, 0–100; above its scale counts as full. None: no such number."""
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    if not 0 <= number < float("inf"):
        return None
    return round(min(100.0, number / scale * 100), 2)


def device_level(value: float, scale: float) -> int:
    """Our 0–100 on a device's scale; what is not off is at least 1."""
    return max(1 if value > 0 else 0, min(round(value / 100 * scale), round(scale)))


def bytes_of(values: Any, count: int) -> tuple[int, ...] | None:
    """So many whole numbers 0–255, or None."""
    try:
        found = tuple(int(value) for value in values)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if len(found) == count and all(0 <= part <= 255 for part in found) else None


def floats_of(values: Any, highest: tuple[float, ...]) -> tuple[float, ...] | None:
    """So many numbers from 0 to the highest of each, or None."""
    try:
        found = tuple(float(value) for value in values)
    except (TypeError, ValueError, OverflowError):
        return None
    fits = len(found) == len(highest) and all(
        0 <= f <= h for f, h in zip(found, highest, strict=True)
    )
    return found if fits else None


def rgb_of(mode: str, values: Any) -> list[int] | None:
    """The colour that a list of numbers means in a mode; None where it means none."""
    if mode == "hs":
        pair = floats_of(values, (360.0, 100.0))
        return None if pair is None else list(colour.of_hs(*pair))
    if mode == "xy":
        pair = floats_of(values, (1.0, 1.0))
        return None if pair is None else list(colour.of_xy(*pair))
    parts = bytes_of(values, len(mode))
    if parts is None:
        return None
    match mode:
        case "rgbw":
            return list(colour.of_rgbw(parts))
        case "rgbww":
            return list(colour.of_rgbww(parts))
        case _:
            return list(parts)
