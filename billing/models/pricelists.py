"""Price lists as somebody of the base makes them: drafts, in force from a day on, withdrawn."""

from django.db import models
from django.db.models import Q


class PriceListState(models.TextChoices):
    """Where a price list is in its life."""

    DRAFT = "draft"
    ACTIVE = "active"
    WITHDRAWN = "withdrawn"


class PriceList(models.Model):
    """One whole price list; `document` is its source form, read by domain.reading.

    Once it was put in force a trigger keeps its document, for bookings are settled by it.
    """

    number = models.PositiveIntegerField(unique=True)
    name = models.CharField(max_length=80)
    document = models.JSONField()
    state = models.CharField(max_length=16, choices=PriceListState, default=PriceListState.DRAFT)
    valid_from = models.DateField(null=True)
    fingerprint = models.CharField(max_length=12, blank=True, db_index=True)
    changed_by = models.CharField(max_length=120)
    changed_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(
                "valid_from", name="pricelist_one_from_a_day", condition=Q(state="active")
            ),
            models.CheckConstraint(
                name="pricelist_in_force_has_a_day",
                condition=Q(state="draft", valid_from=None, fingerprint="")
                | (~Q(state="draft") & Q(valid_from__isnull=False) & ~Q(fingerprint="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.name}"
