"""Which devices there are, and what each last said."""

from django.db import models
from django.db.models import Q

from base_ops.core.models import Space
from devices.domain import shadow as shadows
from devices.domain.shadow import Link


class DeviceModel(models.Model):
    """A make of device; `details` keeps the rest of the base data."""

    code = models.CharField(max_length=32, unique=True)
    kind = models.CharField(max_length=24)
    brand = models.CharField(max_length=80)
    model = models.CharField(max_length=120)
    name_zh = models.CharField(max_length=120)
    planning_power_w = models.PositiveIntegerField(default=0)
    protocols = models.JSONField(default=list, blank=True)
    telemetry = models.JSONField(default=list, blank=True)
    details = models.JSONField(default=dict, blank=True)
    limits = models.JSONField(
        default=dict, db_default={}, blank=True, help_text="see devices/domain/limits.py"
    )
    firmware = models.CharField(
        max_length=64, blank=True, db_default="", help_text="what its devices should run"
    )
    version = models.PositiveIntegerField(default=1, db_default=1)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.code


class DeviceStatus(models.TextChoices):
    """Whether a device takes part; an unknown one waits in quarantine for a technician."""

    QUARANTINE = "quarantine"
    ACTIVE = "active"
    MAINTENANCE = "maintenance"
    RETIRED = "retired"


class Device(models.Model):
    """One thing with a tag, which is its MQTT client id; the room is data."""

    code = models.CharField(max_length=64, unique=True)
    space = models.ForeignKey(
        Space, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    model = models.ForeignKey(
        DeviceModel, on_delete=models.PROTECT, null=True, blank=True, related_name="devices"
    )
    kind = models.CharField(max_length=24)
    role = models.CharField(max_length=40, blank=True)
    status = models.CharField(max_length=16, choices=DeviceStatus, default=DeviceStatus.ACTIVE)
    convention = models.CharField(max_length=24, default="wb1")
    meta = models.JSONField(default=dict, blank=True, help_text="what the device says it is")
    serial = models.CharField(max_length=64, blank=True, db_default="", help_text="as labelled")
    note = models.CharField(max_length=200, blank=True, db_default="")
    first_heard_at = models.DateTimeField(
        null=True, blank=True, help_text="when it came to us as a stranger"
    )
    heard_at = models.DateTimeField(
        null=True, blank=True, help_text="when it last said what it is, while in quarantine"
    )
    orphaned_at = models.DateTimeField(
        null=True, blank=True, help_text="its announcement was withdrawn"
    )
    version = models.PositiveIntegerField(default=1, db_default=1)

    class Meta:
        ordering = ["code"]
        indexes = [
            models.Index(fields=["space", "kind"], name="device_space_kind"),
            models.Index(
                fields=["first_heard_at"],
                name="device_newcomers",
                condition=Q(first_heard_at__isnull=False),
            ),
            models.Index(
                fields=["heard_at"],
                name="device_waiting",
                condition=Q(status=DeviceStatus.QUARANTINE),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="device_placed_when_active",
                condition=~Q(status=DeviceStatus.ACTIVE)
                | Q(space__isnull=False, model__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Shadow(models.Model):
    """Desired and reported state of one device; see devices/domain/shadow.py for who wins."""

    device = models.OneToOneField(
        Device, on_delete=models.CASCADE, primary_key=True, related_name="shadow"
    )
    reported = models.JSONField(default=dict, blank=True)
    desired = models.JSONField(null=True, blank=True)
    session = models.CharField(max_length=64, blank=True)
    session_ts = models.BigIntegerField(default=-1, help_text="youngest ms of this session")
    version = models.BigIntegerField(default=-1)
    link = models.CharField(max_length=8, default=Link.UNKNOWN, choices=[(k, k) for k in Link])
    last_seen_at = models.DateTimeField(null=True, blank=True)
    reported_at = models.DateTimeField(null=True, blank=True)
    uplink_score = models.SmallIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.device_id} {self.link}"

    @property
    def online(self) -> bool:
        """Whether the device was there when we last heard."""
        return self.link == Link.ONLINE

    def seen(self) -> shadows.Shadow:
        """As the pure rules take it."""
        return shadows.Shadow(
            link=Link(self.link),
            session=self.session,
            session_ts=self.session_ts,
            version=self.version,
            reported=self.reported,
            reported_at=self.reported_at,
            last_seen_at=self.last_seen_at,
        )
