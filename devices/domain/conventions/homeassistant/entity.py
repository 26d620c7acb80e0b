"""One function of a device: a lamp, a socket, a reading; what it hears, shows and is told.

An entity remembers in a cell: a small JSON object that is never changed in place. Its values go by
part: "" is the value itself, other parts have names ("brightness").
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from devices.domain.capabilities import BadState, Rule
from devices.domain.conventions.homeassistant import availability
from devices.domain.conventions.homeassistant.fields import Fields
from devices.domain.conventions.homeassistant.templates import BadTemplate, Payload, Template
from devices.domain.conventions.plain import MAX_INT, is_clean, is_plain_object
from devices.domain.conventions.refusal import Reason, printable

NONE = "None"  # how a template says that there is no value
MAX_VALUE = 255
Cell = Mapping[str, Any]
Parts = Mapping[str, Any]
ATTRIBUTES = "attributes"
_OWN_ATTRIBUTES = frozenset(
    [
        "assumed_state",
        "attribution",
        "available",
        "context_id",
        "device_class",
        "device_info",
        "editable",
        "entity_category",
        "entity_id",
        "entity_picture",
        "extra_state_attributes",
        "force_update",
        "friendly_name",
        "icon",
        "last_changed",
        "last_updated",
        "name",
        "options",
        "restored",
        "state",
        "state_class",
        "supported_features",
        "unique_id",
        "unit_of_measurement",
    ]
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Which entity of which announcement."""

    platform: str
    uid: str  # lasting: its unique_id, or "#" and where it was announced
    object_id: str
    device_name: str = ""


@dataclass(frozen=True, slots=True)
class Out:
    """One message of a command."""

    topic: str
    payload: str
    qos: Literal[0, 1, 2]


@dataclass(slots=True)
class At:
    """The circumstances of a message, and what was refused in it."""

    now_ms: int
    retained: bool = False
    faults: list[tuple[Reason, str]] = field(default_factory=list)
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def refuse(self, why: str, reason: Reason = "bad-value") -> None:
        """Note that a part of it cannot be used."""
        self.faults.append((reason, printable(why, 200)))


class Entity:
    """What all kinds share; by itself, a kind that we know of but do not drive."""

    primary = 99  # the lowest of a device takes our own keys
    measures = False

    def __init__(self, fields: Fields, identity: Identity) -> None:
        self.identity = identity
        self.device_class = fields.text("device_class")
        self.category = fields.text("entity_category")
        self.name = _name(fields, identity, self.device_class)
        self.main = fields.raw("name") is None and bool(identity.device_name)
        self.enabled = fields.flag("enabled_by_default", default=True)
        self.availability = availability.read(fields)
        self.encoding = fields.text("encoding", "utf-8") if fields.raw("encoding") != "" else ""
        self.qos = fields.qos()
        self.optimistic = fields.flag("optimistic")
        self.rules: Mapping[str, Rule] = {}
        self.unit = fields.text("unit_of_measurement")
        self._attributes_template = fields.template("json_attributes_template")
        self._slots: list[tuple[str, str]] = []
        self._listen(fields, "json_attributes_topic", ATTRIBUTES)
        if not _is_encoding(self.encoding):
            raise fields.refuse("encoding", "is no known encoding")

    def _listen(self, fields: Fields, key: str, slot: str) -> bool:
        topic = fields.listens(key)
        if topic:
            self._slots.append((topic, slot))
        return bool(topic)

    @property
    def slots(self) -> Sequence[tuple[str, str]]:
        """The filters it listens on, each with what is said there."""
        return self._slots

    @property
    def begins(self) -> Cell:
        """Its memory at first."""
        return {}

    def hear(self, cell: Cell, slot: str, payload: Payload, at: At) -> Cell:
        """The memory after a message."""
        if slot == ATTRIBUTES:
            return self._hear_attributes(cell, payload, at)
        return self._hear(cell, slot, payload, at)

    def _hear(self, cell: Cell, slot: str, payload: Payload, at: At) -> Cell:
        return cell

    def _hear_attributes(self, cell: Cell, payload: Payload, at: At) -> Cell:
        text = self._read(self._attributes_template, payload, at)
        parsed = payload if self._attributes_template is None else Payload.of(text or "")
        if text is None:
            return cell
        if not isinstance(parsed.parsed, dict) or not is_plain_object(parsed.parsed):
            at.refuse("attributes must be a JSON object")
            return cell
        kept = {k: v for k, v in parsed.parsed.items() if k not in _OWN_ATTRIBUTES}
        return {**cell, ATTRIBUTES: kept}

    def _read(self, template: Template | None, payload: Payload, at: At) -> str | None:
        """The payload through a template; None, and noted, where that fails."""
        if template is None:
            if isinstance(payload.value, str):
                return payload.value
            at.refuse("binary data needs a template")
            return None
        try:
            return template.reads(payload, now_ms=at.now_ms)
        except BadTemplate as exc:
            at.refuse(str(exc), "bad-template")
            return None

    def shown(self, cell: Cell) -> Parts:
        """What it reports, by part; without what is only assumed."""
        return {}

    def assumed(self, cell: Cell) -> Parts:
        """What is taken for granted because nothing reports it."""
        return {}

    def tell(self, cell: Cell, parts: Parts, at: At) -> list[Out]:
        """The messages that tell it; the parts fit the rules. Raises BadState."""
        raise BadState(f"{self.name or self.identity.uid} takes no commands")

    def told(self, cell: Cell, parts: Parts) -> Cell:
        """The memory after that was sent; changes where nothing reports it."""
        return cell

    def awaited(self, parts: Parts) -> Parts:
        """What of a wish will show once it is fulfilled."""
        return parts

    def follows(self, cell: Cell, part: str, wanted: Any) -> bool | None:
        """Whether it reports what was wanted; None where it never reports that part."""
        shown = self.shown(cell)
        return shown[part] == wanted if part in shown else None

    def is_there(self, cell: Cell, now_ms: int) -> bool:
        """Whether its value still stands, besides what availability says."""
        return True

    def due_ms(self, cell: Cell) -> int | None:
        """When it changes by itself."""
        return None

    def passed(self, cell: Cell, now_ms: int) -> Cell:
        """The memory after time passed."""
        return cell


