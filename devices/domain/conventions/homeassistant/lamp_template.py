"""Lamps whose messages are read and written by templates (`schema: template`)."""

from typing import Any

from devices.domain.conventions.homeassistant import colour
from devices.domain.conventions.homeassistant.entity import (
    NONE,
    At,
    Cell,
    Identity,
    Out,
    Parts,
    write,
)
from devices.domain.conventions.homeassistant.fields import Fields
from devices.domain.conventions.homeassistant.lamp import Lamp, device_level, percent, rgb_of
from devices.domain.conventions.homeassistant.templates import Payload

_COLOURS = ("red_template", "green_template", "blue_template")


class TemplateLamp(Lamp):
    """One topic each way, in words of the maker's own."""

    def __init__(self, fields: Fields, identity: Identity) -> None:
        super().__init__(fields, identity)
        for key in ("command_topic", "command_on_template", "command_off_template"):
            if not fields.has(key):
                raise fields.refuse(key, "is required")
        self._topic = fields.publishes("command_topic")
        self._on_template = fields.template("command_on_template")
        self._off_template = fields.template("command_off_template")
        self._state = fields.template("state_template")
        self._brightness = fields.template("brightness_template")
        self._cct = fields.template("color_temp_template")
        self._effect = fields.template("effect_template")
        self._rgb = tuple(filter(None, map(fields.template, _COLOURS)))
        modes = {"onoff"}
        if self._brightness:
            modes.add("brightness")
        if self._cct:
            modes.add("color_temp")
        if len(self._rgb) == len(_COLOURS):
            modes.add("hs")
        self._set_modes(fields, modes)
        self._offer_effects(any_word=False)
        self._offer_fades()
        heard = self._listen(fields, "state_topic", "state") and bool(self._state)
        self.reported = frozenset(self.rules) if heard and not self.optimistic else frozenset()

    def _hear(self, cell: Cell, slot: str, payload: Payload, at: At) -> Cell:
        found: dict[str, Any] = {}
        if self._state:
            self._hear_power(payload, found, at)
        if self._brightness and (text := self._read(self._brightness, payload, at)):
            found["brightness"] = self._checked(percent(text, 255), "brightness", at)
        if self._cct and (text := self._read(self._cct, payload, at)) and text != NONE:
            found["cct"] = self._checked(self._our_cct(text), "colour temperature", at)
            found["colour"] = "color_temp"
        if len(self._rgb) == len(_COLOURS):
            self._hear_colour(payload, found, at)
        if self._effect and (text := self._read(self._effect, payload, at)):
            known = text if text in self.effects else None
            found["effect"] = self._checked(known, "effect", at)
        return self._with(
            cell, **{k: v for k, v in found.items() if v is not None or k == "power"}
        )

    def _checked(self, value: Any, what: str, at: At) -> Any:
        if value is None:
            at.refuse(f"no such {what}")
        return value

    def _hear_power(self, payload: Payload, found: dict[str, Any], at: At) -> None:
        text = self._read(self._state, payload, at)
        if text in ("on", "off", NONE):
            found["power"] = {"on": True, "off": False}.get(text)
            if len(self.modes) == 1:
                found["colour"] = self.modes[0]
        elif text is not None:
            at.refuse(f"neither on nor off: {text[:40]!r}")

    def _hear_colour(self, payload: Payload, found: dict[str, Any], at: At) -> None:
        texts = [self._read(template, payload, at) for template in self._rgb]
        if None in texts or all(text == NONE for text in texts):
            return
        rgb = self._checked(rgb_of("rgb", texts), "colour", at)
        if rgb is not None and max(rgb):
            found["rgb"] = list(colour.full(rgb))
            found["colour"] = "hs"

    def _off(self, parts: Parts, at: At) -> list[Out]:
        return self._out(self._off_template, {"state": False, **self._manner(parts)}, at)

    def _on(self, cell: Cell, parts: Parts, at: At) -> list[Out]:
        names: dict[str, Any] = {"state": True}
        level = parts.get("brightness")
        if level is not None:
            names["brightness"] = device_level(level, 255)
        if "cct" in parts:
            names["color_temp"] = self._device_cct(parts["cct"])
        if "rgb" in parts:
            factor = 1 if self._brightness or level is None else level / 100
            red, green, blue = colour.scaled(parts["rgb"], factor)
            hue, saturation = colour.hs_of(parts["rgb"])
            names |= {"red": red, "green": green, "blue": blue, "hue": hue, "sat": saturation}
        if "effect" in parts:
            names["effect"] = parts["effect"]
        return self._out(self._on_template, {**names, **self._manner(parts)}, at)

    def _manner(self, parts: Parts) -> dict[str, Any]:
        manner = {"flash": parts["flash"]} if "flash" in parts else {}
        return {**manner, "transition": parts["fade_ms"] / 1000} if "fade_ms" in parts else manner

    def _out(self, template: Any, names: dict[str, Any], at: At) -> list[Out]:
        return [Out(self._topic, write(template, names, at), self.qos)]
