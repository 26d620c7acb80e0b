"""What surrounds invoice runs: by which rules, and how they differ from the month before."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from billing.models.invoices import InvoiceRun


class RunRules(models.Model):
    """The one row that says when a second person must approve, and what is a surprise."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    second_person_from_fen = models.BigIntegerField(
        default=500_000_000,
        db_default=500_000_000,
        validators=[MinValueValidator(0)],
        help_text="amounts of all documents together, signs aside",
    )
    change_percent = models.PositiveSmallIntegerField(
        default=50, db_default=50, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    change_from_fen = models.BigIntegerField(
        default=100_000,
        db_default=100_000,
        validators=[MinValueValidator(0)],
        help_text="a smaller change is no surprise",
    )
    version = models.PositiveIntegerField(default=1, db_default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(name="run_rules_once", condition=Q(id=1)),
            models.CheckConstraint(
                name="run_rules_not_negative",
                condition=Q(second_person_from_fen__gte=0, change_from_fen__gte=0),
            ),
        ]

    def __str__(self) -> str:
        return "run rules"


class RunDifference(models.Model):
    """One tenant in a run beside the period before it, as it was when the run was previewed."""

    run = models.ForeignKey(InvoiceRun, on_delete=models.CASCADE, related_name="differences")
    position = models.PositiveIntegerField()
    tenant = models.ForeignKey("core.Tenant", on_delete=models.PROTECT, related_name="+")
    gross_fen = models.BigIntegerField()
    before_fen = models.BigIntegerField()
    surprises = models.JSONField()
    surprise_count = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint("run", "position", name="rundifference_place_once"),
            models.UniqueConstraint("run", "tenant", name="rundifference_once"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.position}"
