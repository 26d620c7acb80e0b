"""The periodic work of this app."""

from base_ops.core.jobs import Job
from devices import services
from devices.services import commissioning, quarantine, vault, windows

JOBS: list[Job] = [
    Job("devices.mark_stale", 5, services.mark_stale),
    Job("devices.expire_commands", 2, services.expire_commands),
    Job("devices.wipe_targets", 2, vault.wipe_ended),
    Job("devices.end_lost_streams", 30, services.end_lost_streams),
    Job("devices.light_houses", 10, services.light_houses),
    Job("devices.keep_windows", 5, windows.keep_windows),
    Job("devices.advance_tests", 1, commissioning.advance_tests),
    Job("devices.forget_silent", 3600, quarantine.forget_silent),
    Job("devices.make_partitions", 3600, services.make_partitions),
    Job("devices.drop_partitions", 3600, services.drop_old_partitions),
    Job("devices.alarm_round", 10, services.go_round),
    Job("devices.call", 2, services.call),
    Job("devices.roll_minutes", 60, services.roll_minutes),
    Job("devices.roll_hours", 300, services.roll_hours),
    Job("devices.prune", 3600, services.prune),
]
