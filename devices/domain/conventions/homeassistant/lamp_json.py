"""Lamps that speak JSON (`schema: json`)."""

from typing import Any

from devices.domain.conventions.homeassistant import colour
from devices.domain.conventions.homeassistant.entity import (
    At,
    Cell,
    Identity,
    Out,
    Parts,
    compact,
    is_value,
)
from devices.domain.conventions.homeassistant.fields import Fields
from devices.domain.conventions.homeassistant.lamp import (
    COLOURS,
    MODES,
    Lamp,
    device_level,
    percent,
    rgb_of,
)
from devices.domain.conventions.homeassistant.templates import Payload

_PARTS = {"hs": "hs", "xy": "xy", "rgb": "rgb", "rgbw": "rgbw", "rgbww": "rgbcw"}
_STATES = {"ON": True, "OFF": False, None: None}


class JsonLamp(Lamp):
    """One topic to hear it on, one to tell it by."""

    def __init__(self, fields: Fields, identity: Identity) -> None:
        super().__init__(fields, identity)
        if not fields.has("command_topic"):
            raise fields.refuse("command_topic", "is required")
        self._topic = fields.publishes("command_topic")
        self._brightness = fields.flag("brightness")
        self._scale = fields.number("brightness_scale", 255, low=1, high=2**31)
        self._white_scale = fields.number("white_scale", 255, low=1, high=2**31)
        self._flash = {
            "short": int(fields.number("flash_time_short", 2, low=0)),
            "long": int(fields.number("flash_time_long", 10, low=0)),
        }
        self._set_modes(fields, self._wanted_modes(fields))
        effect = fields.flag("effect")
        if effect:
            self._offer_effects(any_word=True)
        self._offer_fades()
        heard = self._listen(fields, "state_topic", "state") and not self.optimistic
        self.reported = frozenset((*self.rules, "mode")) if heard else frozenset()

    def _wanted_modes(self, fields: Fields) -> set[str]:
        words = fields.words("supported_color_modes")
        for word in words:
            if word not in MODES:
                raise fields.refuse("supported_color_modes", f"{word!r} is no colour mode")
        modes = set(words)
        if len(modes) != len(words):
            raise fields.refuse("supported_color_modes", "names a mode twice")
        for alone in ("onoff", "brightness"):
            if alone in modes and len(modes) > 1:
                raise fields.refuse("supported_color_modes", f"{alone} goes with no other mode")
        return modes or ({"brightness"} if self._brightness else {"onoff"})

    def _hear(self, cell: Cell, slot: str, payload: Payload, at: At) -> Cell:
        said = payload.parsed
        if not isinstance(said, dict):
            at.refuse("a lamp must say a JSON object")
            return cell
        found: dict[str, Any] = {}
        self._hear_power(said, found, at)
        self._hear_colour(said, found, at)
        self._hear_rest(said, found, at)
        return self._with(cell, **found)

    def _hear_power(self, said: dict[str, Any], found: dict[str, Any], at: At) -> None:
        if "state" not in said:
            return
        state = said["state"]
        if state is None or state in ("ON", "OFF"):
            found["power"] = _STATES[state]
        else:
            at.refuse("state must be ON, OFF or null")

    def _hear_colour(self, said: dict[str, Any], found: dict[str, Any], at: At) -> None:
        mode = said.get("color_mode")
        if mode is None:
            mode = self._only_mode(said, found)
            if mode is None:
                return
        if mode not in self.modes:
            at.refuse("color_mode is none of its own")
            return
        if mode == "color_temp":
            cct = self._our_cct(said.get("color_temp"))
            if cct is None:
                at.refuse("color_temp is no colour temperature")
                return
            found["cct"] = cct
        elif mode in COLOURS:
            parts = said.get("color")
            values = [parts.get(k) for k in _PARTS[mode]] if isinstance(parts, dict) else None
            rgb = rgb_of(mode, values)
            if rgb is None:
                at.refuse("color is missing or no colour")
                return
            found["rgb"] = rgb
        found["colour"] = mode

    def _only_mode(self, said: dict[str, Any], found: dict[str, Any]) -> str | None:
        """The mode of a lamp that has but one, where it says a colour; it is noted in any case."""
        if len(self.modes) > 1:
            return None
        found["colour"] = self.modes[0]
        key = "color_temp" if self.modes[0] == "color_temp" else "color"
        return self.modes[0] if said.get(key) is not None else None

    def _hear_rest(self, said: dict[str, Any], found: dict[str, Any], at: At) -> None:
        level = said.get("brightness")
        if level is not None and "brightness" in self.rules:
            brightness = percent(level, self._scale)
            if brightness is None:
                at.refuse("brightness is no such number")
            elif brightness > 0:  # what is off says so by its state
                found["brightness"] = brightness
                if found.get("colour") == "white":
                    found["white"] = brightness
        effect = said.get("effect")
        if effect is not None and "effect" in self.rules:
            if isinstance(effect, str) and is_value(effect):
                found["effect"] = effect
            else:
                at.refuse("effect is no short text")

    def _off(self, parts: Parts, at: At) -> list[Out]:
        return [self._message({"state": "OFF", **self._manner(parts)})]

    def _on(self, cell: Cell, parts: Parts, at: At) -> list[Out]:
        body: dict[str, Any] = {"state": "ON"}
        level: float | None = parts.get("brightness")
        if "rgb" in parts:
            bakes = not self._brightness and self.colour_mode.startswith("rgb")
            factor = level / 100 if bakes and level is not None else 1
            body["color"] = self._colour(parts["rgb"], factor)
            level = None if bakes else level
        body |= self._manner(parts)
        if level is not None:
            body["brightness"] = device_level(level, self._scale)
        if "cct" in parts:
            body["color_temp"] = self._device_cct(parts["cct"])
        if "effect" in parts:
            body["effect"] = parts["effect"]
        if "white" in parts:
            body["white"] = device_level(parts["white"], self._white_scale)
        return [self._message(body)]

    def _colour(self, rgb: list[int], factor: float) -> dict[str, float]:
        mode = self.colour_mode
        values: tuple[float, ...]
        match mode:
            case "hs":
                values = colour.hs_of(rgb)
            case "xy":
                values = colour.xy_of(rgb)
            case "rgbw":
                values = tuple(round(p * factor) for p in colour.rgbw_of(rgb))
            case "rgbww":
                values = tuple(round(p * factor) for p in colour.rgbww_of(rgb))
            case _:
                values = colour.scaled(rgb, factor)
        return dict(zip(_PARTS[mode], values, strict=True))

    def _manner(self, parts: Parts) -> dict[str, Any]:
        """How it is to change."""
        manner: dict[str, Any] = {}
        if "fade_ms" in parts:
            manner["transition"] = parts["fade_ms"] / 1000
        if "flash" in parts:
            manner["flash"] = self._flash[parts["flash"]]
        return manner

    def _message(self, body: dict[str, Any]) -> Out:
        return Out(self._topic, compact(body), self.qos)
