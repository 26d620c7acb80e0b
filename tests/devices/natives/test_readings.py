"""What devices expose, measure and signal, beyond lamps."""

import json
from typing import Any

import pytest

from devices.domain.conventions.refusal import BadDiscovery
from devices.domain.conventions.shelly import Shelly
from devices.domain.conventions.tasmota import Tasmota
from devices.domain.conventions.wled import Wled
from devices.domain.conventions.zigbee2mqtt import Zigbee2Mqtt
from devices.domain.conventions.zigbee2mqtt.exposes import read
from tests.devices.natives import networks
from tests.devices.natives.networks import binary, enum, light, numeric, switch
from tests.devices.natives.rig import Rig
from tests.devices.natives.samples import tasmota

KEY = "0x01"


def zigbee(*exposes: dict[str, Any]) -> Rig:
    entry = {
        "ieee_address": KEY,
        "friendly_name": "studio a/thing",
        "interview_state": "SUCCESSFUL",
        "definition": {"vendor": "v", "model": "m", "exposes": list(exposes)},
    }
    rig = Rig(Zigbee2Mqtt())
    rig.recv("zigbee2mqtt/bridge/devices", json.dumps([entry]))
    return rig


def thermostat() -> dict[str, Any]:
    return {
        "type": "climate",
        "features": [
            numeric("occupied_heating_setpoint", 7, 5, 30, unit="°C", value_step=0.5),
            numeric("local_temperature", 5, unit="°C"),
            enum("system_mode", 7, "off", "heat", "auto"),
        ],
    }


def test_a_thermostat_speaks_our_words_where_the_meaning_is_ours() -> None:
    rig = zigbee(thermostat())
    rig.recv(
        "zigbee2mqtt/studio a/thing",
        '{"occupied_heating_setpoint":21.5,"local_temperature":20.25,"system_mode":"heat"}',
    )
    (sent,) = rig.command({"setpoint_c": 19, "system_mode": "auto"})

    assert rig.state() == {"setpoint_c": 21.5, "system_mode": "heat"}
    assert rig.metrics() == {"temperature_c": 20.25}
    assert json.loads(sent.payload) == {"occupied_heating_setpoint": 19, "system_mode": "auto"}


def test_a_lock_is_locked_or_not() -> None:
    state = binary("state", 7, "LOCK", "UNLOCK")
    rig = zigbee({"type": "lock", "features": [state]})
    rig.recv("zigbee2mqtt/studio a/thing", '{"state":"UNLOCK"}')
    (sent,) = rig.command({"locked": True})

    assert rig.state() == {"locked": False}
    assert json.loads(sent.payload) == {"state": "LOCK"}


def test_two_lamps_in_one_device_have_names_of_their_own() -> None:
    both = []
    for endpoint in ("rgb", "cct"):
        one = light(color=endpoint == "rgb", mireds=None if endpoint == "rgb" else (158, 495))
        for feature in one["features"]:
            feature["property"] += f"_{endpoint}"
        both.append(one | {"endpoint": endpoint})
    rig = zigbee(*both)
    rig.recv(
        "zigbee2mqtt/studio a/thing",
        '{"state_rgb":"ON","brightness_rgb":254,"color_mode_rgb":"hs",'
        '"color_rgb":{"hue":240,"saturation":100},"state_cct":"OFF"}',
    )
    (sent,) = rig.command({"cct.power": True, "cct.cct": 5000, "rgb.brightness": 10})

    assert rig.state() == {
        "rgb.power": True,
        "rgb.brightness": 100,
        "rgb.mode": "rgb",
        "rgb.rgb": [0, 0, 255],
        "cct.power": False,
    }
    assert json.loads(sent.payload) == {
        "brightness_rgb": 25,
        "state_cct": "ON",
        "color_temp_cct": 200,
    }


def test_a_value_of_the_wrong_kind_is_a_fault_and_the_rest_stands() -> None:
    rig = zigbee(light(), binary("contact", 1, False, True), numeric("battery", 1, unit="%"))
    rig.recv(
        "zigbee2mqtt/studio a/thing",
        '{"state":"ON","brightness":"full","contact":"maybe","battery":[1]}',
    )
    (heard,) = rig.heard

    assert rig.state() == {"power": True}
    assert sorted(fault.where for fault in heard.faults) == ["battery", "brightness", "contact"]


def test_smoke_is_an_event_when_it_begins_and_a_state_while_it_lasts() -> None:
    rig = zigbee(binary("smoke"), enum("action", 1, "test"))
    told = []
    for payload in (
        '{"smoke":false}',
        '{"smoke":true}',
        '{"smoke":true}',
        '{"smoke":true,"action":"test"}',
        '{"smoke":null}',
    ):
        rig.recv("zigbee2mqtt/studio a/thing", payload)
        told.append([event.name for event in rig.events()])

    assert told == [[], ["smoke"], [], ["action"], []]
    assert rig.memories[KEY]["state"] == {}


