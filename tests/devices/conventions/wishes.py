"""Service calls of Home Assistant, in our parts."""

from collections.abc import Mapping
from typing import Any

from devices.domain.conventions.homeassistant import colour


def wish(service: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """A service call of Home Assistant in our parts."""
    domain, verb = service.split(".")
    if domain == "light":
        look = {"power": True, **_look(data)} if verb == "turn_on" else {"power": False}
        return {**look, **_manner(data)}
    if service in _FIXED:
        return dict([_FIXED[service]])
    if verb in ("turn_on", "turn_off"):
        return {"": verb == "turn_on"}
    return {"": data["option" if domain == "select" else "value"]}


_FIXED: Mapping[str, tuple[str, str]] = {
    "scene.turn_on": ("", "begin"),
    "button.press": ("", "press"),
    "update.install": ("install", "install"),
}


def _look(data: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for level in ("brightness", "white"):
        if level in data:
            found[level] = data[level] * 100 / 255
    if "color_temp_kelvin" in data:
        found["cct"] = data["color_temp_kelvin"]
    if "rgb_color" in data:
        found["rgb"] = list(data["rgb_color"])
    if "xy_color" in data:
        found["rgb"] = list(colour.of_xy(*data["xy_color"]))
    if "hs_color" in data:
        found["rgb"] = list(colour.of_hs(*data["hs_color"]))
    if "effect" in data:
        found["effect"] = data["effect"]
    return found


def _manner(data: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "transition" in data:
        found["fade_ms"] = round(data["transition"] * 1000)
    if "flash" in data:
        found["flash"] = data["flash"]
    return found
