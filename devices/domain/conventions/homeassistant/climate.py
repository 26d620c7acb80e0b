"""Heating and cooling: our keys for power, setpoint and fan, the maker's words for the rest."""

from collections.abc import Mapping
from typing import Any

from devices.domain.capabilities import BadState, Choice, Flag, Number, Rule
from devices.domain.conventions.homeassistant.entity import (
    NONE,
    At,
    Cell,
    Entity,
    Identity,
    Out,
    Parts,
    is_value,
    number_of,
    plain_number,
    write,
)
from devices.domain.conventions.homeassistant.fields import Fields
from devices.domain.conventions.homeassistant.templates import Payload, Template

_MODES = ("auto", "off", "cool", "heat", "dry", "fan_only")
_FANS = ("auto", "low", "medium", "high")
_ACTIONS = ("off", "heating", "cooling", "drying", "idle", "fan", "preheating", "defrosting")
# part → (words of its topics and templates, the template that reads it, its list and default)
_CHOICES: Mapping[str, tuple[str, str, str, tuple[str, ...]]] = {
    "mode": ("mode", "mode_state_template", "modes", _MODES),
    "fan": ("fan_mode", "fan_mode_state_template", "fan_modes", _FANS),
    "swing": ("swing_mode", "swing_mode_state_template", "swing_modes", ("on", "off")),
    "preset": ("preset_mode", "preset_mode_value_template", "preset_modes", ()),
}
_NUMBERS: Mapping[str, tuple[str, str]] = {
    "setpoint_c": ("temperature", "temperature_state_template"),
    "setpoint_low_c": ("temperature_low", "temperature_low_state_template"),
    "setpoint_high_c": ("temperature_high", "temperature_high_state_template"),
    "humidity_target": ("target_humidity", "target_humidity_state_template"),
}
_READINGS: Mapping[str, tuple[str, str]] = {
    "temperature_c": ("current_temperature_topic", "current_temperature_template"),
    "humidity": ("current_humidity_topic", "current_humidity_template"),
    "action": ("action_topic", "action_template"),
}


