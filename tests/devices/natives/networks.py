"""Devices as Zigbee2MQTT describes them, for tests: the shape of its bridge/devices, cut to what
the vectors speak of."""

import json
from typing import Any

BASE = "zigbee2mqtt"


def switch(endpoint: str = "") -> dict[str, Any]:
    suffix = f"_{endpoint}" if endpoint else ""
    state = {
        "type": "binary",
        "name": "state",
        "property": f"state{suffix}",
        "access": 7,
        "value_on": "ON",
        "value_off": "OFF",
        "value_toggle": "TOGGLE",
    }
    where = {"endpoint": endpoint} if endpoint else {}
    return {"type": "switch", "features": [state | where], **where}


def light(*, color: bool = True, mireds: tuple[int, int] | None = (150, 500)) -> dict[str, Any]:
    features = list(switch()["features"])
    features.append(numeric("brightness", 7, 0, 254))
    if mireds:
        features.append(numeric("color_temp", 7, *mireds, unit="mired"))
    if color:
        parts = [numeric("x", 7), numeric("y", 7)]
        features.append(
            {"type": "composite", "name": "color_xy", "property": "color", "features": parts}
        )
        parts = [numeric("hue", 7), numeric("saturation", 7)]
        features.append(
            {"type": "composite", "name": "color_hs", "property": "color", "features": parts}
        )
    return {"type": "light", "features": features}


def numeric(
    name: str, access: int, low: float | None = None, high: float | None = None, **more: Any
) -> dict[str, Any]:
    found = {"type": "numeric", "name": name, "property": name, "access": access, **more}
    if low is not None and high is not None:
        found |= {"value_min": low, "value_max": high}
    return found


def enum(name: str, access: int, *values: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "enum",
        "name": name,
        "property": name,
        "access": access,
        "values": list(values),
        **more,
    }


def binary(name: str, access: int = 1, on: Any = True, off: Any = False) -> dict[str, Any]:
    return {
        "type": "binary",
        "name": name,
        "property": name,
        "access": access,
        "value_on": on,
        "value_off": off,
    }


_EFFECT = enum("effect", 2, "blink", "breathe", "okay")
_POWER_ON = enum("power_on_behavior", 7, "off", "on", "toggle", "previous", category="config")

EXPOSES: dict[str, list[dict[str, Any]]] = {
    "bulb_color": [light(), _EFFECT, _POWER_ON, numeric("linkquality", 1, 0, 255)],
    "bulb_color_2": [light(), _EFFECT, _POWER_ON],
    "bulb_2": [light(color=False), _EFFECT, _POWER_ON],
    "power_plug": [
        switch(),
        numeric("power", 1, unit="W"),
        numeric("energy", 1, unit="kWh"),
        numeric("device_temperature", 1, unit="°C"),
        binary("power_outage_memory", 7),
    ],
    "wall_switch_double": [
        switch("left"),
        switch("right"),
        numeric("device_temperature", 1, unit="°C"),
        enum("operation_mode_left", 7, "control_left_relay", "decoupled", category="config"),
        enum("action", 1, "single_left", "single_right"),
    ],
    "weather_sensor": [
        numeric("battery", 1, 0, 100, unit="%"),
        numeric("temperature", 1, unit="°C"),
        numeric("humidity", 1, unit="%"),
        numeric("pressure", 1, unit="hPa"),
        numeric("voltage", 1, unit="mV"),
        binary("smoke"),
    ],
}
GROUPS = ("group_tradfri_remote", "switch_group", "ha_discovery_group", "group_with_tradfri")


def key_of(name: str) -> str:
    """The key under which a device or group of the network is announced."""
    if name in GROUPS:
        return f"group:{GROUPS.index(name) + 1}"
    return f"0x{list(EXPOSES).index(name):016x}"


def devices() -> str:
    """The payload of bridge/devices."""
    coordinator = {
        "ieee_address": "0x00124b00120144ae",
        "type": "Coordinator",
        "friendly_name": "Coordinator",
        "interview_completed": True,
        "definition": None,
    }
    found = [
        {
            "ieee_address": key_of(name),
            "type": "Router",
            "friendly_name": name,
            "interview_completed": True,
            "supported": True,
            "disabled": False,
            "software_build_id": "1.0.2",
            "definition": {"vendor": "Philips", "model": name.upper(), "exposes": exposes},
        }
        for name, exposes in EXPOSES.items()
    ]
    return json.dumps([coordinator, *found])


def groups() -> str:
    """The payload of bridge/groups."""
    return json.dumps(
        [{"id": at, "friendly_name": name, "members": []} for at, name in enumerate(GROUPS, 1)]
    )
