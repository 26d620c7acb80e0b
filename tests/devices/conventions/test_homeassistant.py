"""Devices of Home Assistant discovery, from the first word to the effect of a command."""

from datetime import UTC, datetime

import pytest

from devices.domain import messages
from devices.domain import shadow as shadows
from devices.domain.capabilities import BadState, NotControllable
from devices.domain.conventions.convention import Heard
from devices.domain.conventions.known import CONVENTIONS
from devices.domain.shadow import Link, Shadow
from tests.devices.conventions.told import AT, LAMP, Told, announce, lamp, order


def test_it_is_known_by_name() -> None:
    assert CONVENTIONS["homeassistant"].name == "homeassistant"


def test_a_lamp_comes_reports_is_told_obeys_and_goes() -> None:
    it = lamp()

    assert list(it.hears("k/st", '{"state":"ON"}').said) == []  # nobody said yet that it is there
    came = it.hears("k/lwt", "online").said
    assert [type(m) for m in came] == [messages.Status, messages.State]
    assert it.told(brightness=50, fade_ms=1500) == [
        ("k/set", '{"state":"ON","transition":1.5,"brightness":127}')
    ]
    assert it.follows(brightness=50) is False
    state = it.state(
        "k/st", '{"state":"ON","color_mode":"color_temp","color_temp":250,"brightness":127}'
    )
    assert state == {
        "power": True, "brightness": 50.0, "cct": 4000, "rgb": None, "mode": "cct", "effect": None
    }  # fmt: skip
    assert it.follows(brightness=50, fade_ms=1500) is True
    went = it.hears("k/lwt", "offline").said
    assert list(went) == [messages.Status("L1", False, came[0].session, AT)]  # type: ignore[union-attr]


def test_what_a_lamp_says_drives_the_shadow_of_our_own_devices() -> None:
    it, now = lamp(), datetime.fromtimestamp(AT / 1000, UTC)
    shadow = Shadow()

    def fold(heard: Heard) -> None:
        nonlocal shadow
        for message in heard.said:
            shadow = shadows.merge(shadow, message, now=now)

    fold(it.hears("k/lwt", "online", retained=True))
    fold(it.hears("k/st", '{"state":"ON"}'))
    assert (shadow.link, shadow.reported and shadow.reported["power"]) == (Link.ONLINE, True)
    fold(it.hears("k/lwt", "offline"))
    assert shadow.link is Link.OFFLINE
    it.now_ms += 1000
    fold(it.hears("k/lwt", "online"))
    fold(it.hears("k/st", '{"state":"OFF"}'))
    assert (shadow.link, shadow.reported and shadow.reported["power"]) == (Link.ONLINE, False)
    before = shadow.version
    fold(it.hears("k/st", '{"state":"OFF"}'))
    assert shadow.version == before


def test_each_coming_online_begins_a_session_and_a_lost_memory_repeats_none() -> None:
    it = lamp()
    sessions = []
    for second in range(3):
        it.now_ms = AT + second * 1000
        sessions.append(it.hears("k/lwt", "online").said[0].session)  # type: ignore[union-attr]
        it.hears("k/lwt", "offline")
    again = lamp()
    again.now_ms = AT + 5000
    sessions.append(again.hears("k/lwt", "online").said[0].session)  # type: ignore[union-attr]

    assert len(set(sessions)) == 4


def test_after_a_broken_line_an_old_online_is_not_believed() -> None:
    it = lamp()
    it.hears("k/lwt", "online")
    assert it.binding.vouched(it.memory, AT) is not None

    it.memory = it.binding.lost(it.memory, AT).memory

    assert it.binding.vouched(it.memory, AT) is None
    assert not it.binding.views(it.memory, AT)[0].available
    assert list(it.hears("k/st", '{"state":"ON"}').said) == []
    assert isinstance(it.hears("k/lwt", "online").said[0], messages.Status)


