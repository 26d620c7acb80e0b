"""The brands' own documents, vector by vector; and a report of what became of each."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from devices.domain.capabilities import BadState
from devices.domain.conventions.homie import Homie, payloads
from devices.domain.conventions.shelly import Shelly, gen2
from devices.domain.conventions.wled import Wled
from devices.domain.conventions.zigbee2mqtt import Zigbee2Mqtt
from devices.domain.shadow import Link, delta
from tests.devices.natives import networks, test_tasmota_vectors
from tests.devices.natives.rig import Rig
from tests.devices.natives.vectors import FILES, NOT_OURS, REFUSED, load

Vector = Mapping[str, Any]


def published(rig: Rig, state: Mapping[str, Any], *, key: str | None = None) -> list[Any]:
    return [
        {"topic": p.topic, "payload": p.payload.decode(), "qos": p.qos, "retain": False}
        for p in rig.command(state, key=key)
    ]


# Zigbee2MQTT

# What a set of theirs is in our words. They take many forms of it, we use one.
WISHES: Mapping[str, tuple[str, dict[str, Any]]] = {
    "z2m_native_00": ("bulb_color", {"power": True, "brightness": 50.4}),
    "z2m_native_02": ("bulb_color", {"rgb": [46, 102, 150]}),
    "z2m_native_04": ("bulb_color", {"rgb": [255, 0, 0]}),
    "z2m_native_06": ("bulb_color", {"power": True}),
    "z2m_native_08": ("bulb_color", {"power": False}),
    "z2m_native_18": ("power_plug", {"power": False}),
    "z2m_native_20": ("wall_switch_double", {"left.power": False}),
    "z2m_native_22": ("group_tradfri_remote", {"power": True, "brightness": 20}),
}
# What it is refused for, before anything is sent.
UNWANTED: Mapping[str, dict[str, Any]] = {
    "z2m_native_10": {"power": "not json"},
    "z2m_native_12": {"nonexistent_key": 1},
    "z2m_native_14": {},
    "z2m_native_16": {"state": ""},
}


def network() -> Rig:
    rig = Rig(Zigbee2Mqtt())
    rig.recv("zigbee2mqtt/bridge/devices", networks.devices(), retained=True)
    rig.recv("zigbee2mqtt/bridge/groups", networks.groups(), retained=True)
    rig.recv("zigbee2mqtt/bridge/state", '{"state":"online"}', retained=True)
    return rig


def run_zigbee2mqtt(vector: Vector) -> None:
    rig = network()
    for step in vector["steps"]:
        told = _tell_zigbee(rig, vector["id"])
        for message in step["expect"]["device_publishes"]:
            rig.recv(message["topic"], message["payload"])
            assert not rig.refused
            assert not [fault for heard in rig.heard for fault in heard.faults]
        if told is not None:
            assert rig.observed(told) is True
        _see_zigbee(rig, vector["id"])


def _tell_zigbee(rig: Rig, vector: str) -> Any:
    if vector in UNWANTED:
        with pytest.raises(BadState):
            rig.command(UNWANTED[vector], key=networks.key_of("bulb_color"))
    if vector not in WISHES:
        return None
    name, wish = WISHES[vector]
    command = rig.outgoing(wish, key=networks.key_of(name))
    (message,) = rig.publish(command)
    assert message.topic == f"zigbee2mqtt/{name}/set"
    if vector in ("z2m_native_00", "z2m_native_02"):
        sent = load("native_zigbee2mqtt")[int(vector[-2:]) // 2]["steps"][0]["send"]
        assert json.loads(message.payload) == json.loads(sent["payload"])
    assert rig.observed(command) is False
    return command


def _see_zigbee(rig: Rig, vector: str) -> None:
    bulb, plug = networks.key_of("bulb_color"), networks.key_of("power_plug")
    match vector:
        case "z2m_native_02":  # a colour comes back as what was asked, not as its approximation
            assert rig.state(bulb)["rgb"] == [46, 102, 150]
            assert "cct" not in rig.state(bulb)
        case "z2m_native_18":
            assert rig.state(plug) == {"power": False}
            assert rig.state(networks.key_of("switch_group")) == {"power": False}
        case "z2m_native_20":
            assert rig.state(networks.key_of("wall_switch_double")) == {"left.power": False}
        case "z2m_native_22":
            assert rig.state(networks.key_of("bulb_2"))["brightness"] == 20
            assert rig.link(networks.key_of("bulb_2")) is Link.ONLINE
        case "z2m_event_WSDCGQ11LM_temperature":
            assert rig.metrics() == {"temperature_c": -0.85}
            assert rig.state(networks.key_of("weather_sensor")) == {}
        case "z2m_event_bulb_color_level":
            assert rig.state(bulb)["brightness"] == 79
            assert (rig.state(bulb)["mode"], rig.state(bulb)["rgb"]) == ("rgb", [255, 0, 0])
        case "z2m_native_24" | "z2m_native_26" | "z2m_native_28":
            assert rig.heard == []  # such answers concern no device
        case _:
            pass


# Shelly


def run_shelly_gen1(vector: Vector) -> None:
    rig = Rig(Shelly())
    rig.recv("shellies/shelly1-ABC123/announce", '{"id":"shelly1-ABC123","model":"SHSW-1"}')
    for step in vector["steps"]:
        if recv := step.get("recv"):
            rig.recv(recv["topic"], recv["payload"])
            _availability(rig, step["expect"]["state"])
        else:
            assert published(rig, step["command"]) == step["expect"]["published"]


def _availability(rig: Rig, expect: Mapping[str, Any]) -> None:
    said = dict(expect)
    if (available := said.pop("available", None)) is not None:
        assert rig.link() is (Link.ONLINE if available else Link.OFFLINE)
    if said:
        assert {key: rig.state().get(key) for key in said} == said


_METRICS = {
    "active_power_w": "power_w",
    "voltage_v": "voltage_v",
    "energy_wh": "energy_wh",
    "temperature_c": "temperature_c",
}


def run_shelly_gen2(vector: Vector) -> None:
    rig = Rig(Shelly())
    first = vector["steps"][0].get("recv", {"topic": ""})["topic"].partition("/")[0]
    if first:
        rig.recv(f"{first}/status/switch:0", '{"id":0}')  # it exists; nothing more is known
    sent = None
    for step in vector["steps"]:
        expect = step["expect"]
        if "validate" in step:
            assert gen2.is_prefix(step["validate"]["topic_prefix"]) is expect["valid"]
        elif command := step.get("command"):
            sent = rig.outgoing({"power": command["switch:0"]})
            (message,) = rig.publish(sent)
            _same_call(message, expect["published"][0], sent.id)
        elif "command_id_1" in expect.get("state", {}):
            assert sent is not None
            answer = json.loads(step["recv"]["payload"]) | {"id": sent.id}
            rig.recv(step["recv"]["topic"], json.dumps(answer))
            assert [(a.command_id, a.st) for a in rig.acks()] == [(sent.id, "done")]
        else:
            _hear_shelly(rig, step)


def _same_call(message: Any, theirs: Mapping[str, Any], command: str) -> None:
    """Their request, but for its id: any will do, and ours is that of the command."""
    ours = json.loads(message.payload)
    assert ours.pop("id") == command
    assert ours == {k: v for k, v in json.loads(theirs["payload"]).items() if k != "id"}
    assert (message.topic, message.qos) == (theirs["topic"], theirs["qos"])


def _hear_shelly(rig: Rig, step: Mapping[str, Any]) -> None:
    before = dict(rig.state())
    rig.recv(step["recv"]["topic"], step["recv"]["payload"])
    expect = dict(step["expect"]["state"])
    for key, value in expect.pop("switch:0", {}).items():
        if key in _METRICS:
            assert rig.metrics()[_METRICS[key]] == value
        elif value == "unchanged":
            assert rig.state().get(key) == before.get(key)
        else:
            assert rig.state()[key] == value
    _availability(rig, expect)


# WLED


def run_wled(vector: Vector) -> None:
    rig = Rig(Wled())
    rig.recv("wled/deadbeef/status", "online")
    for step in vector["steps"]:
        if recv := step.get("recv"):
            rig.recv(recv["topic"], recv["payload"])
            expect = dict(step["expect"]["state"])
            for key in {"brightness", "white"} & expect.keys():  # theirs are 0-255
                expect[key] = round(expect[key] / 2.55)
            if expect.get("white") == 0:
                assert rig.state().get("white", 0) == expect.pop("white")
            _availability(rig, expect)
        else:
            _never_on_the_lax_topic(rig, step["device_receives"])


def _never_on_the_lax_topic(rig: Rig, lax: Mapping[str, Any]) -> None:
    for state in ({"power": True}, {"power": False}, {"power": True, "brightness": 100}):
        for message in rig.command(state):
            assert message.topic == f"{lax['topic']}/api"
            assert json.loads(message.payload).get("bri", 0) <= 255
    with pytest.raises(BadState):
        rig.command({"brightness": 300})


# Homie

SOCKET = (
    '{"homie":"5.0","name":"x","version":1,"nodes":{"n":{"properties":'
    '{"on":{"datatype":"boolean","settable":true}}}}}'
)


def run_homie5(vector: Vector) -> None:
    rig = Rig(Homie())
    steps = vector["steps"]
    topics = [s["recv"]["topic"] for s in steps if "recv" in s]
    if not any(topic.endswith("$description") for topic in topics):
        for topic in sorted({topic.rsplit("/", 1)[0] for topic in topics}):
            _describe(rig, topic, vector.get("setup", {}))
    for step in steps:
        if check := step.get("validate"):
            found = payloads.decode(check["datatype"], check["format"], check["payload"])
            assert (found is not payloads.BAD) is step["expect"]["valid"], check
        elif command := step.get("command"):
            state = {_homie_key(key): value for key, value in command.items()}
            assert published(rig, state) == step["expect"]["published"]
        else:
            rig.recv(step["recv"]["topic"], step["recv"]["payload"])
            assert not rig.refused
            for what, value in step["expect"].get("state", {}).items():
                _see_homie(rig, step["recv"]["topic"].split("/")[2], what, value)


def _describe(rig: Rig, topic: str, setup: Mapping[str, Any]) -> None:
    about = json.loads(SOCKET) | setup.get(topic.rpartition("/")[2], {})
    rig.recv(f"{topic}/$description", json.dumps(about))


def _homie_key(theirs: str) -> str:
    return {"light/power": "power", "light/brightness": "brightness", "light/color": "rgb"}[theirs]


_LINKS = {
    "online": (Link.ONLINE, "ready"),
    "sleeping": (Link.UNKNOWN, "sleeping"),
    "lost": (Link.OFFLINE, "lost"),
    "init": (Link.UNKNOWN, "init"),
}


def _see_homie(rig: Rig, device: str, what: str, value: Any) -> None:
    match what:
        case "exists" | "adopted":
            assert (device in rig.documents) is value
        case "properties":
            assert {_homie_key(key) for key in value} == rig.bindings[device].capabilities.keys()
        case "availability":
            if device in rig.shadows:  # before its description there is nothing to look at
                link, own = _LINKS[value]
                assert rig.link(device) is link
                assert rig.memories[device]["own"] == own
        case "bridge" | "light1":
            assert rig.link(what) is _LINKS[value.split(" ")[0]][0]
        case _:
            assert rig.state(device)[_homie_key(what)] == value


# AWS shadow: the meaning of a difference between wanted and reported


def run_aws_shadow(vector: Vector) -> None:
    for step in vector["steps"]:
        if shadow := step.get("shadow"):
            found = delta(shadow["desired"], shadow["reported"])
            assert (found or None) == step["expect"]["delta"]
        else:
            _guarded(step)


def _guarded(step: Mapping[str, Any]) -> None:
    """A command for another version than the reported one is refused; without one it is not."""
    rig = Rig(Wled())
    rig.recv("wled/x/status", "online")
    for level in range(step["current_version"]):
        rig.recv("wled/x/g", str(3 * (level + 1)))
    command = rig.outgoing({"power": True}, if_v=step["update"].get("version"))
    if "rejected" in step["expect"]:
        with pytest.raises(BadState) as refused:
            rig.publish(command)
        assert [fault.name for fault in refused.value.fields] == ["if_v"]
    else:
        rig.publish(command)
        rig.recv("wled/x/g", "0")
        assert rig.memories["wled/x"]["v"] == step["expect"]["new_version"]


RUN: Mapping[str, Callable[[Vector], None]] = {
    "tasmota": test_tasmota_vectors.run,
    "native_zigbee2mqtt": run_zigbee2mqtt,
    "native_shelly_gen1": run_shelly_gen1,
    "native_shelly_gen2": run_shelly_gen2,
    "native_wled": run_wled,
    "native_homie5": run_homie5,
    "native_aws_shadow": run_aws_shadow,
}
OURS = [(name, vector) for name in RUN if name != "tasmota" for vector in load(name)]


@pytest.mark.parametrize(("name", "vector"), OURS, ids=[v["id"] for _, v in OURS])
def test_a_vector_holds_whether_we_speak_so_or_refuse_to(name: str, vector: Vector) -> None:
    RUN[name](vector)


def outcome(name: str, vector: Vector) -> str:
    if name in NOT_OURS:
        return "not applicable"
    try:
        RUN[name](vector)
    except AssertionError:
        return "fail"
    return "refused on purpose" if vector["id"] in REFUSED else "pass"


def test_every_vector_has_an_outcome_and_none_fails() -> None:
    report = Counter((name, outcome(name, v)) for name in FILES for v in load(name))

    for (name, what), count in sorted(report.items()):
        print(f"{name:24}{what:20}{count:4}")  # noqa: T201
    assert report == {
        ("tasmota", "pass"): 8,
        ("native_zigbee2mqtt", "pass"): 11,
        ("native_zigbee2mqtt", "refused on purpose"): 6,
        ("native_shelly_gen1", "pass"): 1,
        ("native_shelly_gen2", "pass"): 3,
        ("native_wled", "pass"): 1,
        ("native_wled", "refused on purpose"): 1,
        ("native_homie5", "pass"): 6,
        ("native_aws_shadow", "pass"): 2,
        ("native_frigate", "not applicable"): 2,
        ("native_sparkplug_b", "not applicable"): 4,
        ("native_thingsboard", "not applicable"): 2,
    }


def test_every_reason_belongs_to_a_vector() -> None:
    known = {v["id"] for name in FILES for v in load(name)}

    assert REFUSED.keys() <= known
    assert NOT_OURS.keys() <= set(FILES)
