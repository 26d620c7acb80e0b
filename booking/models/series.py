"""Series: bookings that repeat by a rule, and the dates that were left out of them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from base_ops.core.models import Space, Tenant
from base_ops.core.spans import Span

SKIP_REASONS = ["conflict", "rules", "chosen", "cancelled"]


class Series(models.Model):
    """A wish that repeats: its rule, its first span, and what each instance is like.

    An instance is an ordinary booking that names its series and, for ever, the start that the rule
    gave it (`recurrence_id`), wherever it was moved.
    """

    code = models.CharField(max_length=16, unique=True)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+")
    space = models.ForeignKey(Space, on_delete=models.PROTECT, related_name="+")
    rrule = models.CharField(max_length=500, blank=True, help_text="empty: rdates say it all")
    starts_at = models.DateTimeField(help_text="DTSTART; the rule repeats its Shanghai time")
    length = models.DurationField()
    exdates = ArrayField(models.DateTimeField(), default=list, blank=True)
    rdates = ArrayField(models.DateTimeField(), default=list, blank=True)
    title = models.CharField(max_length=120, blank=True)
    purpose = models.CharField(max_length=32)
    headcount = models.PositiveIntegerField()
    units = models.PositiveIntegerField(default=1)
    services = models.JSONField(default=list, blank=True)
    extras = models.JSONField(default=list, blank=True)
    split_from = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="followers",
        help_text="the series that this one continues with other terms",
    )  # fmt: skip
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=160)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name_plural = "series"
        constraints = [
            models.CheckConstraint(
                name="series_has_dates",
                condition=Q(rrule__gt="") | Q(rdates__len__gt=0),
            ),
        ]
        indexes = [models.Index(fields=["tenant", "starts_at"], name="series_of_tenant")]

    def __str__(self) -> str:
        return self.code

    @property
    def first(self) -> Span:
        """The span that the rule repeats."""
        return Span(self.starts_at, self.starts_at + self.length)


class SeriesSkip(models.Model):
    """A date of a series that has no booking, and why; it can be added again when it is free."""

    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="skips")
    recurrence_id = models.DateTimeField()
    reason = models.CharField(max_length=10, choices=[(r, r) for r in SKIP_REASONS])
    detail = models.JSONField(default=dict, blank=True, help_text="what was in the way")
    at = models.DateTimeField()

    class Meta:
        ordering = ["recurrence_id"]
        constraints = [
            models.UniqueConstraint(fields=["series", "recurrence_id"], name="seriesskip_once"),
            models.CheckConstraint(
                name="seriesskip_reason_known", condition=Q(reason__in=SKIP_REASONS)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.series_id} {self.recurrence_id:%Y-%m-%d %H:%M}"
