"""What was noticed: streams, outages, energy, the bridge's own pulse."""

from django.db import models
from django.db.models import F, Q

from base_ops.core.models import Space
from devices.domain.outages import Cause
from devices.models.registry import Device


class StreamSession(models.Model):
    """An encoder on air from `started_at`; open while it says so.

    `lost_at` is set while the device is gone: the stream may run on unseen, so the interlock still
    counts it for a while, but nobody shows the room as on air.
    """

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="+")
    space = models.ForeignKey(Space, on_delete=models.PROTECT, related_name="+")
    booking_code = models.CharField(max_length=32, blank=True)
    started_at = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True, help_text="the encoder's own end")
    lost_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["space", "started_at"], name="stream_space")]
        constraints = [
            models.UniqueConstraint(
                fields=["device"], name="stream_open_once", condition=Q(ended_at=None)
            ),
            models.CheckConstraint(
                name="stream_ends_after_start",
                condition=Q(ended_at=None) | Q(ended_at__gte=F("started_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.device_id} {self.started_at}"


class Outage(models.Model):
    """A device that was out from `began_at`; open while it is. Proof of credits: kept three years.

    `space` is where it stood then.
    """

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="+")
    space = models.ForeignKey(
        Space, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    cause = models.CharField(max_length=8, choices=[(c, c) for c in Cause])
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    evidence = models.JSONField(default=dict, blank=True)

    class Meta:
        indexes = [models.Index(fields=["space", "began_at"], name="outage_space")]
        constraints = [
            models.UniqueConstraint(
                fields=["device", "cause"], name="outage_open_once", condition=Q(ended_at=None)
            ),
            models.CheckConstraint(
                name="outage_ends_after_start",
                condition=Q(ended_at=None) | Q(ended_at__gte=F("began_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.device_id} {self.cause} {self.began_at}"


class EnergyReading(models.Model):
    """A meter's counter, the last of each minute; proof of charges, so it outlives telemetry."""

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="+")
    minute = models.DateTimeField()
    at = models.DateTimeField()
    wh = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["device", "minute"], name="energy_once_a_minute")
        ]

    def __str__(self) -> str:
        return f"{self.device_id} {self.minute} {self.wh:g} Wh"


class BridgeHeartbeat(models.Model):
    """One bridge process: is it connected, and when did it last process a message?"""

    id = models.CharField(primary_key=True, max_length=64)
    connected = models.BooleanField(default=False)
    last_processed_at = models.DateTimeField(null=True, blank=True)
    processed = models.BigIntegerField(default=0)
    refused = models.BigIntegerField(default=0)
    reasons = models.JSONField(
        default=dict, db_default={}, blank=True, help_text="refused, by reason"
    )
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.id
