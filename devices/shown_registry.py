"""Rows of the registry as the API shows them."""

from collections.abc import Sequence
from datetime import datetime

from base_ops.core.problems import FieldProblem
from devices.domain import lifecycle, limits
from devices.domain import shadow as shadows
from devices.domain.lifecycle import Stage
from devices.domain.shadow import Link
from devices.models import (
    Adoption,
    CommissioningRun,
    Device,
    DeviceModel,
    LifeEvent,
    MaintenanceWindow,
    Mounting,
    Place,
)
from devices.schemas import registry as schemas
from devices.services.stocktaking import InventoryRowState, Outcome


def inventory(rows: Sequence[Device], *, now: datetime) -> list[schemas.InventoryOut]:
    """Devices as the registry has them; `model`, `space` and `shadow` should be loaded."""
    mountings = Mounting.objects.filter(device__in=rows, until=None)
    places = dict(mountings.values_list("device_id", "place__code"))
    return [_device(row, places.get(row.pk), now) for row in rows]


def _device(row: Device, place: str | None, now: datetime) -> schemas.InventoryOut:
    shadow = getattr(row, "shadow", None)
    link, signs = Link.UNKNOWN, [row.heard_at]
    if shadow is not None:
        link = shadows.link_at(Link(shadow.link), shadow.last_seen_at, now)
        signs.append(shadow.last_seen_at)
    return schemas.InventoryOut(
        code=row.code,
        status=row.status,
        kind=row.kind,
        role=row.role,
        model=row.model.code if row.model else None,
        space=row.space.code if row.space else None,
        place=place,
        convention=row.convention,
        firmware=str(row.meta.get("firmware", "")),
        wanted_firmware=row.model.firmware if row.model else "",
        serial=row.serial,
        note=row.note,
        said=row.meta,
        link=str(link),
        first_heard_at=row.first_heard_at,
        heard_at=max((at for at in signs if at is not None), default=None),
        orphaned_at=row.orphaned_at,
        possible=lifecycle.possible(Stage(row.status)),
        version=row.version,
    )


def life(row: LifeEvent) -> schemas.LifeEventOut:
    """One step in a device's life."""
    return schemas.LifeEventOut(
        at=row.at,
        deed=row.deed,
        was=row.was,
        became=row.became,
        place=row.place.code if row.place else None,
        by=row.actor_label,
        why=row.why,
    )


def model(row: DeviceModel, *, devices: int) -> schemas.ModelOut:
    """A model and what its devices can be told."""
    able = limits.table(kind=row.kind, model=row.code, limits=row.limits)
    return schemas.ModelOut(
        code=row.code,
        kind=row.kind,
        brand=row.brand,
        model=row.model,
        name_zh=row.name_zh,
        planning_power_w=row.planning_power_w,
        firmware=row.firmware,
        limits=row.limits,
        devices=devices,
        capabilities=limits.describe(able),
    )


def adoption(row: Adoption) -> schemas.AdoptionOut:
    """A proposal; `device`, `model` and `space` should be loaded."""
    return schemas.AdoptionOut(
        id=row.pk,
        device=row.device.code,
        model=row.model.code,
        space=row.space.code,
        place=row.place_code,
        role=row.role,
        why=row.why,
        status=row.status,
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        decided_by=row.decided_by or None,
        decided_at=row.decided_at,
        decided_why=row.decided_why,
    )


def place(row: Place, held: Mounting | None) -> schemas.PlaceOut:
    """A place and what hangs there."""
    return schemas.PlaceOut(
        code=row.code,
        space=row.space.code,
        kind=row.kind,
        role=row.role,
        name=row.name,
        device=held.device.code if held else None,
    )


def place_detail(row: Place, history: Sequence[Mounting]) -> schemas.PlaceDetailOut:
    """A place with its history."""
    held = next((m for m in history if m.until is None), None)
    return schemas.PlaceDetailOut(
        **place(row, held).model_dump(), history=[mounting(m) for m in history]
    )


def mounting(row: Mounting) -> schemas.MountingOut:
    """A device at a place."""
    return schemas.MountingOut(
        device=row.device.code,
        model=row.device.model.code if row.device.model else "",
        since=row.since,
        until=row.until,
        by=row.by,
        why=row.why,
    )


def window(row: MaintenanceWindow, *, now: datetime) -> schemas.WindowOut:
    """A maintenance window; `space` and `devices` should be loaded."""
    return schemas.WindowOut(
        id=row.pk,
        space=row.space.code if row.space else None,
        devices=sorted(device.code for device in row.devices.all()),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        why=row.why,
        status=_status(row, now),
        created_by=row.created_by,
        created_at=row.created_at,
    )


def _status(row: MaintenanceWindow, now: datetime) -> str:
    if row.cancelled_at is not None:
        return "cancelled"
    if row.ends_at <= now:
        return "over"
    return "planned" if row.starts_at > now else "running"


def test(row: CommissioningRun) -> schemas.TestOut:
    """A test with its steps."""
    return schemas.TestOut(
        id=row.pk,
        device=row.device.code,
        place=row.place.code if row.place else None,
        result=row.result,
        by=row.actor_label,
        firmware=row.firmware,
        started_at=row.started_at,
        ended_at=row.ended_at,
        steps=[
            schemas.TestStepOut(
                number=s.number,
                name=s.name,
                title_zh=s.title_zh,
                title_en=s.title_en,
                state=s.state,
                status=s.status,
                why=s.why,
                command=s.command_id,
                seen=s.seen,
                started_at=s.started_at,
                ended_at=s.ended_at,
            )
            for s in row.steps.all()
        ],
    )


def imported(
    outcomes: Sequence[Outcome], *, dry_run: bool, ignored: Sequence[str]
) -> schemas.InventoryImportOut:
    """The report on a file."""
    return schemas.InventoryImportOut(
        dry_run=dry_run,
        counts={state: sum(o.state is state for o in outcomes) for state in InventoryRowState},
        ignored=list(ignored),
        rows=[imported_row(o) for o in outcomes],
    )


def imported_row(outcome: Outcome) -> schemas.InventoryRowOut:
    """One row of a file."""
    return schemas.InventoryRowOut(
        row=outcome.number,
        device=outcome.code,
        state=outcome.state,
        faults=[
            FieldProblem(name=f.name, reason_zh=f.reason_zh, reason_en=f.reason_en)
            for f in outcome.faults
        ],
    )
