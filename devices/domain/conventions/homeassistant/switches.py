"""Switches, numbers, choices, texts and what is merely pressed."""

from collections.abc import Mapping
from typing import Any

from devices.domain.capabilities import BadState, Choice, Flag, Number, Rule, Text
from devices.domain.conventions.homeassistant import patterns
from devices.domain.conventions.homeassistant.entity import (
    NONE,
    At,
    Cell,
    Commanded,
    Identity,
    Out,
    Parts,
    compact,
    is_value,
    number_of,
    plain_number,
    write,
)
from devices.domain.conventions.homeassistant.fields import MAX_TEXT, Fields
from devices.domain.conventions.homeassistant.templates import Payload


class Switch(Commanded):
    """On or off."""

    primary = 3

    def __init__(self, fields: Fields, identity: Identity) -> None:
        super().__init__(fields, identity)
        self._on = fields.text("payload_on", "ON")
        self._off = fields.text("payload_off", "OFF")
        self._says = {
            fields.text("state_on", self._on): True,
            fields.text("state_off", self._off): False,
            NONE: None,
        }
        self.rules = {"": Flag()}

    def _hear(self, cell: Cell, slot: str, payload: Payload, at: At) -> Cell:
        text = self._read(self._value_template, payload, at)
        if text is None:
            return cell
        if text not in self._says:
            at.refuse(f"neither on nor off: {text!r}")
            return cell
        return {**cell, "value": self._says[text]}

    def tell(self, cell: Cell, parts: Parts, at: At) -> list[Out]:
        """The messages that tell it."""
        return self._out(self._on if parts[""] else self._off, at)


class Siren(Commanded):
    """Makes noise; its tone goes with being switched on."""

    def __init__(self, fields: Fields, identity: Identity) -> None:
        super().__init__(fields, identity)
        self._on = fields.text("payload_on", "ON")
        self._off = fields.text("payload_off", "OFF")
        self._says = {
            fields.text("state_on", self._on): True,
            fields.text("state_off", self._off): False,
            NONE: None,
        }
        self._state_template = fields.template("state_value_template")
        self._off_template = fields.template("command_off_template")
        self.tones = fields.words("available_tones")
        rules: dict[str, Rule] = {"": Flag()}
        if self.tones:
            rules["tone"] = Choice(self.tones)
        self.rules = rules

    @property
    def begins(self) -> Cell:
        """Silent, where nobody would tell."""
        return {} if self.reports else {"value": False}

    def _hear(self, cell: Cell, slot: str, payload: Payload, at: At) -> Cell:
        text = self._read(self._state_template, payload, at)
        parsed = Payload.of(text or "").parsed
        said = parsed.get("state") if isinstance(parsed, dict) else text
        if said is None or str(said) not in self._says:
            at.refuse("neither on nor off")
            return cell
        return {**cell, "value": self._says[str(said)]}

    def tell(self, cell: Cell, parts: Parts, at: At) -> list[Out]:
        """The messages that tell it."""
        on = parts.get("", True)
        value = self._on if on else self._off
        tone = {"tone": parts["tone"]} if on and "tone" in parts else {}
        template = self._command_template if on else self._off_template or self._command_template
        if template is None:
            payload = compact({"state": value, **tone})
        else:
            payload = write(template, {"value": value, **self._this, **tone}, at)
        return [Out(self.command_topic, payload, self.qos)]


class NumberEntity(Commanded):
    """A number between two."""

    def __init__(self, fields: Fields, identity: Identity) -> None:
        super().__init__(fields, identity)
        self.low = fields.number("min", 0)
        self.high = fields.number("max", 100)
        self.step = fields.number("step", 1, low=1e-3)
        if self.low >= self.high:
            raise fields.refuse("max", "must be greater than min")
        self._reset = fields.text("payload_reset", NONE)
        self.rules = {"": Number(self.low, self.high, self.unit)}

    def _hear(self, cell: Cell, slot: str, payload: Payload, at: At) -> Cell:
        text = self._read(self._value_template, payload, at)
        if text is None or text == "":
            return cell
        value = None if text == self._reset else number_of(text)
        if text != self._reset and (value is None or not self.low <= value <= self.high):
            at.refuse(f"no number within {self.low:g} to {self.high:g}: {text[:40]!r}")
            return cell
        return {**cell, "value": value}

    def tell(self, cell: Cell, parts: Parts, at: At) -> list[Out]:
        """The messages that tell it."""
        return self._out(plain_number(parts[""]), at)

    def follows(self, cell: Cell, part: str, wanted: Any) -> bool | None:
        """Whether it reports what was wanted."""
        if not self.reports:
            return None
        value = cell.get("value")
        return value is not None and abs(value - wanted) <= self.step / 2


class Select(Commanded):
    """One of a few words."""

    def __init__(self, fields: Fields, identity: Identity) -> None:
        super().__init__(fields, identity)
        if not fields.has("options"):
            raise fields.refuse("options", "is required")
        self.options = fields.words("options")
        self.rules = {"": Choice(self.options)}

    def _hear(self, cell: Cell, slot: str, payload: Payload, at: At) -> Cell:
        text = self._read(self._value_template, payload, at)
        if text is None or text == "":
            return cell
        if text != NONE and text not in self.options:
            at.refuse(f"not one of the options: {text[:40]!r}")
            return cell
        return {**cell, "value": None if text == NONE else text}

    def tell(self, cell: Cell, parts: Parts, at: At) -> list[Out]:
        """The messages that tell it."""
        return self._out(parts[""], at)


