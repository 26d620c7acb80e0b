"""Deeds: what changes the building, one transaction each."""

from devices.services.alarm_rules import (
    edit_alarm_rule,
    ensure_alarm_rules,
    publish_alarm_rules,
)
from devices.services.alarming import (
    clear_space_alarm,
    clear_space_alarms_but,
    raise_space_alarm,
)
from devices.services.answering import (
    acknowledge_alarm,
    comment_alarm,
    end_silence,
    silence,
)
from devices.services.calling import call
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
from devices.services.rounds import go_round

__all__ = [
    "COMMANDS_CHANNEL",
    "Ingested",
    "acknowledge_alarm",
    "apply_scene",
    "bridge_beat",
    "call",
    "claim_commands",
    "clear_space_alarm",
    "clear_space_alarms_but",
    "command_acked",
    "commands_published",
    "comment_alarm",
    "drop_old_partitions",
    "edit_alarm_rule",
    "end_lost_streams",
    "end_silence",
    "ensure_alarm_rules",
    "expire_commands",
    "extend_grant",
    "go_round",
    "grant_control",
    "ingest",
    "light_houses",
    "make_partitions",
    "mark_stale",
    "prune",
    "publish_alarm_rules",
    "raise_space_alarm",
    "revoke_control",
    "roll_hours",
    "roll_minutes",
    "send_command",
    "silence",
]
