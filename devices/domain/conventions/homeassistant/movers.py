"""Covers, fans and locks: gear at the edge of a studio."""

from math import ceil
from typing import Any

from devices.domain.capabilities import Choice, Flag, Number, Rule
from devices.domain.conventions.homeassistant.entity import (
    NONE,
    At,
    Cell,
    Commanded,
    Identity,
    Out,
    Parts,
    number_of,
    write,
)
from devices.domain.conventions.homeassistant.fields import Fields
from devices.domain.conventions.homeassistant.templates import Payload, Template


class Cover(Commanded):
    """A blind or a door: opened, closed, stopped, or moved to 0–100."""

    needs_command = False

    def __init__(self, fields: Fields, identity: Identity) -> None:
        super().__init__(fields, identity)
        self._moves = {
            "open": fields.text("payload_open", "OPEN"),
            "close": fields.text("payload_close", "CLOSE"),
            "stop": fields.text("payload_stop", "STOP"),
        }
        words = ("open", "opening", "closed", "closing", "stopped")
        self._says = {fields.text(f"state_{word}", word): word for word in words}
        self._shut = fields.number("position_closed", 0)
        self._wide = fields.number("position_open", 100)
        if self._shut == self._wide:
            raise fields.refuse("position_open", "must differ from position_closed")
        self._position = fields.template("position_template")
        self._tilt = fields.template("tilt_status_template")
        self._places = {
            "position": (
                fields.publishes("set_position_topic"),
                fields.template("set_position_template"),
            ),
            "tilt": (
                fields.publishes("tilt_command_topic"),
                fields.template("tilt_command_template"),
            ),
        }
        self._heard = {"": self.reports}
        self._heard["position"] = self._listen(fields, "position_topic", "position")
        self._heard["tilt"] = self._listen(fields, "tilt_status_topic", "tilt")
        self.rules = self._cover_rules()

    def _cover_rules(self) -> dict[str, Rule]:
        rules: dict[str, Rule] = {"move": Choice(tuple(self._moves))} if self.command_topic else {}
        places = {part: Number(0, 100, "%") for part, (topic, _) in self._places.items() if topic}
        return {**rules, **places}

    def _hear(self, cell: Cell, slot: str, payload: Payload, at: At) -> Cell:
        templates = {"position": self._position, "tilt": self._tilt}
        text = self._read(templates.get(slot, self._value_template), payload, at)
        if not text:
            return cell
        if slot == "state":
            if text not in self._says and text != NONE:
                at.refuse(f"no such state: {text[:40]!r}")
                return cell
            return {**cell, "value": self._says.get(text)}
        number = number_of(text)
        if number is None:
            at.refuse(f"no such {slot}: {text[:40]!r}")
            return cell
        return {**cell, slot: round(self._percent(number), 1)}

    def _percent(self, number: float) -> float:
        return min(100.0, max(0.0, (number - self._shut) / (self._wide - self._shut) * 100))

    def _parts(self, cell: Cell) -> Parts:
        shown = {part: cell.get(part or "value") for part, heard in self._heard.items() if heard}
        position = shown.get("position")
        if position is not None and shown.get("") in (None, "stopped"):
            shown[""] = "open" if position else "closed"
        return shown

    def shown(self, cell: Cell) -> Parts:
        """What it reports."""
        return {} if self.optimistic else self._parts(cell)

    def follows(self, cell: Cell, part: str, wanted: Any) -> bool | None:
        """Whether it reports what was wanted."""
        shown = self.shown(cell)
        if part == "move":
            ends = {"open": ("open", "opening"), "close": ("closed", "closing")}
            return shown[""] in ends[wanted] if wanted in ends and "" in shown else None
        if part not in shown:
            return None
        return shown[part] is not None and abs(shown[part] - wanted) <= 1

    def tell(self, cell: Cell, parts: Parts, at: At) -> list[Out]:
        """The messages that tell it."""
        outs = (
            [Out(self.command_topic, self._moves[parts["move"]], self.qos)]
            if "move" in parts
            else []
        )
        for part, (topic, template) in self._places.items():
            if part in parts:
                value = round(self._shut + parts[part] / 100 * (self._wide - self._shut))
                names = {"value": value, "position": value, "tilt_position": value}
                payload = write(template, names, at) if template else str(value)
                outs.append(Out(topic, payload, self.qos))
        return outs

    def told(self, cell: Cell, parts: Parts) -> Cell:
        """The memory after that was sent."""
        return cell


