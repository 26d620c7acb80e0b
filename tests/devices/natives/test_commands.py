"""What brands are told, and how the effect is seen where they do not answer."""

import json
from typing import Any

import pytest

from devices.domain.capabilities import BadState, NotControllable
from devices.domain.conventions.shelly import Shelly
from devices.domain.conventions.tasmota import Tasmota
from tests.devices.natives import networks
from tests.devices.natives.rig import Rig
from tests.devices.natives.samples import SAMPLES, tasmota


def ready(name: str) -> Rig:
    sample = SAMPLES[name]
    rig = Rig(sample.convention)
    for topic, payload in (*sample.announced, *sample.said):
        rig.recv(topic, payload)
    return rig


def told(name: str, state: dict[str, Any], *, rig: Rig | None = None) -> list[tuple[str, str]]:
    rig = rig or ready(name)
    sent = rig.command(state, key=SAMPLES[name].key)
    return [(p.topic, p.payload.decode()) for p in sent]


def faulty(name: str, state: dict[str, Any], *, rig: Rig | None = None) -> list[str]:
    with pytest.raises(BadState) as refused:
        told(name, state, rig=rig)
    return [fault.name for fault in refused.value.fields]


@pytest.mark.parametrize("name", SAMPLES)
def test_off_sends_only_off(name: str) -> None:
    alone = [payload for _, payload in told(name, {"power": False})]
    state = {"power": False, "brightness": 40, "rgb": [0, 0, 255]}
    together = [payload for _, payload in told(name, state)]

    if name == "shelly":  # each carries the id of its command
        alone, together = ([json.loads(p)["params"] for p in sent] for sent in (alone, together))
    assert alone == together
    assert len(alone) == 1


@pytest.mark.parametrize("name", ["tasmota", "zigbee2mqtt", "wled"])
def test_a_lamp_that_is_off_is_not_lit_by_a_wish_that_never_spoke_of_power(name: str) -> None:
    rig = ready(name)
    off = {
        "tasmota": ("stat/tasmota_49A3BC/POWER", "OFF"),
        "zigbee2mqtt": ("zigbee2mqtt/bulb_color", '{"state":"OFF"}'),
        "wled": ("wled/deadbeef/g", "0"),
    }
    rig.recv(*off[name])

    assert faulty(name, {"brightness": 40}, rig=rig) == ["power"]
    assert told(name, {"power": True, "brightness": 40}, rig=rig)


@pytest.mark.parametrize("name", SAMPLES)
def test_black_is_no_colour(name: str) -> None:
    if name == "homie":  # it takes the colour for what it is
        assert told(name, {"rgb": [0, 0, 0]})
        return
    assert faulty(name, {"rgb": [0, 0, 0]}) == ["rgb"]


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("level", [101, -1, float("nan"), "50", True, 10**30])
def test_a_brightness_outside_0_to_100_is_refused_before_it_is_sent(
    name: str, level: object
) -> None:
    assert faulty(name, {"brightness": level}) == ["brightness"]


def test_two_colours_at_once_need_a_mode() -> None:
    both: dict[str, Any] = {"cct": 5000, "rgb": [255, 0, 0]}

    assert faulty("zigbee2mqtt", both) == ["mode"]
    assert told("zigbee2mqtt", both | {"mode": "cct"}) == [
        ("zigbee2mqtt/bulb_color/set", '{"color_temp":200}')
    ]


def test_a_zigbee_lamp_is_told_everything_at_once_in_its_own_units() -> None:
    state = {"power": True, "brightness": 80, "cct": 5600, "mode": "cct", "fade_ms": 1500}

    assert told("zigbee2mqtt", state) == [
        (
            "zigbee2mqtt/bulb_color/set",
            '{"state":"ON","brightness":203,"color_temp":179,"transition":1.5}',
        )
    ]


def test_a_value_in_the_devices_own_steps_is_reported_as_what_was_asked() -> None:
    rig = ready("zigbee2mqtt")
    command = rig.outgoing(
        {"power": True, "cct": 5600, "mode": "cct"}, key=SAMPLES["zigbee2mqtt"].key
    )
    rig.publish(command)
    before = rig.observed(command)
    rig.recv("zigbee2mqtt/bulb_color", '{"state":"ON","color_mode":"color_temp","color_temp":179}')
    after = rig.observed(command)

    assert (before, after) == (False, True)
    assert rig.state(SAMPLES["zigbee2mqtt"].key)["cct"] == 5600  # 179 mireds are 5587 K


