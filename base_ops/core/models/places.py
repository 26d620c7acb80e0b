"""The building: site, floors, space types, spaces."""

from django.db import models
from django.db.models import F, Q


class Site(models.Model):
    """One base."""

    code = models.CharField(max_length=16, unique=True)
    name_zh = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120)
    district_zh = models.CharField(max_length=120, blank=True)
    district_en = models.CharField(max_length=120, blank=True)
    timezone = models.CharField(max_length=64)
    area_m2 = models.DecimalField(max_digits=9, decimal_places=2)
    notice_zh = models.TextField(blank=True)
    notice_en = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.code


class Floor(models.Model):
    """One floor plate; `outline` is a ring of [x, y] in metres, counter-clockwise, not closed."""

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="floors")
    code = models.CharField(max_length=16, unique=True)
    level = models.IntegerField()
    name_zh = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120)
    area_m2 = models.DecimalField(max_digits=9, decimal_places=2)
    outline = models.JSONField()

    class Meta:
        ordering = ["level"]

    def __str__(self) -> str:
        return self.code


class SpaceType(models.Model):
    """A kind of space with the times around a booking, in minutes."""

    code = models.CharField(max_length=32, unique=True)
    name_zh = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120)
    group = models.CharField(max_length=32)
    tariff_code = models.CharField(max_length=32, blank=True)
    setup_min = models.PositiveIntegerField(default=0)
    teardown_min = models.PositiveIntegerField(default=0)
    min_min = models.PositiveIntegerField(default=60)
    slot_min = models.PositiveIntegerField(default=30)

    class Meta:
        constraints = [
            models.CheckConstraint(name="spacetype_slot_positive", condition=Q(slot_min__gt=0)),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def is_studio(self) -> bool:
        """Whether rooms of this type go on air."""
        return self.group == "studio"


class BookingMode(models.TextChoices):
    """How a space can be taken."""

    HOURLY = "hourly"
    SLOT = "slot"
    MONTHLY = "monthly"
    ATTACHED = "attached"
    NONE = "none"


class Space(models.Model):
    """Any room, bookable or plain; a studio is a space of a studio type."""

    floor = models.ForeignKey(Floor, on_delete=models.PROTECT, related_name="spaces")
    type = models.ForeignKey(SpaceType, on_delete=models.PROTECT, related_name="spaces")
    code = models.CharField(max_length=32, unique=True)
    name_zh = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120)
    area_m2 = models.DecimalField(max_digits=8, decimal_places=2)
    polygon = models.JSONField(help_text="[x, y] in metres, counter-clockwise, not closed")
    label_xy = models.JSONField()
    capacity = models.PositiveIntegerField(default=0)
    booking_mode = models.CharField(max_length=16, choices=BookingMode)
    bookable = models.BooleanField(default=False)
    rentable_monthly = models.BooleanField(default=False)
    unit_count = models.PositiveIntegerField(null=True, blank=True)
    unit_name = models.CharField(max_length=32, blank=True)
    circuit_capacity_kw = models.DecimalField(max_digits=7, decimal_places=2, default=0)
    planning_load_kw = models.DecimalField(max_digits=7, decimal_places=2, default=0)
    clear_height_m = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    features = models.JSONField(default=list, blank=True)
    buffers_shared = models.BooleanField(
        default=False,
        db_default=False,
        help_text="teardown and the next setup may run at once: the longer of both lies between",
    )
    device_kit = models.CharField(max_length=32, blank=True)

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(name="space_area_positive", condition=Q(area_m2__gt=0)),
            models.CheckConstraint(
                name="space_load_within_circuit",
                condition=Q(planning_load_kw__lte=F("circuit_capacity_kw")),
            ),
        ]

    def __str__(self) -> str:
        return self.code
