"""What happened: audit rows, answered requests, job slots."""

from django.conf import settings
from django.db import models


class AuditEntry(models.Model):
    """Who did what to which object. A trigger refuses every UPDATE and DELETE."""

    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=8)
    actor_id = models.CharField(max_length=64)
    actor_label = models.CharField(max_length=160)
    actor_role = models.CharField(max_length=16, blank=True)
    action = models.CharField(max_length=64)
    object_type = models.CharField(max_length=32)
    object_code = models.CharField(max_length=64)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        indexes = [models.Index(fields=["object_type", "object_code", "at"], name="audit_object")]

    def __str__(self) -> str:
        return f"{self.action} {self.object_code}"


class IdempotencyKey(models.Model):
    """The answer to a request, stored in the transaction of its effect."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=64)
    operation = models.CharField(max_length=160)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="idempotency_once_per_key")
        ]

    def __str__(self) -> str:
        return self.key


class JobSlot(models.Model):
    """One run of one job for one slot of time: the row is what makes it run once."""

    job = models.CharField(max_length=64)
    slot = models.DateTimeField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "slot"], name="jobslot_once")]

    def __str__(self) -> str:
        return f"{self.job} {self.slot}"