def test_a_state_that_overtakes_the_note_of_its_command_is_known_again_afterwards() -> None:
    rig = ready("zigbee2mqtt")
    key = SAMPLES["zigbee2mqtt"].key
    command = rig.outgoing({"cct": 5600, "mode": "cct"}, key=key)
    rig.bindings[key].encode(rig.memories[key], command, rig.now_ms)
    rig.recv("zigbee2mqtt/bulb_color", '{"state":"ON","color_mode":"color_temp","color_temp":179}')
    early = rig.state(key)["cct"]
    heard = rig.bindings[key].sent(rig.memories[key], command, rig.now_ms)

    assert early == 5587
    assert [m.state["cct"] for m in heard.said] == [5600]  # type: ignore[union-attr]


def test_a_log_line_about_our_command_is_its_failure_and_others_are_not() -> None:
    rig = ready("zigbee2mqtt")
    key = SAMPLES["zigbee2mqtt"].key
    command = rig.outgoing({"power": True, "brightness": 40}, key=key)
    rig.publish(command)
    answers = []
    for name, prop in (
        ("bulb_2", "brightness"),
        ("bulb_color", "effect"),
        ("bulb_color", "state"),
    ):
        line = f"z2m: Publish 'set' '{prop}' to '{name}' failed: 'Error: timed out'"
        payload = {"level": "error", "message": line, "namespace": "z2m"}
        rig.recv("zigbee2mqtt/bridge/logging", json.dumps(payload))
        answers.append([(a.command_id, a.st) for a in rig.acks() if a.device == key])

    assert answers == [[], [], [(command.id, "failed")]]


def test_configuration_of_zigbee_gear_is_only_read() -> None:
    assert faulty("zigbee2mqtt", {"power_on_behavior": "on"}) == ["power_on_behavior"]


def test_what_is_never_reported_cannot_be_observed() -> None:
    rig = ready("zigbee2mqtt")
    command = rig.outgoing({"effect": "blink"}, key=SAMPLES["zigbee2mqtt"].key)
    rig.publish(command)

    assert rig.observed(command) is None


def test_a_sensor_takes_no_command() -> None:
    rig = Rig(SAMPLES["zigbee2mqtt"].convention)
    rig.recv("zigbee2mqtt/bridge/devices", networks.devices())

    with pytest.raises(NotControllable):
        rig.command({"power": True}, key=networks.key_of("weather_sensor"))


@pytest.mark.parametrize(
    ("changes", "state", "backlog"),
    [
        ({}, {"power": True}, "NoDelay;Power1 ON"),
        ({}, {"power": True, "brightness": 75}, "NoDelay;Dimmer 75"),
        (
            {"so": {"20": 1}},
            {"power": True, "brightness": 75},
            "NoDelay;Dimmer 75;NoDelay;Power1 ON",
        ),
        ({}, {"power": True, "cct": 5000}, "NoDelay;Power1 ON;NoDelay;CT 200"),
        ({"so": {"82": 1}}, {"power": True, "cct": 5000}, "NoDelay;Power1 ON;NoDelay;CT 200"),
        ({"ty": 1}, {"brightness": 50}, "NoDelay;Dimmer3 50"),
        ({"so": {"68": 1}}, {"brightness": 50}, "NoDelay;Channel1 50"),
        (
            {},
            {"brightness": 100, "fade_ms": 4000},
            "NoDelay;Fade2 1;NoDelay;Speed2 8;NoDelay;Dimmer 100",
        ),
        ({}, {"power": False, "fade_ms": 0}, "NoDelay;Fade2 0;NoDelay;Power1 OFF"),
        ({"state": ["AUS", "AN"]}, {"power": True}, "NoDelay;Power1 AN"),
    ],
)
def test_a_tasmota_light_gets_one_backlog(
    changes: dict[str, Any], state: dict[str, Any], backlog: str
) -> None:
    rig = Rig(Tasmota())
    rig.recv(*tasmota(**changes))

    (message,) = rig.command(state)

    assert (message.topic, message.payload.decode()) == ("cmnd/tasmota_49A3BC/Backlog", backlog)


