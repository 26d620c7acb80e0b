"""The directories of a Zigbee2MQTT bridge."""

import re
from collections.abc import Mapping
from typing import Any

from devices.domain.conventions.convention import About, Announced, Announcement
from devices.domain.conventions.plain import is_plain
from devices.domain.conventions.reading import MAX_DIRECTORY_BYTES, json_value
from devices.domain.conventions.refusal import BadDiscovery, CodecError

MAX_DEVICES = 1024
_KIND = {"light": "light", "switch": "power_outlet", "climate": "hvac", "lock": "access"}
# A group takes what a lamp takes; what its members cannot do, they leave.
_GROUP = [
    {
        "type": "light",
        "features": [
            {
                "type": "binary",
                "name": "state",
                "property": "state",
                "access": 7,
                "value_on": "ON",
                "value_off": "OFF",
            },
            {
                "type": "numeric",
                "name": "brightness",
                "property": "brightness",
                "access": 7,
                "value_min": 0,
                "value_max": 254,
            },
        ],
    }
]


def discover(topic: str, payload: bytes) -> Announcement | None:
    """Read a directory; None when the topic is none.

    Raises:
        CodecError: the directory cannot be read.
    """
    base, _, leaf = topic.rpartition("/bridge/")
    if not base or leaf not in ("devices", "groups"):
        return None
    if not payload:
        return Announcement(topic)
    entries = json_value(payload, longest=MAX_DIRECTORY_BYTES)
    if not isinstance(entries, list):
        raise CodecError("wrong-shape")
    if len(entries) > MAX_DEVICES:
        raise BadDiscovery("", f"more than {MAX_DEVICES} entries")
    read = _device if leaf == "devices" else _group
    found = (read(base, entry) for entry in entries if isinstance(entry, dict))
    unique = {announced.key: announced for announced in found if announced is not None}
    return Announcement(topic, tuple(unique.values()))


def _device(base: str, entry: Mapping[str, Any]) -> Announced | None:
    """One entry; None for the coordinator, and for those that are off or still being asked."""
    key, name = entry.get("ieee_address"), entry.get("friendly_name")
    if entry.get("type") == "Coordinator" or entry.get("disabled") is True:
        return None
    if not isinstance(key, str) or not re.fullmatch(r"0x[0-9a-zA-Z]{1,16}", key):
        return None
    asked = entry.get("interview_completed", entry.get("interview_state") == "SUCCESSFUL")
    definition = entry.get("definition")
    if asked is not True or not isinstance(definition, dict):
        return None
    exposes = definition.get("exposes")
    document = {"base": base, "name": name, "exposes": exposes}
    if not is_plain(document, 1):  # cannot be kept as it is; binding says why
        document = {"base": base, "name": None, "exposes": None}
    about = About(
        kind=_kind(exposes),
        name=_text(name),
        manufacturer=_text(definition.get("vendor")) or _text(entry.get("manufacturer")),
        model=_text(definition.get("model")) or _text(entry.get("model_id")),
        firmware=_text(entry.get("software_build_id")),
        serial=key,
        via=base,
    )
    return Announced(key, document, about)


def _group(base: str, entry: Mapping[str, Any]) -> Announced | None:
    number, name = entry.get("id"), entry.get("friendly_name")
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= 0xFFFF:
        return None
    if not is_plain(name):
        return None
    document = {"base": base, "name": name, "exposes": _GROUP}
    about = About(
        kind="light", name=_text(name), manufacturer="Zigbee2MQTT", model="group", via=base
    )
    return Announced(f"group:{number}", document, about)


def _kind(exposes: object) -> str:
    types = (
        [e.get("type") for e in exposes if isinstance(e, dict)]
        if isinstance(exposes, list)
        else []
    )
    return next((_KIND[t] for t in types if isinstance(t, str) and t in _KIND), "")


def _text(value: object) -> str:
    return value[:64] if isinstance(value, str) and is_plain(value) else ""