class Climate(Entity):
    """One topic per side, each way."""

    primary = 2

    def __init__(self, fields: Fields, identity: Identity) -> None:
        super().__init__(fields, identity)
        self.fahrenheit = fields.text("temperature_unit", "C").upper().startswith("F")
        self._writes: dict[str, tuple[str, Template | None]] = {}
        self._reads: dict[str, Template | None] = {}
        self._general = fields.template("value_template")
        self.rules = self._rules(fields)
        for part, (topic, template) in _READINGS.items():
            self._hears(fields, part, topic, template)
        if fields.has("power_command_topic"):
            self._tells(fields, "power", "power")
        self._powers = {
            True: fields.text("payload_on", "ON"),
            False: fields.text("payload_off", "OFF"),
        }
        if "power" in self._writes or "off" in self.modes:
            self.rules = {"power": Flag(), **self.rules}

    def _rules(self, fields: Fields) -> dict[str, Rule]:
        rules: dict[str, Rule] = {}
        for part, (word, template, listed, default) in _CHOICES.items():
            words = fields.words(listed, default)
            heard = self._hears(fields, part, f"{word}_state_topic", template)
            if self._tells(fields, part, word):
                rules[part] = Choice(("none", *words) if part == "preset" else words)
            if part == "mode":
                self.modes = words if heard or part in rules else ()
        low, high = fields.number("min_temp", 7), fields.number("max_temp", 35)
        dry, wet = fields.number("min_humidity", 30), fields.number("max_humidity", 99)
        if low >= high or dry >= wet:
            raise fields.refuse("max_temp", "the highest must be above the lowest")
        for part, (word, template) in _NUMBERS.items():
            self._hears(fields, part, f"{word}_state_topic", template)
            if self._tells(fields, part, word):
                wide = (dry, wet, "%") if part == "humidity_target" else (low, high, "°C")
                rules[part] = Number(self._ours(part, wide[0]), self._ours(part, wide[1]), wide[2])
        return rules

    def _hears(self, fields: Fields, part: str, topic: str, template: str) -> bool:
        self._reads[part] = fields.template(template) or self._general
        return self._listen(fields, topic, part)

    def _tells(self, fields: Fields, part: str, word: str) -> bool:
        topic = fields.publishes(f"{word}_command_topic")
        if topic:
            self._writes[part] = (topic, fields.template(f"{word}_command_template"))
        return bool(topic)

    def _ours(self, part: str, value: float) -> float:
        """In °C."""
        return round((value - 32) / 1.8, 2) if self.fahrenheit and part.endswith("_c") else value

    def _theirs(self, part: str, value: float) -> float:
        return round(value * 1.8 + 32, 1) if self.fahrenheit and part.endswith("_c") else value

    def _hear(self, cell: Cell, slot: str, payload: Payload, at: At) -> Cell:
        text = self._read(self._reads[slot], payload, at)
        if not text:
            return cell
        value = self._value(slot, text)
        if value is None and text != NONE:
            at.refuse(f"no such {slot}: {text[:40]!r}")
            return cell
        return {**cell, slot: value}

    def _value(self, part: str, text: str) -> Any:
        if part in _NUMBERS or part in ("temperature_c", "humidity"):
            number = number_of(text)
            return None if number is None else self._ours(part, number)
        rule = self.rules.get(part)
        words = rule.words if isinstance(rule, Choice) else self.modes if part == "mode" else ()
        words = _ACTIONS if part == "action" else words
        return text if is_value(text) and (not words or text in words) else None

    def _all(self, cell: Cell) -> dict[str, Any]:
        heard = {slot for _, slot in self.slots}
        shown = {part: cell.get(part) for part in self._reads if part in heard}
        if "power" in self.rules and "mode" in heard:
            mode = cell.get("mode")
            shown["power"] = None if mode is None else mode != "off"
        return shown

    def shown(self, cell: Cell) -> Parts:
        """What it reports."""
        return {} if self.optimistic else self._all(cell)

    def told(self, cell: Cell, parts: Parts) -> Cell:
        """The memory after that was sent."""
        shown = self.shown(cell)
        found = {k: v for k, v in parts.items() if k not in shown and k != "power"}
        return {**cell, **found} if found else cell

    def assumed(self, cell: Cell) -> Parts:
        """What nothing reports."""
        shown = self.shown(cell)
        return {k: cell[k] for k in self.rules if k in cell and k not in shown}

    def follows(self, cell: Cell, part: str, wanted: Any) -> bool | None:
        """Whether it reports what was wanted."""
        shown = self.shown(cell)
        if part not in shown:
            return None
        value = shown[part]
        if isinstance(value, int | float) and not isinstance(value, bool):
            return bool(abs(value - wanted) < 0.51)
        return bool(value == wanted)

    def tell(self, cell: Cell, parts: Parts, at: At) -> list[Out]:
        """The messages that tell it."""
        parts = self._with_power(cell, parts)
        order = ("power", *_CHOICES, *_NUMBERS)
        return [self._out(part, parts[part], at) for part in order if part in parts]

    def _with_power(self, cell: Cell, parts: Parts) -> Parts:
        """Where power has no topic of its own, a mode stands for it."""
        if "power" not in parts or "power" in self._writes:
            return parts
        rest = {key: value for key, value in parts.items() if key != "power"}
        if not parts["power"]:
            return {"mode": "off"}
        if "mode" in rest:
            return rest
        last = cell.get("mode")
        running = [mode for mode in self.modes if mode != "off"]
        if not running:
            raise BadState("it has no mode but off")
        return {"mode": last if last in running else running[0], **rest}

    def _out(self, part: str, value: Any, at: At) -> Out:
        topic, template = self._writes[part]
        if part == "power":
            said: Any = self._powers[bool(value)]
        elif part in _NUMBERS:
            said = plain_number(self._theirs(part, value))
        else:
            said = value
        payload = write(template, {"value": said}, at) if template else str(said)
        return Out(topic, payload, self.qos)