@pytest.mark.parametrize(
    ("exposes", "path"),
    [
        ("many", "exposes"),
        ([7], "exposes[0]"),
        ([{"type": ["light"]}], "exposes[0].type"),
        ([{"type": "light"}], "exposes[0].features"),
        ([{"type": "light", "features": []}], "exposes[0]"),
        ([switch() | {"endpoint": "a/b"}], "exposes[0].endpoint"),
        ([numeric("brightness", 9)], "exposes[0].access"),
        ([numeric("x/y", 7, 0, 1)], "exposes[0].property"),
        ([enum("mode", 7)], "exposes[0].values"),
        ([numeric("a", 7, 0, 1), numeric("a", 7, 0, 1)], "exposes[1]"),
        ([light(mireds=(500, 150))], "exposes[0].features[2]"),
        (
            [light() | {"features": [*switch()["features"], numeric("brightness", 7, 0, 0.5)]}],
            "exposes[0].features[1]",
        ),
        (
            [light() | {"features": [*switch()["features"], numeric("color_temp", 7, 1e-320, 9)]}],
            "exposes[0].features[1]",
        ),
    ],
)
def test_what_makes_no_sense_is_named_by_its_path(exposes: Any, path: str) -> None:
    with pytest.raises(BadDiscovery) as refused:
        read(exposes)

    assert refused.value.path == path


def test_a_number_without_ends_is_not_settable() -> None:
    exposed = read([numeric("countdown", 7)])

    assert exposed.table == {}


def test_a_network_is_announced_whole_and_what_left_it_is_gone() -> None:
    rig = Rig(Zigbee2Mqtt())
    rig.recv("zigbee2mqtt/bridge/devices", networks.devices())
    before = set(rig.documents)
    rig.recv("zigbee2mqtt/bridge/devices", "[]")

    assert before == {networks.key_of(name) for name in networks.EXPOSES}
    assert rig.documents == {}


def test_a_directory_of_a_large_network_is_read() -> None:
    one = {
        "friendly_name": "n",
        "interview_completed": True,
        "definition": {"vendor": "v", "model": "m", "exposes": networks.EXPOSES["bulb_color"]},
    }
    payload = json.dumps([one | {"ieee_address": f"0x{at:x}"} for at in range(400)]).encode()

    found = Zigbee2Mqtt().discover("zigbee2mqtt/bridge/devices", payload, retained=True)

    assert len(payload) > 256 * 1024
    assert found is not None
    assert len(found.devices) == 400


def test_tasmota_sensors_are_converted_and_told_apart() -> None:
    rig = Rig(Tasmota())
    rig.recv(*tasmota())
    rig.recv(
        "tele/tasmota_49A3BC/SENSOR",
        '{"Time":"2026-03-02T20:00:00","AM2301":{"Temperature":71.6,"Humidity":50.1},'
        '"ENERGY":{"Total":1.5,"Power":[60,1],"Voltage":230,"Factor":"high"},"TempUnit":"F"}',
    )

    assert rig.metrics() == {
        "am2301_temperature_c": 22,
        "am2301_humidity_pct": 50.1,
        "energy_wh": 1500,
        "power_w_1": 60,
        "power_w_2": 1,
        "voltage_v": 230,
    }


def test_a_tasmota_switch_is_a_state_and_a_button_an_event() -> None:
    rig = Rig(Tasmota())
    rig.recv(*tasmota(swc=[15, -1]))
    rig.recv("stat/tasmota_49A3BC/RESULT", '{"Switch1":{"Action":"ON"}}')
    rig.recv("stat/tasmota_49A3BC/RESULT", '{"Button2":{"Action":"SINGLE"}}')

    assert rig.state() == {"switch1": True}
    assert [event.data for event in rig.events()] == [{"button": 2, "action": "SINGLE"}]


def test_the_halves_of_a_tasmota_shutter_are_never_switched_one_by_one() -> None:
    rig = Rig(Tasmota())
    rig.recv(*tasmota(rl=[3, 3, 1, 0]))

    assert set(rig.bindings[rig.key].capabilities) == {"power"}
    assert rig.command({"power": True})[0].topic.endswith("/Power3")


def test_a_shelly_grows_by_what_it_shows_and_its_keys_are_told_apart() -> None:
    rig = Rig(Shelly())
    rig.recv("plug/status/switch:0", '{"id":0,"output":true}')
    alone = dict(rig.state())
    rig.recv("plug/status/switch:1", '{"id":1,"output":false,"apower":3.5}')

    assert alone == {"power": True}
    assert rig.state() == {"switch:1.power": False}
    assert rig.metrics() == {"switch_1_power_w": 3.5}


def test_a_full_notification_shows_all_components_at_once() -> None:
    rig = Rig(Shelly())
    params = {
        "ts": 1.5,
        "sys": {"mac": "A8032ABE54DC"},
        "cct:0": {"id": 0, "output": True, "brightness": 30, "ct": 3000},
        "input:0": {"id": 0, "state": False},
        "wifi": {},
    }
    frame = {"src": "dimmer", "dst": "x", "method": "NotifyFullStatus", "params": params}
    rig.recv("dimmer/events/rpc", json.dumps(frame))

    assert rig.state() == {
        "power": True,
        "brightness": 30,
        "cct": 3000,
        "mode": "cct",
        "input:0": False,
    }


def test_a_first_generation_meter_counts_watt_minutes() -> None:
    rig = Rig(Shelly())
    rig.recv("shellies/shelly1pm-1/relay/0", "on")
    rig.recv("shellies/shelly1pm-1/relay/0/energy", "600")

    assert rig.metrics() == {"energy_wh": 10}


def test_a_strip_with_white_leds_keeps_its_white_when_its_colour_changes() -> None:
    rig = Rig(Wled())
    state = "<vs><ac>255</ac><cl>1</cl><cl>2</cl><cl>3</cl><fx>0</fx><wv>64</wv><ds>x</ds></vs>"
    rig.recv("wled/w/v", state)
    (sent,) = rig.command({"rgb": [9, 8, 7]})

    assert rig.state()["white"] == 25
    assert json.loads(sent.payload) == {"seg": {"col": [[9, 8, 7, 64]]}}
