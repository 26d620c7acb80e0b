"""Years of Chinese working days, as somebody of the base entered them."""

from django.db import models
from django.db.models import Q


class WorkYear(models.Model):
    """One year's breaks and make-up days; it is read and edited as a whole, so it is one row.

    A year without a row is as shipped (base_ops/data/china_workdays.json), or not announced.
    """

    year = models.PositiveSmallIntegerField(primary_key=True)
    announced = models.BooleanField()
    breaks = models.JSONField(default=list, blank=True, help_text="first, last, zh, en")
    make_up_days = models.JSONField(default=list, blank=True, help_text="day, zh, en")
    source = models.CharField(max_length=120, blank=True)
    changed_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="workyear_in_our_time", condition=Q(year__gte=2000, year__lte=2100)
            ),
            models.CheckConstraint(
                name="workyear_unannounced_is_empty",
                condition=Q(announced=True) | Q(breaks=[], make_up_days=[]),
            ),
        ]

    def __str__(self) -> str:
        return str(self.year)
