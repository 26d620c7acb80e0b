"""Blackouts: time that nobody can have."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from base_ops.core.models import Space
from base_ops.core.spans import Span
from booking.domain import blackouts

KINDS = [(str(k), str(k)) for k in blackouts.Kind]


class Blackout(models.Model):
    """A space, or units of it, out of use for [starts_at, ends_at): maintenance, or an event.

    Which units it takes is said by its allocations.
    """

    code = models.CharField(max_length=16, unique=True)
    space = models.ForeignKey(Space, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=KINDS)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=240)
    created_by = models.CharField(max_length=160)
    created_at = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancel_reason = models.CharField(max_length=240, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="blackout_ends_after_start", condition=Q(ends_at__gt=F("starts_at"))
            ),
            models.CheckConstraint(
                name="blackout_kind_known", condition=Q(kind__in=[k for k, _ in KINDS])
            ),
        ]
        indexes = [models.Index(fields=["space", "starts_at"], name="blackout_of_space")]

    def __str__(self) -> str:
        return self.code

    @property
    def span(self) -> Span:
        """The instants out of use."""
        return Span(self.starts_at, self.ends_at)

    def state(self, now: datetime) -> blackouts.State:
        """Where it stands at an instant."""
        return blackouts.state(self.span, cancelled=self.cancelled_at is not None, now=now)
