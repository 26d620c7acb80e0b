"""Deeds: what changes the building, one transaction each."""

from devices.services.alarming import (
    acknowledge_alarm,
    clear_space_alarm,
    clear_space_alarms_but,
    raise_space_alarm,
)
from devices.services.granting import extend_grant, grant_control, revoke_control
from devices.services.housing import light_houses
from devices.services.ingest import Ingested, ingest
from devices.services.keeping import (
    drop_old_partitions,
    end_lost_streams,
    expire_commands,
    make_partitions,
    mark_stale,
    prune,
)
from devices.services.outbox import (
    COMMANDS_CHANNEL,
    claim_commands,
    command_acked,
    commands_published,
)
from devices.services.pulse import bridge_beat
from devices.services.queueing import apply_scene, send_command
from devices.services.rolling import roll_hours, roll_minutes

__all__ = [
    "COMMANDS_CHANNEL",
    "Ingested",
    "acknowledge_alarm",
    "apply_scene",
    "bridge_beat",
    "claim_commands",
    "clear_space_alarm",
    "clear_space_alarms_but",
    "command_acked",
    "commands_published",
    "drop_old_partitions",
    "end_lost_streams",
    "expire_commands",
    "extend_grant",
    "grant_control",
    "ingest",
    "light_houses",
    "make_partitions",
    "mark_stale",
    "prune",
    "raise_space_alarm",
    "revoke_control",
    "roll_hours",
    "roll_minutes",
    "send_command",
]