def test_the_memory_outlives_a_new_announcement() -> None:
    it = lamp()
    it.hears("k/lwt", "online")
    it.hears("k/st", '{"state":"ON","brightness":254}')
    sensor = {
        "name": "T",
        "uniq_id": "t1",
        "stat_t": "k/t",
        "unit_of_meas": "°C",
        "avty_t": "k/lwt",
    }

    more = Told(announce("light", LAMP), announce("sensor", sensor, "temp"))
    more.memory = more.binding.resume(it.memory, AT)

    assert more.state("k/t", "41.5")["temp"] == 41.5
    assert more.state("k/t", "41.5")["brightness"] == 100.0


def test_measurements_are_telemetry_in_our_units() -> None:
    it = Told(
        announce("sensor", {"stat_t": "m", "dev_cla": "power", "unit_of_meas": "kW",
                            "val_tpl": "{{ value_json.p }}"}, "p"),
        announce("sensor", {"stat_t": "m", "dev_cla": "energy", "unit_of_meas": "kWh",
                            "stat_cla": "total_increasing", "val_tpl": "{{ value_json.e }}"}, "e"),
    )  # fmt: skip

    heard = it.hears("m", '{"p":1.2,"e":3}')
    kept = it.hears("m", '{"p":1.2,"e":3}', retained=True)

    tele = [m for m in heard.said if isinstance(m, messages.Tele)]
    assert [dict(m.metrics) for m in tele] == [{"power_w": 1200.0, "energy_wh": 3000.0}]
    assert not any(isinstance(m, messages.Tele) for m in kept.said)


def test_one_bad_value_does_not_spoil_the_rest_of_a_message() -> None:
    it = Told(
        announce("sensor", {"stat_t": "m", "stat_cla": "measurement",
                            "val_tpl": "{{ value_json.a }}"}, "a"),
        announce("sensor", {"stat_t": "m", "val_tpl": "{{ value_json.b }}"}, "b"),
    )  # fmt: skip

    heard = it.hears("m", '{"a":"hot","b":"fine"}')

    assert [(f.reason, f.where) for f in heard.faults] == [("bad-value", "sensor/#a")]
    assert heard.said[-1].state == {"a": None, "b": "fine"}  # type: ignore[union-attr]


def test_smoke_raises_the_event_that_raises_our_alarm() -> None:
    it = Told(announce("binary_sensor", {"stat_t": "s", "dev_cla": "smoke"}))

    names = [m.name for m in it.hears("s", "ON").said if isinstance(m, messages.Event)]
    again = [m.name for m in it.hears("s", "ON").said if isinstance(m, messages.Event)]

    assert (names, again) == (["smoke"], [])


def test_a_basic_lamp_bakes_brightness_into_colour_where_it_has_no_other_way() -> None:
    it = Told(announce("light", {"cmd_t": "c", "stat_t": "s", "rgb_cmd_t": "rgb",
                                 "rgb_stat_t": "rgb/st", "on_cmd_type": "first"}))  # fmt: skip

    assert it.told(rgb=[200, 100, 0], brightness=50) == [("c", "ON"), ("rgb", "100,50,0")]
    it.hears("s", "ON")
    assert it.state("rgb/st", "100,50,0") == {
        "power": True, "brightness": 39.22, "rgb": [255, 128, 0], "mode": "rgb"
    }  # fmt: skip
    assert it.told(brightness=100) == [("c", "ON"), ("rgb", "255,128,0")]


@pytest.mark.parametrize(
    ("mode", "told", "heard"),
    [
        ("hs", "30.118,100.0", "30,100"),
        ("xy", "0.611,0.375", "0.611,0.375"),
        ("rgb", "255,128,0", "255,128,0"),
        ("rgbw", "255,128,0,0", "255,128,0,0"),
        ("rgbww", "255,128,0,0,0", "255,128,0,0,0"),
    ],
)
def test_a_colour_goes_through_each_notation_and_back(mode: str, told: str, heard: str) -> None:
    topics = {f"{mode}_command_topic": "col", f"{mode}_state_topic": "col/st"}
    it = Told(announce("light", {"cmd_t": "c", "stat_t": "s", "bri_cmd_t": "b", **topics}))

    assert it.told(rgb=[255, 128, 0]) == [("col", told), ("c", "ON")]
    it.hears("s", "ON")
    reported = it.state("col/st", heard)["rgb"]
    assert reported == pytest.approx([255, 128, 0], abs=8)
    assert it.follows(rgb=[255, 128, 0]) is True
    assert it.follows(rgb=[0, 128, 255]) is False


