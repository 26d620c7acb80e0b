"""Walls: screens of the control room that anybody who passes may read."""

from django.db import models


class WallDisplay(models.Model):
    """A screen that shows the floors; its token reads what everybody may know, nothing else."""

    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    created_by = models.CharField(max_length=160)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.prefix}… {self.name}"
