"""How devices come into service, leave it and are tested; who decided, when and why."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from base_ops.core.models import Space
from devices.domain.commissioning import Result, StepStatus
from devices.domain.lifecycle import Deed, Stage
from devices.models.control import Acted, Command
from devices.models.places import Place
from devices.models.registry import Device, DeviceModel


class RegistrySettings(models.Model):
    """The one row of limits for strangers, and whether adoption needs a second person."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    adoption_needs_approval = models.BooleanField(default=True, db_default=True)
    max_waiting = models.PositiveIntegerField(
        default=1000,
        db_default=1000,
        validators=[MinValueValidator(1), MaxValueValidator(10_000)],
        help_text="devices in quarantine at a time",
    )
    max_newcomers_per_hour = models.PositiveIntegerField(
        default=600, db_default=600, validators=[MinValueValidator(1), MaxValueValidator(10_000)]
    )
    keep_silent_days = models.PositiveSmallIntegerField(
        default=14,
        db_default=14,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text="a stranger that says nothing for so long is forgotten",
    )
    version = models.PositiveIntegerField(default=1, db_default=1)

    class Meta:
        constraints = [models.CheckConstraint(name="registry_settings_once", condition=Q(id=1))]

    def __str__(self) -> str:
        return "registry settings"


class LifeEvent(Acted):
    """One step in a device's life; never changed afterwards."""

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="life")
    at = models.DateTimeField()
    deed = models.CharField(max_length=12, choices=[(str(d), str(d)) for d in Deed])
    was = models.CharField(max_length=16, choices=[(str(s), str(s)) for s in Stage])
    became = models.CharField(max_length=16, choices=[(str(s), str(s)) for s in Stage])
    place = models.ForeignKey(
        Place, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    why = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["device", "-at"], name="lifeevent_device")]

    def __str__(self) -> str:
        return f"{self.deed} {self.device_id} {self.at}"


class AdoptionStatus(models.TextChoices):
    """Where a proposal stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Adoption(models.Model):
    """A proposal to take a stranger into service at a place, as a model; decided by another."""

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="adoptions")
    model = models.ForeignKey(DeviceModel, on_delete=models.PROTECT, related_name="+")
    space = models.ForeignKey(Space, on_delete=models.PROTECT, related_name="+")
    place_code = models.CharField(max_length=64)
    role = models.CharField(max_length=40, blank=True)
    why = models.CharField(max_length=200, blank=True)
    status = models.CharField(
        max_length=10, choices=AdoptionStatus, default=AdoptionStatus.PROPOSED
    )
    proposed_by = models.CharField(max_length=160)
    proposed_by_id = models.CharField(max_length=64)
    proposed_at = models.DateTimeField()
    decided_by = models.CharField(max_length=160, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_why = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-proposed_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["device"],
                name="adoption_proposed_once",
                condition=Q(status=AdoptionStatus.PROPOSED),
            ),
            models.CheckConstraint(
                name="adoption_decided_iff_closed",
                condition=Q(status=AdoptionStatus.PROPOSED, decided_at=None)
                | (~Q(status=AdoptionStatus.PROPOSED) & Q(decided_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.device_id} → {self.place_code}: {self.status}"


class MaintenanceWindow(models.Model):
    """A space, or some devices, out of service for [starts_at, ends_at)."""

    space = models.ForeignKey(
        Space, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    devices = models.ManyToManyField(Device, blank=True, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    why = models.CharField(max_length=200)
    created_by = models.CharField(max_length=160)
    created_at = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="its devices were given back")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-starts_at", "-id"]
        indexes = [
            models.Index(fields=["starts_at"], name="window_open", condition=Q(ended_at=None)),
        ]
        constraints = [
            models.CheckConstraint(
                name="window_ends_after_start", condition=Q(ends_at__gt=F("starts_at"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.starts_at}–{self.ends_at} {self.why}"


class WindowStay(models.Model):
    """A device that a window took out of service, and gives back at its end."""

    window = models.ForeignKey(MaintenanceWindow, on_delete=models.CASCADE, related_name="stays")
    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["window", "device"], name="window_takes_device_once"),
        ]

    def __str__(self) -> str:
        return f"{self.window_id} {self.device_id}"


class CommissioningRun(Acted):
    """One test of one device; its result is that of its steps."""

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="tests")
    place = models.ForeignKey(
        Place, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    result = models.CharField(
        max_length=8, choices=[(str(r), str(r)) for r in Result], default=Result.RUNNING
    )
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    firmware = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-started_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["device"], name="test_runs_once", condition=Q(result=Result.RUNNING)
            ),
            models.CheckConstraint(
                name="test_ended_iff_not_running",
                condition=Q(result=Result.RUNNING, ended_at=None)
                | (~Q(result=Result.RUNNING) & Q(ended_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.device_id} {self.result}"


class CommissioningStep(models.Model):
    """One thing that was tried, what was told, and what became of it."""

    run = models.ForeignKey(CommissioningRun, on_delete=models.CASCADE, related_name="steps")
    number = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=64)
    title_zh = models.CharField(max_length=120)
    title_en = models.CharField(max_length=120)
    state = models.JSONField(null=True, blank=True)
    status = models.CharField(
        max_length=8,
        choices=[(str(s), str(s)) for s in StepStatus],
        default=StepStatus.WAITING,
    )
    command = models.ForeignKey(
        Command, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    seen = models.JSONField(null=True, blank=True)
    why = models.CharField(max_length=64, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["run", "number"]
        constraints = [
            models.UniqueConstraint(fields=["run", "number"], name="test_step_once"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.number} {self.status}"
