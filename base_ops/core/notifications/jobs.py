"""The periodic work of notifications."""

from base_ops.core.jobs import Job
from base_ops.core.notifications.fanning import fan_out

JOBS = [
    Job("notifications.fan_out", 0.5, fan_out),
]
