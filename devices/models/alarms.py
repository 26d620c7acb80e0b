"""Alarms, the rules they come from, and what people say and do about them."""

from django.db import models
from django.db.models import F, Q

from base_ops.core.models import Space
from devices.domain import alarms
from devices.models.registry import Device


class Alarm(models.Model):
    """Something a person should look at, active until `cleared_at`.

    The words are those of the rule when it was raised. `good_since`: all is well again, but it
    came and went so often that it stays until that lasts.
    """

    device = models.ForeignKey(
        Device, on_delete=models.CASCADE, null=True, blank=True, related_name="alarms"
    )
    space = models.ForeignKey(
        Space, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    code = models.CharField(max_length=40)
    rule = models.CharField(max_length=40, blank=True, default="", db_default="")
    severity = models.CharField(max_length=8, choices=[(s, s) for s in alarms.Severity])
    title_zh = models.CharField(max_length=80, blank=True, default="", db_default="")
    title_en = models.CharField(max_length=120, blank=True, default="", db_default="")
    runbook_zh = models.CharField(max_length=400, blank=True, default="", db_default="")
    runbook_en = models.CharField(max_length=600, blank=True, default="", db_default="")
    detail = models.JSONField(default=dict, blank=True)
    raised_at = models.DateTimeField()
    good_since = models.DateTimeField(null=True, blank=True)
    cleared_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.CharField(max_length=160, blank=True)
    notified_at = models.DateTimeField(null=True, blank=True)
    escalated = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="steps of escalation that were told"
    )

    class Meta:
        ordering = ["-raised_at"]
        indexes = [
            models.Index(fields=["raised_at"], name="alarm_open", condition=Q(cleared_at=None)),
            models.Index(fields=["device", "code", "raised_at"], name="alarm_history"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["device", "code"],
                name="alarm_once_per_device",
                condition=Q(cleared_at=None, device__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["space", "code"],
                name="alarm_once_per_space",
                condition=Q(cleared_at=None, device__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.device_id or self.space_id}"

    @property
    def state(self) -> str:
        """One of four: active or cleared, acknowledged or not."""
        life = "active" if self.cleared_at is None else "cleared"
        return f"{life}_{'unacknowledged' if self.acknowledged_at is None else 'acknowledged'}"


class AlarmRules(models.Model):
    """One version of the rules, written once (trigger alarmrules_append_only).

    The newest is in force.
    """

    version = models.PositiveIntegerField(unique=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=160, help_text="as the audit trail names them")
    note = models.CharField(max_length=240, blank=True)
    document = models.JSONField()

    class Meta:
        ordering = ["-version"]
        constraints = [
            models.CheckConstraint(name="alarmrules_version_positive", condition=Q(version__gt=0)),
        ]

    def __str__(self) -> str:
        return f"alarm rules v{self.version}"


class AlarmPending(models.Model):
    """A device whose value is beyond the limit of a rule; gone when it is well again."""

    pk = models.CompositePrimaryKey("device", "rule")
    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="+")
    rule = models.CharField(max_length=40)
    since = models.DateTimeField()
    at = models.DateTimeField()
    raised = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.device_id} {self.rule} since {self.since}"


class AlarmSilence(models.Model):
    """Nobody is told of alarms of a device, or of a space, until an instant; they are kept."""

    device = models.ForeignKey(
        Device, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    space = models.ForeignKey(
        Space, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(max_length=240)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=160)
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                name="silence_of_one_thing",
                condition=Q(device__isnull=True, space__isnull=False)
                | Q(device__isnull=False, space__isnull=True),
            ),
            models.CheckConstraint(
                name="silence_ends_after_start", condition=Q(until__gt=F("created_at"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.device_id or self.space_id} until {self.until}"


class AlarmComment(models.Model):
    """What somebody said about an alarm; never changed."""

    alarm = models.ForeignKey(Alarm, on_delete=models.CASCADE, related_name="comments")
    at = models.DateTimeField()
    by = models.CharField(max_length=160)
    text = models.CharField(max_length=1000)

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.alarm_id} {self.by}"
