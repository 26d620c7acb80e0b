"""Places: positions in a space that have a device over time. The place keeps its history."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q

from base_ops.core.models import Space
from devices.models.registry import Device


class TsTzRange(Func):
    """[since, until), without an end while it lasts."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class Place(models.Model):
    """A position in a space, such as "key light, left"; its code is painted on the wall."""

    code = models.CharField(max_length=64, unique=True)
    space = models.ForeignKey(Space, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=24)
    role = models.CharField(max_length=40, blank=True)
    name = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.code


class Mounting(models.Model):
    """One device at one place for [since, until); now, while `until` is open."""

    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="mountings")
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="mountings")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    by = models.CharField(max_length=160, blank=True)
    why = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-since"]
        constraints = [
            models.UniqueConstraint(
                fields=["place"], name="place_holds_one", condition=Q(until=None)
            ),
            models.UniqueConstraint(
                fields=["device"], name="device_hangs_once", condition=Q(until=None)
            ),
            models.CheckConstraint(
                name="mounting_ends_after_start",
                condition=Q(until=None) | Q(until__gt=F("since")),
            ),
            ExclusionConstraint(
                name="place_held_by_one_at_a_time",
                expressions=[
                    (TsTzRange("since", "until", RangeBoundary()), RangeOperators.OVERLAPS),
                    ("place", RangeOperators.EQUAL),
                ],
            ),
            ExclusionConstraint(
                name="device_at_one_place_at_a_time",
                expressions=[
                    (TsTzRange("since", "until", RangeBoundary()), RangeOperators.OVERLAPS),
                    ("device", RangeOperators.EQUAL),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.device_id} at {self.place_id} since {self.since}"
