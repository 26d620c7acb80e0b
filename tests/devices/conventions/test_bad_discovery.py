"""Announcements that cannot be used: refused by path and reason."""

from typing import Any

import pytest

from devices.domain.conventions.refusal import BadDiscovery, CodecError
from tests.devices.conventions.told import announce, lamp


@pytest.mark.parametrize(
    ("component", "config", "where", "why"),
    [
        ("switch", {"stat_t": "s"}, "command_topic", "required"),
        ("switch", {"cmd_t": "a/#"}, "command_topic", "wildcard"),
        ("switch", {"cmd_t": "$SYS/x"}, "command_topic", "broker"),
        ("switch", {"cmd_t": "wb1/d/LT01/cmd"}, "command_topic", "our own devices"),
        ("switch", {"cmd_t": "c", "stat_t": "wb1/#"}, "state_topic", "our own devices"),
        ("switch", {"cmd_t": "c", "stat_t": "#"}, "state_topic", "everything"),
        ("switch", {"cmd_t": "c", "avty_t": "+/x"}, "availability_topic", "everything"),
        ("switch", {"cmd_t": "homeassistant/light/x/config"}, "command_topic", "announce"),
        ("switch", {"cmd_t": "c", "stat_t": "a/b#"}, "state_topic", "wildcard"),
        ("switch", {"cmd_t": "c", "qos": 3}, "qos", "0, 1 or 2"),
        ("switch", {"cmd_t": "c", "val_tpl": "{{ 1"}, "value_template", "template"),
        ("switch", {"cmd_t": "c", "val_tpl": "{% macro x() %}{% endmacro %}"}, "value_template",
         "macro"),
        ("switch", {"cmd_t": "c", "avty": [{"t": "a"}, {}]}, "availability[1].topic", "required"),
        ("switch", {"cmd_t": "c", "avty": [{"t": "a"}], "avty_t": "b"}, "availability",
         "together"),
        ("switch", {"cmd_t": "c", "dev": {}}, "device", "identifiers"),
        ("switch", {"cmd_t": "c", "e": "klingon"}, "encoding", "known"),
        ("number", {"cmd_t": "c", "min": 5, "max": 5}, "max", "greater"),
        ("number", {"cmd_t": "c", "min": "nan"}, "min", "between"),
        ("select", {"cmd_t": "c"}, "options", "required"),
        ("text", {"cmd_t": "c", "pattern": "(a+)+$"}, "pattern", "repetition"),
        ("light", {"cmd_t": "c", "schema": "yaml"}, "schema", "one of"),
        ("light", {"cmd_t": "c", "schema": "json", "supported_color_modes": ["ultraviolet"]},
         "supported_color_modes", "ultraviolet"),
        ("light", {"cmd_t": "c", "schema": "json", "supported_color_modes": ["rgb", "rgb"]},
         "supported_color_modes", "twice"),
        ("light", {"cmd_t": "c", "schema": "template"}, "command_on_template", "required"),
        ("sensor", {"stat_t": "s", "options": ["a"], "dev_cla": "power"}, "options", "enum"),
        ("event", {"stat_t": "s"}, "event_types", "required"),
        ("device", {"dev": {"ids": "a"}, "o": {"name": "x"},
                    "cmps": {"k": {"p": "switch"}, "l": {"p": "light", "name": "L"}}},
         "components.l.command_topic", "required"),
        ("device", {"dev": {"ids": "a"}, "o": {}, "cmps": {}}, "origin.name", "required"),
        ("device", {"dev": {"ids": "a"}, "o": {"name": "x"}, "cmps": {"k": {"p": "warp"}}},
         "components.k.platform", "know"),
    ],
)  # fmt: skip
def test_a_bad_announcement_is_refused_by_path_and_reason(
    component: str, config: dict[str, Any], where: str, why: str
) -> None:
    with pytest.raises(BadDiscovery) as refused:
        announce(component, config)

    assert refused.value.path == where
    assert why in refused.value.why


def test_too_much_is_refused() -> None:
    components = {f"c{n}": {"p": "switch", "cmd_t": "c"} for n in range(201)}
    with pytest.raises(BadDiscovery):
        announce("device", {"dev": {"ids": "a"}, "o": {"name": "x"}, "cmps": components})
    with pytest.raises(CodecError):
        announce("switch", {"cmd_t": "c", "x": "y" * 70_000})
    with pytest.raises(CodecError):
        lamp().hears("k/st", "x" * 70_000)
    with pytest.raises(CodecError):
        lamp().hears("another/topic", "x")
