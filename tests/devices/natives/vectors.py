"""The vectors of these conventions: what each is to us, and why some are refused on purpose."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent.parent / "vectors" / "devices"
FILES = (
    "tasmota",
    "native_zigbee2mqtt",
    "native_shelly_gen1",
    "native_shelly_gen2",
    "native_wled",
    "native_homie5",
    "native_aws_shadow",
    "native_frigate",
    "native_sparkplug_b",
    "native_thingsboard",
)

# What a peer would do, and we never ask of it. Each is still run: nothing of it may do harm.
REFUSED: Mapping[str, str] = {
    "z2m_native_08": "TOGGLE is never sent: carried out twice, it would undo itself",
    "z2m_native_14": "a set without content is refused before it is sent",
    "z2m_native_16": "states are never asked for one by one: each published one is whole",
    "z2m_native_24": "the Zigbee network is administered in Zigbee2MQTT, not from here",
    "z2m_native_26": "the Zigbee network is administered in Zigbee2MQTT, not from here",
    "z2m_native_28": "the Zigbee network is administered in Zigbee2MQTT, not from here",
    "wled_base_topic_parser": "nothing is ever written to the topic with the lax parser",
}

# Conventions that we do not speak; the reason stands for all vectors of the file.
NOT_OURS: Mapping[str, str] = {
    "native_frigate": "no convention of ours; its switches arrive by Home Assistant discovery, and"
    " security cameras take no commands here",
    "native_sparkplug_b": "no convention of ours: binary, and for plants rather than studios",
    "native_thingsboard": "a server's own life of a call; ours has its own table of transitions,"
    " and no call that sticks",
}


def load(name: str) -> list[dict[str, Any]]:
    """The vectors of one file."""
    found: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text())
    return found


def one(name: str, vector: str) -> dict[str, Any]:
    """One vector."""
    return next(v for v in load(name) if v["id"] == vector)