class Fan(Commanded):
    """On or off, its speed 0–100, its preset."""

    def __init__(self, fields: Fields, identity: Identity) -> None:
        super().__init__(fields, identity)
        self._on = fields.text("payload_on", "ON")
        self._off = fields.text("payload_off", "OFF")
        self._state_template = fields.template("state_value_template")
        self._low = fields.number("speed_range_min", 1)
        self._high = fields.number("speed_range_max", 100)
        if self._low >= self._high or self._low < 1:
            raise fields.refuse(
                "speed_range_max", "must be greater than speed_range_min, that ≥ 1"
            )
        self._presets = fields.words("preset_modes")
        self._sides: dict[str, tuple[str, Template | None, Template | None]] = {}
        self._heard = {"": self.reports}
        rules: dict[str, Rule] = {"": Flag()}
        for part, word, rule in (
            ("percent", "percentage", Number(0, 100, "%")),
            ("preset", "preset_mode", Choice(self._presets)),
        ):
            topic = fields.publishes(f"{word}_command_topic")
            write_by = fields.template(f"{word}_command_template")
            self._sides[part] = (topic, write_by, fields.template(f"{word}_value_template"))
            self._heard[part] = self._listen(fields, f"{word}_state_topic", part)
            if topic:
                rules[part] = rule
        self.rules = rules

    def _hear(self, cell: Cell, slot: str, payload: Payload, at: At) -> Cell:
        template = self._state_template if slot == "state" else self._sides[slot][2]
        text = self._read(template, payload, at)
        if not text:
            return cell
        part = "value" if slot == "state" else slot
        if text == NONE:
            return {**cell, part: None}
        value = self._value(slot, text)
        if value is None:
            at.refuse(f"no such {slot}: {text[:40]!r}")
            return cell
        return {**cell, part: value}

    def _value(self, slot: str, text: str) -> Any:
        if slot == "state":
            return {self._on: True, self._off: False}.get(text)
        if slot == "preset":
            return text if text in self._presets else None
        number = number_of(text)
        if number is None or not 0 <= number <= self._high:
            return None
        return round(max(0.0, (number - self._low + 1) / (self._high - self._low + 1) * 100), 1)

    def _parts(self, cell: Cell) -> Parts:
        return {part: cell.get(part or "value") for part, heard in self._heard.items() if heard}

    def shown(self, cell: Cell) -> Parts:
        """What it reports."""
        return {} if self.optimistic else self._parts(cell)

    def assumed(self, cell: Cell) -> Parts:
        """What nothing reports."""
        return {} if self.reports else {"": cell.get("value")}

    def follows(self, cell: Cell, part: str, wanted: Any) -> bool | None:
        """Whether it reports what was wanted."""
        shown = self.shown(cell)
        if part == "percent" and shown.get(part) is not None:
            return bool(abs(shown[part] - wanted) <= 100 / (self._high - self._low + 1))
        return super().follows(cell, part, wanted)

    def tell(self, cell: Cell, parts: Parts, at: At) -> list[Out]:
        """The messages that tell it."""
        if parts.get("") is False:
            return self._out(self._off, at)
        outs = self._out(self._on, at) if "" in parts else []
        for part, (topic, template, _) in self._sides.items():
            if part in parts:
                value = self._level(parts[part]) if part == "percent" else parts[part]
                payload = write(template, {"value": value}, at) if template else str(value)
                outs.append(Out(topic, payload, self.qos))
        return outs

    def _level(self, percent: float) -> int:
        wide = self._high - self._low + 1
        return ceil(round(self._low - 1 + percent / 100 * wide, 2)) if percent else 0


class Lock(Commanded):
    """Locked or not."""

    def __init__(self, fields: Fields, identity: Identity) -> None:
        super().__init__(fields, identity)
        self._words = {
            True: fields.text("payload_lock", "LOCK"),
            False: fields.text("payload_unlock", "UNLOCK"),
        }
        self._says = {
            fields.text("state_locked", "LOCKED"): True,
            fields.text("state_unlocked", "UNLOCKED"): False,
            NONE: None,
        }
        moving = ("locking", "unlocking", "jammed")
        self._between = {fields.text(f"state_{word}", word.upper()) for word in moving}
        self.rules = {"": Flag()}

    def _hear(self, cell: Cell, slot: str, payload: Payload, at: At) -> Cell:
        text = self._read(self._value_template, payload, at)
        if not text:
            return cell
        if text not in self._says and text not in self._between:
            at.refuse(f"neither locked nor unlocked: {text[:40]!r}")
            return cell
        return {**cell, "value": self._says.get(text)}

    def tell(self, cell: Cell, parts: Parts, at: At) -> list[Out]:
        """The messages that tell it."""
        return self._out(self._words[bool(parts[""])], at)
