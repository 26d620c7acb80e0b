"""Setting the on-air interlock aside: asked by one person, granted by another, soon over."""

from django.db import models
from django.db.models import F, Q

from base_ops.core.models import Space
from devices.models.registry import Device


class OverrideStatus(models.TextChoices):
    """Where a request stands; what was granted is over at `until`."""

    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"
    ENDED = "ended"


class InterlockOverride(models.Model):
    """One person may act on gear on air until an instant, because another said so."""

    space = models.ForeignKey(Space, on_delete=models.PROTECT, related_name="+")
    device = models.ForeignKey(
        Device, on_delete=models.CASCADE, null=True, blank=True, related_name="+",
        help_text="the only device it is for; all of the space without one",
    )  # fmt: skip
    why = models.CharField(max_length=200)
    status = models.CharField(max_length=8, choices=OverrideStatus, default=OverrideStatus.ASKED)
    asked_by = models.CharField(max_length=160)
    asked_by_id = models.CharField(max_length=64)
    asked_at = models.DateTimeField()
    until = models.DateTimeField(help_text="of the request; once granted, of the override")
    decided_by = models.CharField(max_length=160, blank=True)
    decided_by_id = models.CharField(max_length=64, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-asked_at", "-id"]
        indexes = [
            models.Index(
                fields=["space", "until"], name="override_granted", condition=Q(status="granted")
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="override_by_two_people",
                condition=~Q(status="granted")
                | (~Q(decided_by_id="") & ~Q(decided_by_id=F("asked_by_id"))),
            ),
            models.CheckConstraint(
                name="override_ends_after_it_was_asked", condition=Q(until__gt=F("asked_at"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.space_id} {self.status} until {self.until:%H:%M:%S}"
