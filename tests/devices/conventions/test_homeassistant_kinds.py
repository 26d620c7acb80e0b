"""Each kind of entity by itself: what it makes of messages, what it sends."""

from typing import Any

import pytest

from devices.domain import messages
from devices.domain.capabilities import BadState
from tests.devices.conventions.told import AT, Told, announce

Heard = tuple[str, str]
CASES: tuple[tuple[str, dict[str, Any], list[Heard], dict[str, Any]], ...] = (
    ("light", {"cmd_t": "c", "stat_t": "s", "fx_cmd_t": "f", "fx_stat_t": "f/st",
               "fx_list": ["a"]},
     [("s", "ON"), ("f/st", "a")], {"power": True, "effect": "a"}),
    ("light", {"cmd_t": "c", "clr_temp_cmd_t": "t", "clr_temp_stat_t": "t/st"},
     [("t/st", "250")], {"cct": 4000, "mode": "cct"}),
    ("light", {"cmd_t": "c", "rgb_cmd_t": "r", "rgb_stat_t": "r/st", "whit_cmd_t": "w",
               "white_state_topic": "w/st", "whit_scl": 100, "clrm_stat_t": "m"},
     [("r/st", "1,2,3"), ("w/st", "50"), ("m", "white")], {"white": 50.0, "mode": "white"}),
    ("light", {"cmd_t": "c", "stat_t": "s"}, [("s", "ON"), ("s", "None")], {"power": None}),
    ("light", {"schema": "template", "cmd_t": "c", "cmd_on_tpl": "1", "cmd_off_tpl": "0",
               "stat_t": "s", "stat_tpl": "{{ value_json.s }}", "clr_temp_tpl":
               "{{ value_json.t }}", "fx_tpl": "{{ value_json.e }}", "fx_list": ["x"]},
     [("s", '{"s":"on","t":250,"e":"x"}'), ("s", '{"s":"??","t":250,"e":"y"}')],
     {"power": True, "cct": 4000, "effect": "x"}),
    ("light", {"schema": "json", "cmd_t": "c", "stat_t": "s", "supported_color_modes": ["rgbww"]},
     [("s", '{"color_mode":"rgbww","color":{"r":0,"g":0,"b":0,"c":255,"w":0}}')],
     {"rgb": [255, 255, 255], "mode": "rgb"}),
    ("sensor", {"stat_t": "s", "dev_cla": "enum", "ops": ["a", "b"]},
     [("s", "a"), ("s", "c")], {"x": "a"}),
    ("sensor", {"stat_t": "s", "dev_cla": "timestamp"},
     [("s", "2026-05-01T10:00:00+08:00"), ("s", "soon")], {"x": "2026-05-01T10:00:00+08:00"}),
    ("sensor", {"stat_t": "s", "dev_cla": "date"}, [("s", "2026-05-01"), ("s", "May")],
     {"x": "2026-05-01"}),
    ("sensor", {"stat_t": "s", "stat_cla": "total", "unit_of_meas": "L",
                "val_tpl": "{{ value_json.v }}", "lrst_val_tpl": "{{ value_json.r }}"},
     [("s", '{"v":7,"r":"2026-05-01T00:00:00+08:00"}'), ("s", '{"v":8,"r":"then"}')],
     {"x": 8, "x.last_reset": "2026-05-01T00:00:00+08:00"}),
    ("sensor", {"stat_t": "rooms/+/t", "unit_of_meas": "°C"},
     [("rooms/a/t", "20"), ("rooms/b/t", "21")], {"x": 21}),
    ("sensor", {"stat_t": "rooms/#"}, [("rooms/a/b/c", "deep")], {"x": "deep"}),
    ("sensor", {"stat_t": "s"}, [("s", "fine"), ("s", "x" * 300)], {"x": "fine"}),
    ("sensor", {"stat_t": "s", "unit_of_meas": "V"},
     [("s", "9" * 70), ("s", "-2.50")], {"x": -2.5}),
    ("select", {"cmd_t": "c", "stat_t": "s", "options": ["a"]},
     [("s", "a"), ("s", "None"), ("s", "z")], {"x": None}),
    ("number", {"cmd_t": "c", "stat_t": "s"}, [("s", "5"), ("s", "None")], {"x": None}),
    ("text", {"cmd_t": "c", "stat_t": "s"}, [("s", "hi"), ("s", "None")], {"x": None}),
    ("text", {"cmd_t": "c", "stat_t": "s", "mode": "password"}, [("s", "secret")], {}),
    ("update", {"stat_t": "s", "l_ver_t": "l"}, [("s", "1.0"), ("l", "1.1")],
     {"x": True, "x.installed": "1.0", "x.latest": "1.1", "x.in_progress": False}),
    ("siren", {"cmd_t": "c", "stat_t": "s"}, [("s", '{"state":"ON"}')], {"x": True}),
    ("siren", {"cmd_t": "c", "stat_t": "s"}, [("s", "OFF"), ("s", "LOUD")], {"x": False}),
    ("fan", {"cmd_t": "c", "stat_t": "s", "pr_mode_cmd_t": "p", "pr_mode_stat_t": "p/st",
             "pr_modes": ["auto"]},
     [("s", "ON"), ("p/st", "auto"), ("p/st", "storm")], {"x": True, "x.preset": "auto"}),
    ("lock", {"cmd_t": "c", "stat_t": "s"}, [("s", "LOCKED"), ("s", "JAMMED")], {"x": None}),
    ("cover", {"cmd_t": "c", "stat_t": "s", "tilt_status_t": "t", "tilt_cmd_t": "t/set"},
     [("s", "closing"), ("t", "25"), ("t", "askew")], {"x": "closing", "x.tilt": 25.0}),
    ("climate", {"temp_cmd_t": "t/set", "temp_stat_t": "t", "temp_unit": "F", "min_temp": 60,
                 "max_temp": 86, "act_t": "a", "pow_cmd_t": "p"},
     [("t", "68"), ("a", "heating"), ("a", "melting")], {"setpoint_c": 20.0, "action": "heating"}),
)  # fmt: skip


