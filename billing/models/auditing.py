"""What the nightly self-audit found."""

from django.db import models


class SelfAudit(models.Model):
    """One night's result; `checks` are {code, name_zh, name_en, faults: [{what, detail}]}."""

    day = models.DateField(unique=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    ok = models.BooleanField()
    fault_count = models.PositiveIntegerField()
    checks = models.JSONField()

    class Meta:
        ordering = ["-day"]

    def __str__(self) -> str:
        return f"self-audit {self.day}"
