"""Calendar feeds: addresses that a calendar program reads without signing in."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from base_ops.core.models import Space, Tenant

SCOPES = ["tenant", "user", "space"]


class CalendarFeed(models.Model):
    """One secret address and what may be read at it; only the SHA-256 of its token is kept.

    It reads with the eyes of who made it: `viewer` is their tenant at that time (None: the base).
    When they leave, or may no longer see it, the address is as unknown as any other.
    """

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    viewer = models.ForeignKey(
        Tenant, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    name = models.CharField(max_length=80)
    scope = models.CharField(max_length=8, choices=[(s, s) for s in SCOPES])
    tenant = models.ForeignKey(
        Tenant, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    space = models.ForeignKey(
        Space, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    counted_from = models.DateTimeField(null=True, blank=True, help_text="start of the window")
    counted = models.PositiveIntegerField(default=0, help_text="readings in the window")
    body_digest = models.CharField(max_length=64, blank=True, help_text="of what was last read")
    body_changed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="calendarfeed_of_its_scope",
                condition=Q(scope="tenant", tenant__isnull=False, space__isnull=True)
                | Q(scope="user", tenant__isnull=True, space__isnull=True)
                | Q(scope="space", tenant__isnull=True, space__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["created_by", "created_at"], name="calendarfeed_of_user")]

    def __str__(self) -> str:
        return f"{self.prefix}… {self.name}"