def test_kelvin_is_spoken_where_the_lamp_speaks_it() -> None:
    it = Told(announce("light", {"schema": "json", "cmd_t": "c", "stat_t": "s",
                                 "supported_color_modes": ["color_temp"],
                                 "clr_temp_k": True, "min_kelvin": 2700,
                                 "max_kelvin": 6500}))  # fmt: skip

    assert it.told(cct=4321) == [("c", '{"state":"ON","color_temp":4321}')]
    assert (
        it.state("s", '{"state":"ON","color_mode":"color_temp","color_temp":4321}')["cct"] == 4321
    )
    with pytest.raises(BadState):
        it.told(cct=2600)


def test_a_lamp_of_templates_is_told_in_its_own_words() -> None:
    it = Told(announce("light", {
        "schema": "template", "cmd_t": "c", "stat_t": "s",
        "cmd_on_tpl": "on{% if brightness is defined %},{{ brightness }}{% endif %}"
                      "{% if red is defined %},{{ red }}-{{ green }}-{{ blue }}{% endif %}",
        "cmd_off_tpl": "off", "stat_tpl": "{{ value.split(',')[0] }}",
        "bri_tpl": "{{ value.split(',')[1] }}",
        "r_tpl": "{{ value.split(',')[2].split('-')[0] }}",
        "g_tpl": "{{ value.split(',')[2].split('-')[1] }}",
        "b_tpl": "{{ value.split(',')[2].split('-')[2] }}",
    }))  # fmt: skip

    assert it.told(power=True, brightness=100, rgb=[1, 2, 3]) == [("c", "on,255,1-2-3")]
    assert it.told(power=False) == [("c", "off")]
    assert it.state("s", "on,51,255-128-0") == {
        "power": True, "brightness": 20.0, "rgb": [255, 128, 0], "mode": "rgb"
    }  # fmt: skip


def test_a_lamp_that_is_off_is_lit_only_when_that_was_asked() -> None:
    it = lamp()
    it.hears("k/lwt", "online")
    it.hears("k/st", '{"state":"OFF"}')

    with pytest.raises(BadState):
        it.told(brightness=50)
    with pytest.raises(BadState):
        it.told(power=True, rgb=[0, 0, 0])
    with pytest.raises(BadState):
        it.told(power=True, rgb=[1, 2, 3], cct=4000)
    assert it.told(brightness=0) == [("k/set", '{"state":"OFF"}')]
    assert it.follows(brightness=0) is True
    assert it.told(power=False, brightness=50, fade_ms=500) == [
        ("k/set", '{"state":"OFF","transition":0.5}')
    ]
    assert it.told(power=True, mode="cct", cct=4000, rgb=[1, 2, 3]) == [
        ("k/set", '{"state":"ON","color_temp":250}')
    ]


def test_a_lamp_with_one_mode_need_not_name_it() -> None:
    it = Told(announce("light", {**LAMP, "avty_t": None, "supported_color_modes": ["xy"]}))

    state = it.state("k/st", '{"state":"ON","color":{"x":0.136,"y":0.04}}')

    assert (state["mode"], state["rgb"][2]) == ("rgb", 255)


def test_climate_takes_our_keys() -> None:
    it = Told(announce("climate", {
        "modes": ["off", "cool", "heat"], "mode_cmd_t": "m/set", "mode_stat_t": "m",
        "temp_cmd_t": "t/set", "temp_stat_t": "t", "curr_temp_t": "now", "min_temp": 16,
        "max_temp": 30, "fan_mode_cmd_t": "f/set", "fan_mode_stat_t": "f",
        "fan_modes": ["low", "high"],
    }))  # fmt: skip

    assert it.told(power=True, setpoint_c=22.5, fan="low") == [
        ("m/set", "cool"), ("f/set", "low"), ("t/set", "22.5")
    ]  # fmt: skip
    it.hears("m", "heat")
    it.hears("t", "22.5")
    state = it.state("now", "19.5")
    assert (state["power"], state["mode"], state["setpoint_c"]) == (True, "heat", 22.5)
    assert state["temperature_c"] == 19.5
    assert it.told(power=False) == [("m/set", "off")]
    assert it.follows(power=False) is False
    it.hears("m", "off")
    assert it.follows(power=False) is True
    with pytest.raises(BadState):
        it.told(setpoint_c=35)


