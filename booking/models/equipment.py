"""Equipment to borrow: a pool of like things, one row per thing."""

from django.db import models
from django.db.models import Q

from base_ops.core.models import Space


class EquipmentPool(models.Model):
    """Like things that are booked by number, not by name: cameras, microphones, lights."""

    code = models.CharField(max_length=32, unique=True)
    name_zh = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120)
    home = models.ForeignKey(
        Space, on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        help_text="where the things are kept",
    )  # fmt: skip
    service_code = models.CharField(
        max_length=16, blank=True, help_text="priced per hour and thing; empty: free of charge"
    )
    setup_min = models.PositiveSmallIntegerField(default=0)
    teardown_min = models.PositiveSmallIntegerField(default=0)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.code


class EquipmentUnit(models.Model):
    """One thing of a pool; out of service it is neither offered nor given."""

    pool = models.ForeignKey(EquipmentPool, on_delete=models.CASCADE, related_name="units")
    number = models.PositiveIntegerField()
    label = models.CharField(max_length=80, blank=True, help_text="serial or asset number")
    in_service = models.BooleanField(default=True)

    class Meta:
        ordering = ["pool", "number"]
        constraints = [
            models.UniqueConstraint("pool", "number", name="equipmentunit_once"),
            models.CheckConstraint(name="equipmentunit_from_one", condition=Q(number__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.pool} {self.number}"
