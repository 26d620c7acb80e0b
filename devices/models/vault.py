"""Where tenants stream to: address and key, sealed; gone with the right they serve."""

from django.db import models

from devices.models.control import Grant


class StreamTarget(models.Model):
    """One sealed address and key of a booking; deleted at the end of its right, never read out."""

    grant = models.OneToOneField(Grant, on_delete=models.CASCADE, related_name="stream_target")
    sealed = models.TextField(help_text="JSON of address and key, AES-256-GCM")
    set_by = models.CharField(max_length=160)
    set_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.ref

    @property
    def ref(self) -> str:
        """Its name on MQTT; `grant` should be loaded."""
        return f"booking:{self.grant.booking_code}"
