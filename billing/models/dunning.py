"""Reminders and late fees: the plan as data, and what was sent and charged by it."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value

from billing.models.accounts import OpenItem
from billing.models.charges import Charge


class DunningPlan(models.Model):
    """One version of the steps and of the late fee; the newest is in force."""

    version = models.PositiveIntegerField(unique=True)
    document = models.JSONField()
    created_by = models.CharField(max_length=160)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-version"]

    def __str__(self) -> str:
        return f"v{self.version}"


class Reminder(models.Model):
    """One step that one document was reminded by."""

    item = models.ForeignKey(OpenItem, on_delete=models.PROTECT, related_name="reminders")
    step = models.CharField(max_length=32)
    days = models.SmallIntegerField(help_text="after the due day")
    open_fen = models.BigIntegerField()
    sent_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint("item", "step", name="reminder_once")]

    def __str__(self) -> str:
        return f"{self.item_id} {self.step}"


class LateFee(models.Model):
    """Days of one document that were charged, both included; no day is charged twice."""

    item = models.ForeignKey(OpenItem, on_delete=models.PROTECT, related_name="late_fees")
    first_on = models.DateField()
    last_on = models.DateField()
    amount_fen = models.BigIntegerField()
    charge = models.OneToOneField(Charge, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["item", "first_on"]
        constraints = [
            models.CheckConstraint(
                name="latefee_days_in_order", condition=Q(last_on__gte=F("first_on"))
            ),
            ExclusionConstraint(
                name="latefee_no_day_twice",
                expressions=[
                    ("item", RangeOperators.EQUAL),
                    (
                        Func(
                            F("first_on"),
                            F("last_on"),
                            Value("[]"),
                            function="daterange",
                            output_field=DateRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item_id} {self.first_on}..{self.last_on}"
