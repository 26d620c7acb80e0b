"""What is only read: sensors, binary sensors, events and pictures."""

import binascii
from datetime import date, datetime
from typing import Any

from devices.domain.conventions.homeassistant.entity import (
    NONE,
    At,
    Cell,
    Entity,
    Identity,
    Parts,
    is_value,
    number_of,
)
from devices.domain.conventions.homeassistant.fields import Fields
from devices.domain.conventions.homeassistant.templates import Payload
from devices.domain.conventions.plain import is_plain_object

_WORDS = frozenset({"date", "enum", "timestamp"})
_STATE_CLASSES = ("measurement", "measurement_angle", "total", "total_increasing")
_MAX_S = 10 * 365 * 86_400.0
# In the units that we count in: (device class, unit) → our metric and the factor to it.
_OURS = {
    ("power", "W"): ("power_w", 1.0),
    ("power", "kW"): ("power_w", 1_000.0),
    ("energy", "Wh"): ("energy_wh", 1.0),
    ("energy", "kWh"): ("energy_wh", 1_000.0),
    ("energy", "MWh"): ("energy_wh", 1_000_000.0),
}


class Expiring(Entity):
    """A value that stands for some seconds only, where it says so."""

    def __init__(self, fields: Fields, identity: Identity) -> None:
        super().__init__(fields, identity)
        if not fields.has("state_topic"):
            raise fields.refuse("state_topic", "is required")
        self._listen(fields, "state_topic", "state")
        self._value_template = fields.template("value_template")
        self._expires_ms = round(fields.number("expire_after", 0, low=0, high=_MAX_S) * 1000)

    def _keep(self, cell: Cell, value: Any, at: At) -> Cell:
        kept = {**cell, "value": value}
        if self._expires_ms:
            kept["until"] = at.now_ms + self._expires_ms
        return kept

    def is_there(self, cell: Cell, now_ms: int) -> bool:
        """Whether its value still stands."""
        return not self._expires_ms or int(cell.get("until", 0)) > now_ms

    def due_ms(self, cell: Cell) -> int | None:
        """When it changes by itself."""
        until: int | None = cell.get("until")
        return until

    def passed(self, cell: Cell, now_ms: int) -> Cell:
        """The memory after time passed."""
        if "until" in cell and cell["until"] <= now_ms:
            return {**{k: v for k, v in cell.items() if k != "until"}, "value": None}
        return cell

    def shown(self, cell: Cell) -> Parts:
        """What it reports."""
        return {"": cell.get("value")}


class Sensor(Expiring):
    """A reading: a number where its kind, unit or class says so, else a word."""

    def __init__(self, fields: Fields, identity: Identity) -> None:
        super().__init__(fields, identity)
        self.state_class = fields.choice("state_class", _STATE_CLASSES, "")
        self.options = fields.words("options")
        if self.options and self.device_class not in ("", "enum"):
            raise fields.refuse("options", "goes with device_class enum only")
        self.measures = self.device_class not in _WORDS and bool(
            self.device_class
            or self.state_class
            or self.unit
            or fields.has("suggested_display_precision")
        )
        self._last_reset = fields.template("last_reset_value_template")
        if self._last_reset and self.state_class != "total":
            raise fields.refuse("last_reset_value_template", "goes with state_class total only")

    @property
    def metric(self) -> tuple[str, float] | None:
        """Our own name for what it measures, and the factor to our unit."""
        return _OURS.get((self.device_class, self.unit))

    def _hear(self, cell: Cell, slot: str, payload: Payload, at: At) -> Cell:
        text = self._read(self._value_template, payload, at)
        if text is None or (text == "" and self.measures):
            return cell
        kept = cell
        if text == NONE:
            kept = self._keep(cell, None, at)
        elif (value := self._value(text)) is None:
            at.refuse(f"not what such a sensor says: {text[:40]!r}")
        else:
            kept = self._keep(cell, value, at)
        return self._reset(kept, payload, at)

    def _value(self, text: str) -> int | float | str | None:
        if self.measures:
            return number_of(text)
        if not is_value(text) or (self.options and text not in self.options):
            return None
        if self.device_class == "timestamp":
            return text if _moment(text) else None
        if self.device_class == "date":
            return text if _day(text) else None
        return text

    def _reset(self, cell: Cell, payload: Payload, at: At) -> Cell:
        if self._last_reset is None:
            return cell
        text = self._read(self._last_reset, payload, at)
        if not text:
            return cell
        if not _moment(text) or not is_value(text):
            at.refuse(f"not a time of reset: {text[:40]!r}")
            return cell
        return {**cell, "last_reset": text}

    def shown(self, cell: Cell) -> Parts:
        """What it reports."""
        reset = {"last_reset": cell["last_reset"]} if "last_reset" in cell else {}
        return {"": cell.get("value"), **reset}


