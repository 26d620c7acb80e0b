"""Compares what a step led to with what the oracle said of it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from devices.domain import messages
from devices.domain.conventions.convention import About
from devices.domain.conventions.homeassistant.binding import View
from devices.domain.conventions.wire import Published

# Warnings of the oracle that refuse nothing.
_HARMLESS = ("does not report a color mode", "No ACK from MQTT server", "has been removed")


@dataclass
class Result:
    """What a step led to."""

    published: list[Published] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    command_refused: str = ""
    said: list[messages.Incoming] = field(default_factory=list)


class World(Protocol):
    """Where the steps happen."""

    pictures: dict[str, bytes]

    def views(self) -> dict[str, View]:
        """All entities by `platform/uid`."""

    def about(self) -> dict[str, About]:
        """All devices by key."""


def check(
    expect: Mapping[str, Any],
    before: Mapping[str, Any],
    result: Result,
    world: World,
    where: str,
) -> None:
    """Compare what happened with what was expected."""
    _check_entities(expect, before, result, world.views(), where)
    if expect.get("rejected_or_warned") and not _is_harmless(expect):
        assert result.refused or result.command_refused, f"{where}\nnothing was refused"
    if "published" in expect:
        _check_published(expect, result, where)
    for key, wanted in expect.get("devices", {}).items():
        _check_device(key, wanted, world.about(), where)
    for key in expect.get("devices_removed", []):
        assert key not in world.about(), f"{where}\n{key} is still there"
    if "image_sha256" in expect:
        digests = [hashlib.sha256(picture).hexdigest() for picture in world.pictures.values()]
        assert digests == [expect["image_sha256"]], where


def _check_entities(
    expect: Mapping[str, Any],
    before: Mapping[str, Any],
    result: Result,
    views: Mapping[str, View],
    where: str,
) -> None:
    for name, wanted in expect.get("entities", {}).items():
        assert name in views, f"{where}\n{name} is missing; refused: {result.refused}"
        _check_entity(views[name], wanted, f"{where}\n{name}; refused: {result.refused}")
    for name in expect.get("removed", []):
        assert name not in views, f"{where}\n{name} is still there"
    if expect.get("unchanged"):
        after = {key: plain(view) for key, view in views.items()}
        assert after == before, f"{where}\n{result.refused}"


def _is_harmless(expect: Mapping[str, Any]) -> bool:
    return all(any(h in line for h in _HARMLESS) for line in expect.get("log", ["?"]))


def _check_published(expect: Mapping[str, Any], result: Result, where: str) -> None:
    if expect.get("command_error"):
        assert result.command_refused, f"{where}\nthe command was not refused"
    got = [
        {"topic": p.topic, "payload": p.payload.decode(), "qos": p.qos, "retain": False}
        for p in result.published
    ]
    assert got == expect["published"], f"{where}\n{got}\n{result.command_refused}"


def _check_device(
    key: str, wanted: Mapping[str, Any], known: Mapping[str, About], where: str
) -> None:
    keys = [*wanted.get("identifiers", []), *("=".join(c) for c in wanted.get("connections", []))]
    found = [k for k in keys if k in known]
    if not found and set(wanted) <= {"identifiers", "connections"}:
        hubs = {about.via for about in known.values()}
        assert hubs.intersection(keys), f"{where}\nnobody hangs on {key}"
        return
    assert found, f"{where}\ndevice {key} is missing: {list(known)}"
    about = known[found[0]]
    for ours, theirs in (
        (about.manufacturer, "manufacturer"),
        (about.firmware, "sw_version"),
        (about.serial, "serial_number"),
    ):
        assert ours == (wanted.get(theirs) or ""), f"{where}\n{about}"
    if wanted.get("name"):
        assert about.name == wanted["name"], f"{where}\n{about}"


def plain(view: View) -> tuple[Any, ...]:
    """All that can change of an entity."""
    return view.available, dict(view.parts), dict(view.attributes), view.name


_ONOFF = {True: "on", False: "off", None: None}


def _check_entity(view: View, wanted: Mapping[str, Any], where: str) -> None:
    assert view.available == wanted["available"], f"{where}\navailable: {view}"
    if wanted.get("name"):
        assert view.name == wanted["name"], f"{where}\n{view}"
    attributes = wanted.get("attributes", {})
    if wanted["available"]:
        state = state_of(view)
        if view.platform not in ("button", "scene", "event", "camera"):
            assert _same(state, wanted["state"]), f"{where}\nstate {state!r}: {view}"
        for key, value in _comparable(view, attributes).items():
            assert _same(value, attributes[key]), f"{where}\n{key} {value!r}: {view}"
        if attributes.get("assumed_state"):
            assert view.assumed or view.platform in ("button", "scene"), f"{where}\n{view}"


def _same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, int | float) and not isinstance(ours, bool) and theirs is not None:
        return float(theirs) == ours
    return bool(ours == theirs)


def state_of(view: View) -> Any:
    """The state as Home Assistant would name it."""
    value = view.parts.get("")
    match view.platform:
        case "light":
            return _ONOFF[view.parts.get("power")]
        case "climate":
            return view.parts.get("mode")
        case "lock":
            return None if value is None else "locked" if value else "unlocked"
        case "switch" | "binary_sensor" | "siren" | "fan" | "update":
            return _ONOFF[value]
        case _:
            return value


_MODES = {
    "color_temp": "cct",
    "rgb": "rgb",
    "hs": "rgb",
    "xy": "rgb",
    "rgbw": "rgb",
    "white": "white",
}


def _comparable(view: View, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Our values of those attributes that have a counterpart."""
    if view.platform == "light":
        return _of_light(view.parts, attributes)
    if view.platform == "update":
        found = {
            "installed_version": view.parts["installed"],
            "latest_version": view.parts["latest"],
            "in_progress": view.parts["in_progress"],
        }
        return {key: value for key, value in found.items() if key in attributes}
    extra = set(view.attributes) - set(attributes)
    assert not extra, f"attributes {extra}"
    return {key: value for key, value in view.attributes.items() if key in attributes}


def _of_light(parts: Mapping[str, Any], attributes: Mapping[str, Any]) -> dict[str, Any]:
    mode = attributes.get("color_mode")
    found = {
        "brightness": round((parts.get("brightness") or 0) * 255 / 100),
        "color_temp_kelvin": parts.get("cct"),
        "effect": parts.get("effect"),
        "rgb_color": parts.get("rgb"),
    }
    if mode in _MODES:
        assert parts["mode"] == _MODES[mode], f"mode {parts['mode']} instead of {mode}"
    derived = {"rgb_color"} if mode == "color_temp" else set()
    return {key: value for key, value in found.items() if key in attributes.keys() - derived}
