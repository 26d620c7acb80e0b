"""Where we differ from the oracle on purpose: by vector, why, and by step, what we expect."""

from collections.abc import Mapping
from typing import Any

# The first two and the last but one are faults of the oracle.
REFUSED: Mapping[str, str] = {
    "avail_broker_lost_with_topic": (
        "An online that was said before the line to the broker broke is not believed after it:"
        " the device is there again when its topic says so again."
    ),
    "light_basic_rgb_two_values_oracle_defect": (
        "Two numbers are no RGB colour: refused, the last colour stays, commands go on working."
    ),
    "light_json_min_max_mireds": (
        "A colour temperature beyond the limits that the lamp announced is refused, not sent."
    ),
    "sensor_template_error": (
        "A template that finds no value says nothing: the last value stays, the message is counted"
        " as refused. The oracle shows an empty state."
    ),
}

_SWITCH = {"state": "on", "name": "test", "attributes": {}}
OURS: Mapping[str, Mapping[int, Mapping[str, Any]]] = {
    "avail_broker_lost_with_topic": {
        4: {"entities": {"switch/s1": {**_SWITCH, "available": False}}},
        5: {"entities": {"switch/s1": {**_SWITCH, "available": True}}, "unchanged": False},
    },
    "light_basic_rgb_two_values_oracle_defect": {4: {"command_error": None}},
    "light_json_min_max_mireds": {
        1: {"published": [], "command_error": "above what it announced"},
        2: {"published": [], "command_error": "above what it announced"},
    },
    "sensor_template_error": {3: {"entities": {}, "unchanged": True}},
}