def _moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


# What such a sensor turning on means to us, by its device class.
_ALARMS = {"smoke": "smoke", "gas": "smoke", "tamper": "tamper", "problem": "fault"}


class BinarySensor(Expiring):
    """Two states; may fall back to off by itself."""

    def __init__(self, fields: Fields, identity: Identity) -> None:
        super().__init__(fields, identity)
        self._says = {
            fields.text("payload_on", "ON"): True,
            fields.text("payload_off", "OFF"): False,
            NONE: None,
        }
        self._off_ms = round(fields.number("off_delay", 0, low=0, high=_MAX_S) * 1000)

    def _hear(self, cell: Cell, slot: str, payload: Payload, at: At) -> Cell:
        text = self._read(self._value_template, payload, at)
        if text is None or text == "":
            return cell
        if text not in self._says:
            at.refuse(f"neither on nor off: {text[:40]!r}")
            return cell
        value = self._says[text]
        alarm = _ALARMS.get(self.device_class)
        if alarm and value and not cell.get("value") and not at.retained:
            at.events.append((alarm, {}))
        kept = {k: v for k, v in self._keep(cell, value, at).items() if k != "off_at"}
        return {**kept, "off_at": at.now_ms + self._off_ms} if self._off_ms and value else kept

    def due_ms(self, cell: Cell) -> int | None:
        """When it changes by itself."""
        return min((cell[k] for k in ("until", "off_at") if k in cell), default=None)

    def passed(self, cell: Cell, now_ms: int) -> Cell:
        """The memory after time passed."""
        if "off_at" in cell and cell["off_at"] <= now_ms:
            cell = {**{k: v for k, v in cell.items() if k != "off_at"}, "value": False}
        return super().passed(cell, now_ms)


class EventEntity(Entity):
    """Says that something happened: a button, a bell."""

    def __init__(self, fields: Fields, identity: Identity) -> None:
        super().__init__(fields, identity)
        for key in ("state_topic", "event_types"):
            if not fields.has(key):
                raise fields.refuse(key, "is required")
        self._listen(fields, "state_topic", "state")
        self.types = fields.words("event_types")
        self._value_template = fields.template("value_template")

    def _hear(self, cell: Cell, slot: str, payload: Payload, at: At) -> Cell:
        text = self._read(self._value_template, payload, at)
        if not text or text in (NONE, "null", "{}") or at.retained:
            return cell
        said = Payload.of(text).parsed
        if not isinstance(said, dict) or not is_plain_object(said):
            at.refuse("an event must be a JSON object")
            return cell
        kind = said.get("event_type")
        if not isinstance(kind, str) or kind not in self.types or len(kind) > 64:
            at.refuse(f"not one of its events: {str(kind)[:40]!r}")
            return cell
        rest = {k: v for k, v in said.items() if k != "event_type"}
        at.events.append((kind, rest))
        return {**cell, "event_type": kind, "data": rest}


class Camera(Entity):
    """Pictures; they are passed on, not remembered."""

    def __init__(self, fields: Fields, identity: Identity) -> None:
        super().__init__(fields, identity)
        if not fields.has("topic"):
            raise fields.refuse("topic", "is required")
        self.topic = fields.listens("topic")
        self._slots.append((self.topic, "picture"))
        self._base64 = fields.choice("image_encoding", ("b64",), "") == "b64"
        self.encoding = ""

    def picture(self, payload: bytes) -> bytes | None:
        """The picture in a message, or None."""
        if not self._base64:
            return payload
        try:
            return binascii.a2b_base64(payload, strict_mode=True)
        except binascii.Error:
            return None

    def _hear(self, cell: Cell, slot: str, payload: Payload, at: At) -> Cell:
        raw = payload.value if isinstance(payload.value, bytes) else payload.value.encode()
        if self.picture(raw) is None:
            at.refuse("no base64")
        return cell
