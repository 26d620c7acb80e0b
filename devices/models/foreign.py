"""Devices of foreign conventions: what they announced, and what their binding remembers."""

from django.db import models

from devices.models.registry import Device


class Foreign(models.Model):
    """The part of a device that only its convention understands."""

    device = models.OneToOneField(
        Device, on_delete=models.CASCADE, primary_key=True, related_name="foreign"
    )
    convention = models.CharField(max_length=24)
    key = models.CharField(max_length=200, help_text="its lasting name within the convention")
    able = models.JSONField(
        default=dict, blank=True, help_text="what it can be told; see devices/domain/limits.py"
    )
    fault = models.CharField(max_length=300, blank=True, help_text="why it cannot be bound")
    memory = models.JSONField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["convention", "key"], name="foreign_key_once"),
        ]

    def __str__(self) -> str:
        return f"{self.convention} {self.key}"


class ForeignDocument(models.Model):
    """What one topic announced about a device; kept when it is withdrawn, for those in service."""

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="documents")
    convention = models.CharField(max_length=24)
    topic = models.CharField(max_length=512)
    document = models.JSONField()
    about = models.JSONField(default=dict)
    gone_at = models.DateTimeField(null=True, blank=True)
    clean_at = models.DateTimeField(
        null=True, blank=True, help_text="somebody confirmed that the broker is to forget it"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["device", "topic"], name="foreign_document_once"),
        ]
        indexes = [
            models.Index(fields=["convention", "topic"], name="foreign_document_topic"),
            models.Index(
                fields=["clean_at"],
                name="foreign_document_clean",
                condition=models.Q(clean_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.topic