def _name(fields: Fields, identity: Identity, device_class: str) -> str:
    """As people see it: the device's name before its own."""
    own = fields.text("name", longest=MAX_VALUE)
    device = identity.device_name
    if not own and not (fields.raw("name") is None and "name" in fields.keys):
        words = device_class.replace("_", " ")
        own = words[:1].upper() + words[1:]
    return f"{device} {own}".strip() if not own.startswith(f"{device} ") or not device else own


def _is_encoding(name: str) -> bool:
    if not name:
        return True
    try:
        "".encode(name)
    except (LookupError, UnicodeError, ValueError):
        return False
    return name.lower().replace("_", "-") in _ENCODINGS


_ENCODINGS = frozenset(
    [
        "utf-8",
        "utf8",
        "ascii",
        "us-ascii",
        "latin-1",
        "latin1",
        "iso-8859-1",
        "iso-8859-15",
        "cp1252",
        "windows-1252",
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "gbk",
        "gb2312",
        "gb18030",
        "big5",
    ]
)


class Commanded(Entity):
    """An entity with one command topic and, mostly, one state topic."""

    needs_command = True

    def __init__(self, fields: Fields, identity: Identity) -> None:
        super().__init__(fields, identity)
        if self.needs_command and not fields.has("command_topic"):
            raise fields.refuse("command_topic", "is required")
        self.command_topic = fields.publishes("command_topic")
        self._command_template = fields.template("command_template")
        self._value_template = fields.template("value_template")
        self.reports = self._listen(fields, "state_topic", "state") and not self.optimistic

    def _out(self, value: Any, at: At, **names: Any) -> list[Out]:
        template = self._command_template
        payload = (
            write(template, {"value": value, **self._this, **names}, at) if template else value
        )
        return [Out(self.command_topic, str(payload), self.qos)]

    @property
    def _this(self) -> dict[str, Any]:
        """What command templates may call the entity by."""
        slug = "_".join("".join(c if c.isalnum() else " " for c in self.name.lower()).split())
        return {"entity_id": f"{self.identity.platform}.{slug}", "name": self.name}

    def shown(self, cell: Cell) -> Parts:
        """What it reports."""
        return self._parts(cell) if self.reports else {}

    def assumed(self, cell: Cell) -> Parts:
        """What nothing reports."""
        return {} if self.reports else self._parts(cell)

    def _parts(self, cell: Cell) -> Parts:
        return {"": cell.get("value")}

    def told(self, cell: Cell, parts: Parts) -> Cell:
        """The memory after that was sent."""
        return cell if self.reports or "" not in parts else {**cell, "value": parts[""]}


def write(template: Template, names: Mapping[str, Any], at: At) -> str:
    """A command's payload; BadState where the template fails."""
    try:
        return template.writes(names, now_ms=at.now_ms)
    except BadTemplate as exc:
        raise BadState(f"the device's command template failed: {exc}") from exc


def compact(value: Mapping[str, Any]) -> str:
    """JSON without spaces, as lamps are told."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def number_of(text: str) -> int | float | None:
    """A finite number that a text says, whole where it is written whole."""
    if len(text) > 64:
        return None
    try:
        found = float(text)
    except ValueError:
        return None
    if not math.isfinite(found):
        return None
    whole = text.strip().lstrip("+-").isdecimal() and abs(found) <= MAX_INT
    return int(found) if whole else found


def plain_number(value: float) -> int | float:
    """Whole numbers without a fraction, as commands are written."""
    return int(value) if float(value).is_integer() else value


def is_value(text: str) -> bool:
    """Whether a text can stand in a reported state."""
    return len(text) <= MAX_VALUE and is_clean(text)