class TextEntity(Commanded):
    """A short text."""

    def __init__(self, fields: Fields, identity: Identity) -> None:
        super().__init__(fields, identity)
        self.low = int(fields.number("min", 0, low=0, high=255))
        self.high = int(fields.number("max", 255, low=0, high=255))
        if self.low >= self.high:
            raise fields.refuse("max", "must be greater than min")
        self.mode = fields.choice("mode", ("text", "password"), "text")
        self.pattern = fields.text("pattern")
        try:
            self._pattern = patterns.compiled(self.pattern) if self.pattern else None
        except patterns.BadPattern as exc:
            raise fields.refuse("pattern", str(exc)) from exc
        self.rules = {"": Text(self.high)}

    def _fault(self, text: str) -> str | None:
        if not self.low <= len(text) <= self.high:
            return f"must have {self.low} to {self.high} characters"
        if self._pattern and not self._pattern.compiled.match(text):
            return f"must match {self.pattern}"
        return None if is_value(text) else "must not contain NUL"

    def _hear(self, cell: Cell, slot: str, payload: Payload, at: At) -> Cell:
        text = self._read(self._value_template, payload, at)
        if text is None:
            return cell
        if text == NONE:
            return {**cell, "value": None}
        if why := self._fault(text):
            at.refuse(why)
            return cell
        return {**cell, "value": text}

    def shown(self, cell: Cell) -> Parts:
        """A password is nobody's business."""
        return {} if self.mode == "password" else super().shown(cell)

    def tell(self, cell: Cell, parts: Parts, at: At) -> list[Out]:
        """The messages that tell it."""
        if why := self._fault(parts[""]):
            raise BadState(why)
        return self._out(parts[""], at)


class Button(Commanded):
    """Pressed; it has no state."""

    payload_key, default, word = "payload_press", "PRESS", "press"

    def __init__(self, fields: Fields, identity: Identity) -> None:
        super().__init__(fields, identity)
        self.reports = False
        self._payload = fields.text(self.payload_key, self.default)
        self.rules = {"": Choice((self.word,))}

    def tell(self, cell: Cell, parts: Parts, at: At) -> list[Out]:
        """The messages that tell it."""
        return self._out(self._payload, at)

    def told(self, cell: Cell, parts: Parts) -> Cell:
        """The memory after that was sent."""
        return cell

    def assumed(self, cell: Cell) -> Parts:
        """What nothing reports."""
        return {}


class Scene(Button):
    """Begun; it has no state."""

    payload_key, default, word = "payload_on", "ON", "begin"


class Update(Commanded):
    """Firmware: what is installed, what there is; told to install."""

    needs_command = False
    _TEXTS = ("installed_version", "latest_version", "title", "release_summary", "release_url")

    def __init__(self, fields: Fields, identity: Identity) -> None:
        super().__init__(fields, identity)
        self._latest_template = fields.template("latest_version_template")
        self._listen(fields, "latest_version_topic", "latest")
        self._install = fields.text("payload_install", longest=MAX_TEXT)
        if self.command_topic and fields.has("payload_install"):
            self.rules = {"install": Choice(("install",))}
        self.title = fields.text("title")

    def _hear(self, cell: Cell, slot: str, payload: Payload, at: At) -> Cell:
        template = self._latest_template if slot == "latest" else self._value_template
        text = self._read(template, payload, at)
        if not text:
            return cell
        if slot == "latest":
            return self._taken(cell, {"latest_version": text}, at)
        parsed = Payload.of(text).parsed
        said = parsed if isinstance(parsed, dict) else {"installed_version": text}
        return self._taken(cell, said, at)

    def _taken(self, cell: Cell, said: Mapping[str, Any], at: At) -> Cell:
        found: dict[str, Any] = {}
        for key in self._TEXTS:
            value = said.get(key)
            if isinstance(value, str | int | float) and not is_value(str(value)):
                at.refuse(f"{key} is no short text")
            elif isinstance(value, str | int | float):
                found[key] = None if str(value) == NONE else str(value)
        percent = said.get("update_percentage")
        if isinstance(said.get("in_progress"), bool):
            found["in_progress"] = said["in_progress"]
        if "update_percentage" in said:
            good = isinstance(percent, int | float) and 0 <= percent <= 100
            found["update_percentage"] = percent if good else None
        return {**cell, **found}

    def _parts(self, cell: Cell) -> Parts:
        installed, latest = cell.get("installed_version"), cell.get("latest_version")
        known = installed is not None and latest is not None
        return {
            "": installed != latest if known else None,
            "installed": installed,
            "latest": latest,
            "in_progress": bool(cell.get("in_progress")),
        }

    def told(self, cell: Cell, parts: Parts) -> Cell:
        """The memory after that was sent."""
        return cell

    def tell(self, cell: Cell, parts: Parts, at: At) -> list[Out]:
        """The messages that tell it."""
        return [Out(self.command_topic, self._install, self.qos)]
