"""Reads about the registry: who waits, what there is, which firmware runs, each device's life."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Q, QuerySet, TextField, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce

from devices.models import (
    Adoption,
    Device,
    DeviceModel,
    LifeEvent,
    MaintenanceWindow,
    RegistrySettings,
)
from devices.models.lifecycle import AdoptionStatus
from devices.models.registry import DeviceStatus


def registry_settings() -> RegistrySettings:
    """The limits in force; unsaved defaults before anybody changed them."""
    return RegistrySettings.objects.filter(pk=1).first() or RegistrySettings()


@dataclass(frozen=True, slots=True)
class Filter:
    """What an inventory is asked for; empty fields ask for everything."""

    status: str = ""
    kind: str = ""
    model: str = ""
    space: str = ""
    convention: str = ""
    firmware: str = ""
    outdated: bool | None = None
    orphaned: bool | None = None
    text: str = ""


def inventory(wanted: Filter) -> QuerySet[Device]:
    """The devices that match, with model, space and what they say of themselves."""
    rows = Device.objects.select_related("model", "space", "shadow").annotate(
        firmware=Coalesce(KT("meta__firmware"), Value(""), output_field=TextField())
    )
    for name, value in (
        ("status", wanted.status),
        ("kind", wanted.kind),
        ("model__code", wanted.model),
        ("space__code", wanted.space),
        ("convention", wanted.convention),
        ("firmware", wanted.firmware),
    ):
        if value:
            rows = rows.filter(**{name: value})
    if wanted.outdated is not None:
        rows = rows.filter(_OUTDATED) if wanted.outdated else rows.exclude(_OUTDATED)
    if wanted.orphaned is not None:
        rows = rows.filter(orphaned_at__isnull=not wanted.orphaned)
    if text := wanted.text.strip():
        rows = rows.filter(
            Q(code__icontains=text)
            | Q(serial__icontains=text)
            | Q(note__icontains=text)
            | Q(meta__serial__icontains=text)
            | Q(meta__model__icontains=text)
        )
    return rows


# A model that names no firmware is content with any; a device that says none is not known to lag.
_OUTDATED = Q(firmware__gt="") & ~Q(model__firmware="") & ~Q(firmware=F("model__firmware"))


@dataclass(frozen=True, slots=True)
class FirmwareCount:
    """How many devices of a model run one firmware."""

    model: str
    firmware: str
    wanted: str
    devices: int

    @property
    def outdated(self) -> bool:
        """Whether the model names another firmware."""
        return bool(self.wanted and self.firmware and self.wanted != self.firmware)


def firmware_counts() -> list[FirmwareCount]:
    """Devices in service or maintenance by model and firmware."""
    rows = (
        Device.objects.filter(
            status__in=(DeviceStatus.ACTIVE, DeviceStatus.MAINTENANCE), model__isnull=False
        )
        .annotate(firmware=KT("meta__firmware"))
        .values("model__code", "model__firmware", "firmware")
        .annotate(n=Count("id"))
        .order_by("model__code", "firmware")
    )
    return [
        FirmwareCount(r["model__code"], r["firmware"] or "", r["model__firmware"], r["n"])
        for r in rows
    ]


def device_models() -> QuerySet[DeviceModel]:
    """All models, with how many devices are of each."""
    return DeviceModel.objects.annotate(device_count=Count("devices")).order_by("code")


def life_of(device: Device) -> list[LifeEvent]:
    """What became of a device, the latest first."""
    return list(device.life.select_related("place")[:200])


def adoptions(status: str = "") -> QuerySet[Adoption]:
    """Proposals with what they name."""
    rows = Adoption.objects.select_related("device", "model", "space")
    return rows.filter(status=status) if status else rows


def waiting_counts() -> dict[str, int]:
    """How many strangers wait, and how many proposals."""
    return {
        "waiting": Device.objects.filter(status=DeviceStatus.QUARANTINE).count(),
        "proposed": Adoption.objects.filter(status=AdoptionStatus.PROPOSED).count(),
    }


def windows(*, space: str = "", device: str = "", since: datetime) -> QuerySet[MaintenanceWindow]:
    """Maintenance windows that end after `since`, cancelled ones too."""
    rows = MaintenanceWindow.objects.select_related("space").prefetch_related("devices")
    rows = rows.filter(ends_at__gt=since)
    if space:
        rows = rows.filter(Q(space__code=space) | Q(devices__space__code=space))
    if device:
        rows = rows.filter(Q(devices__code=device) | Q(space__in=_space_of(device)))
    return rows.distinct()


def _space_of(device: str) -> QuerySet[Device, int | None]:
    return Device.objects.filter(code=device).values_list("space_id", flat=True)


def in_window(now: datetime) -> tuple[set[int], set[int]]:
    """The ids of spaces and of single devices that are within a maintenance window now."""
    rows = MaintenanceWindow.objects.filter(starts_at__lte=now, ends_at__gt=now, cancelled_at=None)
    spaces = set(rows.filter(space__isnull=False).values_list("space__id", flat=True))
    devices = set(rows.exclude(devices=None).values_list("devices", flat=True))
    return spaces, devices
