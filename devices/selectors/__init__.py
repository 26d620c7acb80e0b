"""Reads: what the building shows to those above and outside."""

from devices.selectors.devices import (
    booking_in,
    device_values,
    has_open_command,
    held_since,
    held_space_ids,
    holds_space,
    live_rights,
    rights_of_space,
    scene_progress,
)
from devices.selectors.measured import Measured, TooManyPoints, telemetry
from devices.selectors.rooms import occupied_space_ids, self_test, senses_presence
from devices.selectors.spaces import (
    SpaceHealth,
    energy_wh,
    on_air_of,
    on_air_space_ids,
    ready_light,
    space_health,
    stream_minutes,
)

__all__ = [
    "Measured",
    "SpaceHealth",
    "TooManyPoints",
    "booking_in",
    "device_values",
    "energy_wh",
    "has_open_command",
    "held_since",
    "held_space_ids",
    "holds_space",
    "live_rights",
    "occupied_space_ids",
    "on_air_of",
    "on_air_space_ids",
    "ready_light",
    "rights_of_space",
    "scene_progress",
    "self_test",
    "senses_presence",
    "space_health",
    "stream_minutes",
    "telemetry",
]
