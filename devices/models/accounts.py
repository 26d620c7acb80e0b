"""Who may connect to the broker."""

from django.db import models
from django.db.models import Q

from devices.domain.accounts import Kind
from devices.models.registry import Device


class BrokerAccount(models.Model):
    """One name and the hash of its password; a device's account bears the device's code."""

    name = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=8, choices=[(k, k) for k in Kind])
    device = models.OneToOneField(
        Device, on_delete=models.CASCADE, null=True, blank=True, related_name="broker_account"
    )
    password_hash = models.CharField(max_length=200)
    writes = models.JSONField(default=list, blank=True)
    reads = models.JSONField(default=list, blank=True)
    changed_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                name="broker_account_device_iff_device",
                condition=Q(kind=Kind.DEVICE, device__isnull=False)
                | (~Q(kind=Kind.DEVICE) & Q(device__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return self.name