@pytest.mark.parametrize(("component", "config", "heard", "state"), CASES)
def test_what_it_says_is_what_we_report(
    component: str, config: dict[str, Any], heard: list[Heard], state: dict[str, Any]
) -> None:
    it = Told(announce(component, config))

    for topic, payload in heard:
        it.hears(topic, payload)

    told = {(k or "x"): v for k, v in (it.memory["told"] or {}).items()}
    renamed = {k.replace(f"{component}_x", "x").replace("locked", "x"): v for k, v in told.items()}
    assert {key: renamed.get(key) for key in state} == state
    assert state or not renamed


@pytest.mark.parametrize(
    ("component", "config", "wish", "sent"),
    [
        ("light", {"cmd_t": "c", "fx_cmd_t": "f", "fx_list": ["a"]}, {"effect": "a"},
         [("f", "a"), ("c", "ON")]),
        ("light", {"cmd_t": "c", "clr_temp_cmd_t": "t"}, {"cct": 4000},
         [("t", "250"), ("c", "ON")]),
        ("light", {"cmd_t": "c", "rgb_cmd_t": "r", "whit_cmd_t": "w"}, {"white": 50},
         [("w", "128"), ("c", "ON")]),
        ("light", {"cmd_t": "c", "bri_cmd_t": "b", "bri_cmd_tpl": "L{{ value }}"},
         {"brightness": 20}, [("b", "L51"), ("c", "ON")]),
        ("light", {"cmd_t": "c", "rgbw_cmd_t": "r"}, {"rgb": [255, 255, 255]},
         [("r", "0,0,0,255"), ("c", "ON")]),
        ("light", {"schema": "json", "cmd_t": "c", "supported_color_modes": ["hs"]},
         {"rgb": [0, 255, 0]}, [("c", '{"state":"ON","color":{"h":120.0,"s":100.0}}')]),
        ("light", {"schema": "template", "cmd_t": "c", "cmd_off_tpl": "0", "clr_temp_tpl": "1",
                   "cmd_on_tpl": "{{ color_temp }} {{ transition }} {{ flash }}"},
         {"power": True, "cct": 4000, "fade_ms": 500, "flash": "long"}, [("c", "250 0.5 long")]),
        ("siren", {"cmd_t": "c", "av_tones": ["a"]}, {"x": True, "x.tone": "a"},
         [("c", '{"state":"ON","tone":"a"}')]),
        ("climate", {"temp_cmd_t": "t", "temp_unit": "F", "min_temp": 60, "max_temp": 86,
                     "pow_cmd_t": "p"}, {"power": True, "setpoint_c": 20},
         [("p", "ON"), ("t", "68")]),
        ("fan", {"cmd_t": "c", "pr_mode_cmd_t": "p", "pr_modes": ["auto"]},
         {"x.preset": "auto"}, [("p", "auto")]),
        ("cover", {"tilt_cmd_t": "t", "tilt_cmd_tpl": "T{{ tilt_position }}"}, {"x.tilt": 30},
         [("t", "T30")]),
        ("number", {"cmd_t": "c", "step": 0.5}, {"x": 1.5}, [("c", "1.5")]),
    ],
)  # fmt: skip
def test_what_it_is_told_is_sent_in_its_words(
    component: str, config: dict[str, Any], wish: dict[str, Any], sent: list[Heard]
) -> None:
    it = Told(announce(component, config))

    assert it.told(**wish) == sent


def test_what_needs_more_than_was_given_is_refused() -> None:
    baked = Told(announce("light", {"cmd_t": "c", "rgb_cmd_t": "r"}))
    with pytest.raises(BadState):
        baked.told(brightness=50)  # of which colour?
    broken = Told(announce("switch", {"cmd_t": "c", "cmd_tpl": "{{ value.nothing.there }}"}))
    with pytest.raises(BadState):
        broken.told(power=True)
    only_off = Told(announce("climate", {"mode_cmd_t": "m", "modes": ["off"]}))
    with pytest.raises(BadState):
        only_off.told(power=True)


def test_bytes_in_another_encoding_are_refused_and_in_its_own_are_read() -> None:
    it = Told(announce("sensor", {"stat_t": "s", "e": "gbk"}))

    good = it.binding.heard(it.memory, "s", "开播".encode("gbk"), retained=False, now_ms=AT)
    bad = it.binding.heard(it.memory, "s", b"\xff\xff", retained=False, now_ms=AT)

    assert [m.state for m in good.said if isinstance(m, messages.State)] == [{"x": "开播"}]
    assert [f.reason for f in bad.faults] == ["bad-value"]
