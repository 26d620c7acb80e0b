"""Reads what is announced below `homeassistant/`: one component, or a device with several.

<root>/<component>/[<node>/]<object>/config   one component, and perhaps the device it is part of
<root>/device/[<node>/]<object>/config        a device with all its components
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from devices.domain.conventions.convention import About, Announced, Announcement
from devices.domain.conventions.homeassistant import entities
from devices.domain.conventions.homeassistant.abbreviations import (
    COMPONENTS,
    DEVICE,
    KEYS,
    ORIGIN,
    SHARED,
)
from devices.domain.conventions.homeassistant.entity import Entity, Identity
from devices.domain.conventions.homeassistant.fields import MAX_WORDS, Fields
from devices.domain.conventions.plain import is_clean, is_plain_object
from devices.domain.conventions.refusal import BadDiscovery, CodecError

MAX_BYTES = 64 * 1024
MAX_COMPONENTS = 200
_TOPIC = re.compile(r"(\w+)/(?:([a-zA-Z0-9_-]+)/)?([a-zA-Z0-9_-]+)/config", re.ASCII)
_OURS = {"light": "light", "climate": "hvac", "switch": "power_outlet", "lock": "access"}
_MIGRATE = "migrate_discovery"


def read(root: str, topic: str, payload: bytes) -> Announcement | None:
    """The announcement in a message; None when it is none.

    Raises:
        CodecError: and nothing else; BadDiscovery says where and why.
    """
    rest = topic.removeprefix(f"{root}/")
    if rest == topic or not rest.endswith("/config"):
        return None
    match = _TOPIC.fullmatch(rest)
    if match is None or len(topic) > 256:
        raise BadDiscovery("", "the topic has characters that are not allowed")
    component = match[1]
    if component != "device" and component not in COMPONENTS:
        raise BadDiscovery("", f"component {component[:40]} is not supported")
    if not payload:
        return Announcement(topic)
    document = _document(payload)
    if document.get(_MIGRATE) is True:
        return Announcement(topic, moving=True)
    place = " ".join(filter(None, match.group(2, 3)))
    expanded = (
        _device(document) if component == "device" else _single(document, component, match[3])
    )
    return Announcement(topic, (_announced(expanded, place),))


def _document(payload: bytes) -> dict[str, Any]:
    if len(payload) > MAX_BYTES:
        raise CodecError("too-long")
    try:
        found = msgspec.json.decode(payload)
    except (ValueError, RecursionError) as exc:
        raise CodecError("not-json") from exc
    if not isinstance(found, dict):
        raise CodecError("wrong-shape")
    if not found:
        raise BadDiscovery("", "the document is empty")
    if not _is_bearable(found):
        raise BadDiscovery("", "the document is too large, too deep or not plain JSON")
    return found


def _is_bearable(document: dict[str, Any]) -> bool:
    """Plain JSON, but for lists of words, which may be longer."""
    components = document.get("cmps", document.get("components"))
    if not isinstance(components, dict):
        return is_plain_object(_without_words(document))
    rest = {k: v for k, v in document.items() if v is not components}
    parts = [_without_words(c) if isinstance(c, dict) else {"": c} for c in components.values()]
    named = is_plain_object(dict.fromkeys(components))
    return named and is_plain_object(_without_words(rest)) and all(map(is_plain_object, parts))


def _without_words(config: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if not _is_words(value)}


def _is_words(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= MAX_WORDS
        and all(isinstance(item, str) and is_clean(item) for item in value)
    )


def _single(document: dict[str, Any], component: str, object_id: str) -> dict[str, Any]:
    """A component by itself, in the shape of a device with one."""
    config = _expanded(document)
    about = {k: config.pop(k) for k in ("device", "origin") if config.get(k) is not None}
    _check_origin(about)
    components = {object_id: {**config, "platform": component}}
    return {**about, "components": components, "single": True}


def _device(document: dict[str, Any]) -> dict[str, Any]:
    """A device with its components, each with what all share."""
    whole = _expanded(document)
    for key in ("device", "origin", "components"):
        if not isinstance(whole.get(key), dict):
            why = "must be an object" if key in whole else "is required"
            raise BadDiscovery(key, why)
    if len(whole["components"]) > MAX_COMPONENTS:
        raise BadDiscovery("components", f"has more than {MAX_COMPONENTS} items")
    _check_origin(whole)
    shared = {key: whole[key] for key in SHARED if key in whole}
    found = {}
    for name, component in whole["components"].items():
        path = f"components.{name}"
        if not isinstance(component, dict):
            raise BadDiscovery(path, "must be an object")
        config = _expanded(component)
        platform = config.get("platform")
        if not isinstance(platform, str) or platform not in COMPONENTS:
            raise BadDiscovery(f"{path}.platform", "is required, and must be a component we know")
        if set(config) != {"platform"}:  # by itself: the component is gone
            found[name] = {**_not_twice(shared, config), **config}
    return {"device": whole["device"], "origin": whole["origin"], "components": found}


def _not_twice(shared: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """What a component inherits: its own availability, in either form, replaces the shared."""
    own = {"availability", "availability_topic"} & config.keys()
    return {k: v for k, v in shared.items() if not (own and k.startswith("availability"))}


def _expanded(document: Mapping[str, Any]) -> dict[str, Any]:
    """With short keys and the base topic written out."""
    config = _written_out(document, KEYS)
    for key, names in (("device", DEVICE), ("origin", ORIGIN)):
        if isinstance(config.get(key), dict):
            config[key] = _written_out(config[key], names)
    listed = config.get("availability")
    if isinstance(listed, dict | list):
        items = listed if isinstance(listed, list) else [listed]
        config["availability"] = [
            _written_out(item, KEYS) if isinstance(item, dict) else item for item in items
        ]
    base = config.pop("~", None)
    return _based(config, base) if isinstance(base, str) else config


def _written_out(config: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(key, key): value for key, value in config.items()}


def _based(config: dict[str, Any], base: str) -> dict[str, Any]:
    """With `~` at either end of a topic replaced."""
    found = {k: _on(base, v) if k.endswith("topic") else v for k, v in config.items()}
    if isinstance(found.get("availability"), list):
        found["availability"] = [
            {**a, "topic": _on(base, a["topic"])} if isinstance(a, dict) and "topic" in a else a
            for a in found["availability"]
        ]
    return found


def _on(base: str, topic: Any) -> Any:
    if not isinstance(topic, str):
        return topic
    if topic.startswith("~"):
        topic = base + topic[1:]
    return topic[:-1] + base if topic.endswith("~") else topic


def _check_origin(document: Mapping[str, Any]) -> None:
    if "origin" in document:
        if not isinstance(document["origin"], dict):
            raise BadDiscovery("origin", "must be an object")
        Fields(document["origin"], "origin").needed("name")


def _announced(document: dict[str, Any], place: str) -> Announced:
    """Checked to the last field, so that what is announced can be bound."""
    built = build(document, place)
    device = Fields(document.get("device") or {}, "device")
    about = About(
        kind=kind_of(built),
        name=device.text("name") or next((e.name for e in built), ""),
        manufacturer=device.text("manufacturer"),
        model=device.text("model_id") or device.text("model"),
        firmware=device.text("sw_version"),
        serial=device.text("serial_number"),
        via=device.text("via_device"),
    )
    return Announced(_key(document, place), {**document, "place": place}, about)


def build(document: Mapping[str, Any], place: str) -> list[Entity]:
    """The entities of a document.

    Raises:
        BadDiscovery: naming the field and what is wrong with it.
    """
    name = ""
    if document.get("device") is not None:
        if not isinstance(document["device"], dict):
            raise BadDiscovery("device", "must be an object")
        name = Fields(document["device"], "device").text("name")
    several = not document.get("single")
    found = []
    for object_id, config in document["components"].items():
        platform = config["platform"]
        path = f"components.{object_id}" if several else ""
        spot = f"{place} {object_id}" if several else place
        uid = Fields(config, path).text("unique_id", longest=255) or f"#{spot}"
        found.append(entities.entity(config, path, Identity(platform, uid, object_id, name)))
    return found


def kind_of(built: list[Entity]) -> str:
    """Our own kind, by the entity that the device is mostly about; empty where none says."""
    mains = [e for e in built if e.category not in ("config", "diagnostic")]
    main = min(mains, key=lambda e: e.primary, default=None)
    return _OURS.get(main.identity.platform, "") if main is not None else ""


def _key(document: Mapping[str, Any], place: str) -> str:
    """The first of the device's identifiers or connections; without a device, where it is."""
    device = document.get("device")
    if device is None:
        (config,) = document["components"].values()
        uid = Fields(config).text("unique_id", longest=255)
        return f"{config['platform']}/{uid or place}"
    fields = Fields(device, "device")
    identifiers = fields.words("identifiers")
    if identifiers and identifiers[0]:
        return identifiers[0][:255]
    connections = fields.raw("connections")
    if isinstance(connections, list) and connections:
        first = connections[0] if isinstance(connections[0], list) else connections
        if len(first) == 2 and all(isinstance(part, str) and part for part in first):
            return f"{first[0]}={_plain_address(*first)}"[:255]
        raise BadDiscovery("device.connections", "must be a list of pairs of texts")
    raise BadDiscovery("device", "needs at least one of identifiers and connections")


def _plain_address(kind: str, address: str) -> str:
    """A hardware address in one notation, however it is written."""
    digits = re.sub("[^0-9a-f]", "", address.lower())
    is_mac = kind == "mac" and len(digits) == 12
    return ":".join(digits[n : n + 2] for n in range(0, 12, 2)) if is_mac else address
