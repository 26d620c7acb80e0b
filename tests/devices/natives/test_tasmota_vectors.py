"""Tasmota as Home Assistant understood it, step by step.

Theirs and ours differ in shape: one device is many entities there, and one state here. Brightness
is 0-255 there. Where they show a state that nobody reported ("off" after coming online), we show
none: that is the only thing not compared.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from devices.domain.conventions.tasmota import Tasmota
from devices.domain.shadow import Link
from tests.devices.natives.rig import Rig
from tests.devices.natives.vectors import load

VECTORS = load("tasmota")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["id"])
def test_a_tasmota_vector_means_to_us_what_it_means_to_them(vector: dict[str, Any]) -> None:
    run(vector)


def run(vector: Mapping[str, Any]) -> None:
    rig = Rig(Tasmota())
    for step in vector["steps"]:
        before = _picture(rig)
        if recv := step.get("recv"):
            rig.recv(recv["topic"], recv["payload"])
            _expect(rig, step["expect"], before, recv)
        else:
            published = rig.command(_wish(rig, step["command"]))
            assert [
                {"topic": p.topic, "payload": p.payload.decode(), "qos": p.qos, "retain": False}
                for p in published
            ] == step["expect"]["published"]


def _picture(rig: Rig) -> Any:
    return {key: (rig.link(key), dict(rig.state(key))) for key in rig.documents}


def _expect(rig: Rig, expect: Mapping[str, Any], before: Any, recv: Mapping[str, Any]) -> None:
    if expect.get("rejected_or_warned"):
        assert rig.refused
    if expect.get("unchanged"):
        assert _picture(rig) == before
    if "devices_removed" in expect:
        assert rig.documents == {}
    for address, device in expect.get("devices", {}).items():
        (announced,) = _announced(rig, recv)
        about = announced.about
        assert announced.key == address.replace(":", "").upper()
        assert (about.name, about.manufacturer) == (device["name"], device["manufacturer"])
        assert (about.model, about.firmware) == (device["model"], device["sw_version"])
    for entity, said in expect.get("entities", {}).items():
        if "status_sensor" not in entity:
            _entity(rig, entity, said)


def _announced(rig: Rig, recv: Mapping[str, Any]) -> Any:
    found = rig.convention.discover(recv["topic"], recv["payload"].encode(), retained=True)
    assert found is not None
    return found.devices


def _prefix(rig: Rig, entity: str) -> str:
    """Where this entity's keys begin in our state."""
    if "power" in rig.bindings[rig.key].capabilities:
        return ""
    kind, number = ("light" if "_light_light_" in entity else "relay"), int(entity[-1]) + 1
    return f"{kind}{number}."


def _entity(rig: Rig, entity: str, said: Mapping[str, Any]) -> None:
    assert (rig.link() is Link.ONLINE) == said["available"]
    if not said["available"]:
        return
    state, attributes = rig.state(), said["attributes"]
    if entity.startswith("fan/"):
        if "percentage" in attributes:
            assert state["fan"] == ("off", "low", "mid", "high")[attributes["percentage"] // 33]
        return
    prefix = _prefix(rig, entity)
    if f"{prefix}power" not in state:  # nobody reported it yet; they assume off
        assert said["state"] == "off"
        assert "brightness" not in attributes
        return
    assert state[f"{prefix}power"] == (said["state"] == "on")
    if said["state"] == "on" and entity.startswith("light/"):
        _light(state, prefix, attributes)


def _light(state: Mapping[str, Any], prefix: str, attributes: Mapping[str, Any]) -> None:
    if "brightness" in attributes:
        assert state[f"{prefix}brightness"] == round(attributes["brightness"] / 2.55)
    mode = {"hs": "rgb", "white": "white", "onoff": None}[attributes["color_mode"]]
    if mode != "rgb" or f"{prefix}white" in state:  # before it spoke of white, they assume colour
        assert state.get(f"{prefix}mode") == mode
    if "rgb_color" in attributes:
        assert state[f"{prefix}rgb"] == attributes["rgb_color"]
    if "effect" in attributes:
        assert state[f"{prefix}effect"] == attributes["effect"]


def _wish(rig: Rig, command: Mapping[str, Any]) -> dict[str, Any]:
    """Their service call as our state."""
    service, data = command["service"], command["data"]
    if service == "fan.set_percentage":
        return {"fan": ("off", "low", "mid", "high")[round(data["percentage"] / 33)]}
    wish: dict[str, Any] = {"power": service.endswith("turn_on")}
    if "rgb_color" in data:
        wish["rgb"] = data["rgb_color"]
    if "white" in data:
        wish["white"] = round(data["white"] / 2.55)
    if "effect" in data:
        wish["effect"] = data["effect"]
    prefix = _prefix(rig, command["entity"])
    return {prefix + part: value for part, value in wish.items()}
