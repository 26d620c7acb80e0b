"""The periodic work of notifications."""

from base_ops.core.jobs import Job
from base_ops.core.notifications.courier import deliver
from base_ops.core.notifications.fanning import fan_out
from base_ops.core.notifications.keeping import forget_old

JOBS = [
    Job("notifications.fan_out", 0.5, fan_out),
    Job("notifications.deliver", 1, deliver),
    Job("notifications.forget", 3600, forget_old),
]