def test_a_split_tasmota_light_is_two() -> None:
    rig = Rig(Tasmota())
    rig.recv(*tasmota(lk=0, rl=[2, 2]))
    rig.recv(
        "tele/tasmota_49A3BC/STATE", '{"POWER1":"ON","POWER2":"OFF","Dimmer1":30,"Dimmer2":9}'
    )
    sent = rig.command({"light1.brightness": 10, "light2.power": True, "light2.cct": 4000})

    assert rig.state() == {
        "light1.power": True,
        "light1.brightness": 30,
        "light2.power": False,
        "light2.brightness": 9,
        "light2.mode": "cct",
    }
    assert [p.payload.decode() for p in sent] == [
        "NoDelay;Dimmer1 10",
        "NoDelay;Power2 ON;NoDelay;CT 250",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"ft": "wb1/d/lamp-1/%prefix%/"},
        {"ft": "$SYS/%prefix%/%topic%/"},
        {"ft": "%prefix%/#/"},
        {"state": ["OFF", "ON;Reset 1"]},
        {"tp": ["cmnd"]},
        {"t": ""},
        {"rl": [True]},
        {"lt_st": 9},
        {"ver": 2},
    ],
)
def test_a_tasmota_that_leads_us_astray_is_not_bound(changes: dict[str, Any]) -> None:
    rig = Rig(Tasmota())

    rig.recv(*tasmota(**changes))

    assert [refusal.reason for refusal in rig.refused] == ["bad-discovery"]
    assert rig.bindings == {}


def strip(*components: str) -> Rig:
    rig = Rig(Shelly())
    for name in components:
        number = int(name.partition(":")[2])
        rig.recv(f"strip/status/{name}", json.dumps({"id": number, "output": False}))
    rig.recv("strip/online", "true")
    return rig


def answer(request: str, **body: Any) -> tuple[str, str]:
    frame = {"id": request, "src": "strip", "dst": "wb-bridge", **body}
    return "wb-bridge/rpc", json.dumps(frame)


def test_a_command_to_several_components_is_done_when_all_have_answered() -> None:
    rig = strip("switch:0", "switch:1")
    command = rig.outgoing({"switch:0.power": True, "switch:1.power": True})
    requests = [json.loads(p.payload)["id"] for p in rig.publish(command)]
    acks = []
    for request in (requests[0], requests[0], requests[1]):
        rig.recv(*answer(request, result={"was_on": False}))
        acks.append([(a.command_id, a.st) for a in rig.acks()])

    assert acks == [[], [], [(command.id, "done")]]


@pytest.mark.parametrize(
    ("code", "st"), [(-103, "rejected"), (-105, "rejected"), (-108, "failed")]
)
def test_an_error_says_whether_asking_again_is_of_use(code: int, st: str) -> None:
    rig = strip("switch:0")
    command = rig.outgoing({"power": True})
    rig.publish(command)

    rig.recv(*answer(command.id, error={"code": code, "message": "no"}))

    assert [(a.command_id, a.st, a.code) for a in rig.acks()] == [
        (command.id, st, f"shelly{code}")
    ]


def test_answers_of_other_devices_and_to_other_callers_are_not_ours() -> None:
    rig = strip("switch:0")
    command = rig.outgoing({"power": True})
    rig.publish(command)
    for changes in ({"src": "strip2"}, {"dst": "someone"}, {"id": 7}):
        frame = {"id": command.id, "src": "strip", "dst": "wb-bridge", "result": {}} | changes
        rig.recv("wb-bridge/rpc", json.dumps(frame))

        assert rig.acks() == []


def test_an_overload_is_told_once() -> None:
    rig = strip("switch:0")
    status = '{"id":0,"output":false,"errors":["overpower"]}'
    told = []
    for payload in (status, status, '{"id":0,"output":true}', status):
        rig.recv("strip/status/switch:0", payload)
        told.append([event.name for event in rig.events()])

    assert told == [["overload"], [], [], ["overload"]]


def test_a_wled_preset_is_asked_for_alone() -> None:
    assert told("wled", {"preset": 4}) == [("wled/deadbeef/api", '{"ps":4}')]
    assert faulty("wled", {"preset": 4, "power": True}) == ["preset"]


def test_a_homie_property_is_told_by_its_own_topic_in_its_own_format() -> None:
    state = {
        "power": True,
        "brightness": 50,
        "rgb": [0, 255, 0],
        "cct": 4000,
        "light.angle": 1.3,
        "light.flash": True,
    }
    sent = ready("homie").command(state)
    told = {p.topic.split("/")[4]: (p.payload.decode(), p.qos) for p in sent}

    assert told == {
        "power": ("true", 2),
        "brightness": ("127", 2),
        "color": ("hsv,120,100,100", 2),
        "color-temperature": ("250", 2),
        "angle": ("2.5", 2),
        "flash": ("true", 0),  # a moment must not arrive late
    }


def test_a_command_for_another_version_of_the_state_is_refused() -> None:
    rig = ready("wled")
    version = rig.memories["wled/deadbeef"]["v"]

    with pytest.raises(BadState):
        rig.publish(rig.outgoing({"power": False}, if_v=version - 1))
    assert rig.publish(rig.outgoing({"power": False}, if_v=version))
