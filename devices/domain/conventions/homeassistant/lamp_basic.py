"""Lamps with a topic for each of their sides (`schema: basic`, the default)."""

from typing import Any

from devices.domain.capabilities import BadState
from devices.domain.conventions.homeassistant import colour
from devices.domain.conventions.homeassistant.entity import (
    NONE,
    At,
    Cell,
    Identity,
    Out,
    Parts,
    is_value,
    write,
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

_SIDES = ("brightness", "color_temp", "effect", "hs", "rgb", "rgbw", "rgbww", "xy", "white")
_KEY = {"brightness": "brightness", "color_temp": "cct", "effect": "effect", "white": "white"}
_NAMES = ("red", "green", "blue", "white")


class BasicLamp(Lamp):
    """Heard and told side by side."""

    def __init__(self, fields: Fields, identity: Identity) -> None:
        super().__init__(fields, identity)
        if not fields.has("command_topic"):
            raise fields.refuse("command_topic", "is required")
        self._topic = fields.publishes("command_topic")
        self._payload_on = fields.text("payload_on", "ON")
        self._payload_off = fields.text("payload_off", "OFF")
        self._first = fields.choice("on_command_type", ("last", "first", "brightness"), "last")
        self._scale = fields.number("brightness_scale", 255, low=1, high=2**31)
        self._white_scale = fields.number("white_scale", 255, low=1, high=2**31)
        self._topics = {s: fields.publishes(f"{s}_command_topic") for s in _SIDES}
        self._writes = {s: fields.template(f"{s}_command_template") for s in _SIDES}
        self._reads = {s: fields.template(f"{s}_value_template") for s in _SIDES}
        self._reads["state"] = fields.template("state_value_template")
        self._reads["color_mode"] = fields.template("color_mode_value_template")
        self._set_modes(fields, self._wanted_modes())
        if self._topics["effect"]:
            self._offer_effects(any_word=False)
        self._heard = {s for s in _SIDES if self._listen(fields, f"{s}_state_topic", s)}
        power = self._listen(fields, "state_topic", "state")
        self._listen(fields, "color_mode_state_topic", "color_mode")
        self._says_mode = fields.has("color_mode_state_topic")
        self.reported = frozenset() if self.optimistic else self._what_it_reports(power=power)

    def _wanted_modes(self) -> set[str]:
        modes = {s for s in _SIDES if self._topics[s] and s != "effect"}
        return modes or {"onoff"}

    def _what_it_reports(self, *, power: bool) -> frozenset[str]:
        found = {_KEY.get(side, "rgb") for side in self._heard}
        if self._bakes and "rgb" in found:
            found.add("brightness")
        if power:
            found.add("power")
        if self._says_mode or found & {"cct", "rgb"}:
            found.add("mode")
        return frozenset(found)

    @property
    def _bakes(self) -> bool:
        """Whether its brightness is only in how bright its colour is."""
        return not self._topics["brightness"] and "brightness" not in self._heard

    def _hear(self, cell: Cell, slot: str, payload: Payload, at: At) -> Cell:
        text = self._read(self._reads[slot], payload, at)
        if not text:
            return cell
        if slot in COLOURS:
            return self._hear_colour(cell, slot, text, at)
        if slot in ("brightness", "white"):
            return self._hear_level(cell, slot, text, at)
        return (
            self._hear_power(cell, text, at)
            if slot == "state"
            else self._word(cell, slot, text, at)
        )

    def _word(self, cell: Cell, slot: str, text: str, at: At) -> Cell:
        """Of the sides that say one word or number."""
        match slot:
            case "color_temp":
                return self._taken(cell, "cct", self._our_cct(text), "color_temp", at)
            case "effect":
                return self._taken(cell, "effect", text if is_value(text) else None, None, at)
            case _:
                return self._taken(cell, "colour", text if text in MODES else None, None, at)

    def _taken(self, cell: Cell, key: str, value: Any, mode: str | None, at: At) -> Cell:
        if value is None:
            at.refuse(f"no such {key}")
            return cell
        found = {key: value}
        if mode and not self._says_mode:
            found["colour"] = mode
        return self._with(cell, **found)

    def _hear_power(self, cell: Cell, text: str, at: At) -> Cell:
        says = {self._payload_on: True, self._payload_off: False, NONE: None}
        if text not in says:
            at.refuse(f"neither on nor off: {text[:40]!r}")
            return cell
        only = self.modes[0] if len(self.modes) == 1 else self._light(cell).get("colour")
        return self._with(cell, power=says[text], colour=only)

    def _hear_level(self, cell: Cell, slot: str, text: str, at: At) -> Cell:
        scale = self._scale if slot == "brightness" else self._white_scale
        level = percent(text, scale)
        if slot == "brightness" and level == 0:
            return cell  # what is off says so by its state
        return self._taken(cell, slot, level, "white" if slot == "white" else None, at)

    def _hear_colour(self, cell: Cell, mode: str, text: str, at: At) -> Cell:
        values = [part.strip() for part in text.split(",")]
        rgb = rgb_of(mode, values)
        if rgb is None:
            at.refuse(f"no such {mode} colour: {text[:40]!r}")
            return cell
        if not self._bakes or mode not in ("rgb", "rgbw", "rgbww"):
            return self._taken(cell, "rgb", rgb, mode, at)
        brightest = max(rgb)
        if brightest == 0:
            return cell
        full = list(colour.full(rgb))
        return self._with(
            self._taken(cell, "rgb", full, mode, at), brightness=percent(brightest, 255)
        )

    def _off(self, parts: Parts, at: At) -> list[Out]:
        return [Out(self._topic, self._payload_off, self.qos)]

    def _on(self, cell: Cell, parts: Parts, at: At) -> list[Out]:
        on = Out(self._topic, self._payload_on, self.qos)
        if self._first == "brightness" and "brightness" not in parts and not self._bakes:
            last = self._light(cell).get("brightness")
            parts = {**parts, "brightness": last or 100}
        sides = self._sides(cell, parts, at)
        if self._first == "first":
            return [on, *sides]
        return sides if self._first == "brightness" else [*sides, on]

    def _sides(self, cell: Cell, parts: Parts, at: At) -> list[Out]:
        outs: list[Out] = []
        level = parts.get("brightness")
        rgb = parts.get("rgb")
        if level is not None and rgb is None and not self._topics["brightness"]:
            rgb = self._light(cell).get("rgb") if self.can_colour else None
            if rgb is None:
                raise BadState("its brightness is that of its colour: rgb is needed beside it")
        if rgb is not None:
            outs.append(self._colour(cell, rgb, level, at))
        if level is not None and self._topics["brightness"]:
            outs.append(self._side("brightness", device_level(level, self._scale), at))
        if "cct" in parts:
            outs.append(self._side("color_temp", self._device_cct(parts["cct"]), at))
        if "effect" in parts:
            outs.append(self._side("effect", parts["effect"], at))
        if "white" in parts:
            outs.append(self._side("white", device_level(parts["white"], self._white_scale), at))
        return outs

    def _colour(self, cell: Cell, rgb: list[int], level: float | None, at: At) -> Out:
        mode = self.colour_mode
        known = level if level is not None else self._light(cell).get("brightness", 100)
        factor = 1 if self._topics["brightness"] else (known or 100) / 100
        values: tuple[float, ...]
        names: dict[str, Any]
        match mode:
            case "hs":
                values = colour.hs_of(rgb)
                names = {"hue": values[0], "sat": values[1]}
            case "xy":
                values = colour.xy_of(rgb)
                names = {"x": values[0], "y": values[1]}
            case "rgbw":
                values = tuple(round(p * factor) for p in colour.rgbw_of(rgb))
                names = dict(zip(_NAMES, values, strict=True))
            case "rgbww":
                values = tuple(round(p * factor) for p in colour.rgbww_of(rgb))
                names = dict(zip((*_NAMES[:3], "cold_white", "warm_white"), values, strict=True))
            case _:
                values = colour.scaled(rgb, factor)
                names = dict(zip(_NAMES, values, strict=False))
        return self._side(mode, ",".join(map(str, values)), at, **names)

    def _side(self, side: str, value: Any, at: At, **names: Any) -> Out:
        template = self._writes[side]
        given = names or {"value": value}
        payload = write(template, {"value": value, **given}, at) if template else str(value)
        return Out(self._topics[side], payload, self.qos)