def test_covers_fans_and_locks_are_moved_and_watched() -> None:
    blind = Told(announce("cover", {"cmd_t": "c", "stat_t": "s", "set_pos_t": "p/set",
                                    "pos_t": "p", "pos_open": 0, "pos_clsd": 255},
                          "blind"))  # fmt: skip
    fan = Told(announce("fan", {"cmd_t": "c", "stat_t": "s", "pct_cmd_t": "p/set",
                                "pct_stat_t": "p", "spd_rng_max": 3}, "fan"))  # fmt: skip
    door = Told(announce("lock", {"cmd_t": "c", "stat_t": "s"}))

    assert blind.told(blind__move="stop", blind__position=100) == [("c", "STOP"), ("p/set", "0")]
    assert blind.state("p", "255") == {"blind": "closed", "blind.position": 0.0}
    assert fan.told(fan_fan__percent=5) == [("p/set", "1")]
    assert blind.state("s", "opening")["blind"] == "opening"
    assert fan.told(fan_fan=True, fan_fan__percent=66.7) == [("c", "ON"), ("p/set", "2")]
    assert fan.state("p", "3")["fan_fan.percent"] == 100.0
    assert door.told(x=True) == [("c", "LOCK")]
    assert door.state("s", "UNLOCKED") == {"x": False}


def test_gear_that_reports_nothing_is_never_said_to_have_obeyed() -> None:
    it = Told(announce("switch", {"cmd_t": "c", "name": "Fog"}))

    assert it.told(power=True) == [("c", "ON")]

    assert it.follows(power=True) is None
    (view,) = it.binding.views(it.memory, AT)
    assert (view.assumed, view.parts) == (True, {"": True})


def test_a_command_for_an_older_state_is_refused() -> None:
    it = lamp()
    it.hears("k/lwt", "online")

    it.binding.encode(it.memory, order({"power": True}, if_v=1), AT)
    with pytest.raises(BadState):
        it.binding.encode(it.memory, order({"power": True}, if_v=0), AT)


def test_a_sensor_takes_no_commands() -> None:
    it = Told(announce("sensor", {"stat_t": "s"}))

    with pytest.raises(NotControllable):
        it.told(power=True)


@pytest.mark.parametrize(
    ("mode", "said", "there"),
    [
        ("all", ["a1", "b1"], True),
        ("all", ["a1"], False),
        ("all", ["a1", "b1", "a0"], False),
        ("any", ["a1", "b0"], True),
        ("any", ["a0", "b0"], False),
        ("latest", ["a1", "b0"], False),
        ("latest", ["b0", "a1"], True),
        ("latest", ["a1", "b0", "a1"], True),
        ("latest", [], False),
    ],
)
def test_availability_is_all_any_or_the_latest(mode: str, said: list[str], there: bool) -> None:
    sources = [{"t": t, "pl_avail": "1", "pl_not_avail": "0"} for t in ("a", "b")]
    it = Told(announce("switch", {"cmd_t": "c", "avty": sources, "avty_mode": mode}))

    for word in said:
        it.hears(word[0], word[1])

    assert it.binding.views(it.memory, AT)[0].available is there


def test_moving_to_device_discovery_keeps_what_was_announced() -> None:
    found = announce("light", {"migrate_discovery": True})

    assert (found.moving, found.devices) == (True, ())


def test_announced_twice_counts_once() -> None:
    single = announce("light", {**LAMP, "dev": {"ids": "d1"}})
    whole = announce("device", {"dev": {"ids": "d1"}, "o": {"name": "n"},
                                "cmps": {"key": {"p": "light", **LAMP}}})  # fmt: skip

    it = Told(single, whole)

    assert single.devices[0].key == whole.devices[0].key
    assert len(it.binding.views(it.memory, AT)) == 1
