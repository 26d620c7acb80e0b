"""Reads: what the building shows to those above and outside."""

from devices.selectors.devices import (
    booking_in,
    device_values,
    granted_overrides,
    has_open_command,
    held_since,
    held_space_ids,
    holds_space,
    live_rights,
    rights_of_space,
    scene_progress,
)
from devices.selectors.measured import Measured, TooManyPoints, telemetry
from devices.selectors.registry import registry_settings, waiting_counts
from devices.selectors.rooms import occupied_space_ids, self_test, senses_presence
from devices.selectors.rules import (
    Watched,
    alarm_rules,
    known_codes,
    subject_of,
    watched,
)
from devices.selectors.spaces import (
    SpaceHealth,
    energy_wh,
    on_air_of,
    on_air_space_ids,
    ready_light,
    space_health,
    stream_minutes,
)
from devices.selectors.usage import (
    Energy,
    RoomOutages,
    device_energy,
    live_sessions,
    room_outages,
    space_energy,
)

__all__ = [
    "Energy",
    "Measured",
    "RoomOutages",
    "SpaceHealth",
    "TooManyPoints",
    "Watched",
    "alarm_rules",
    "booking_in",
    "device_energy",
    "device_values",
    "energy_wh",
    "granted_overrides",
    "has_open_command",
    "held_since",
    "held_space_ids",
    "holds_space",
    "known_codes",
    "live_rights",
    "live_sessions",
    "occupied_space_ids",
    "on_air_of",
    "on_air_space_ids",
    "ready_light",
    "registry_settings",
    "rights_of_space",
    "room_outages",
    "scene_progress",
    "self_test",
    "senses_presence",
    "space_energy",
    "space_health",
    "stream_minutes",
    "subject_of",
    "telemetry",
    "waiting_counts",
    "watched",
]
