"""Rows as the API shows them."""

from collections.abc import Iterable
from datetime import datetime

from devices import selectors
from devices.domain import limits
from devices.domain.commands import OPEN
from devices.models import Command, Device, SceneRun
from devices.schemas import CommandOut, DeviceDetailOut, DeviceOut, SceneRunOut
from devices.selectors import abilities


def devices(rows: Iterable[Device], *, now: datetime) -> list[DeviceOut]:
    """Devices with their live values."""
    found = list(rows)
    values = selectors.device_values(found, now=now)
    return [
        DeviceOut(
            code=d.code,
            space=d.space.code if d.space else None,
            status=d.status,
            **values[d.code],
        )
        for d in found
    ]


def device_detail(device: Device, *, now: datetime) -> DeviceDetailOut:
    """One device with its capabilities."""
    (base,) = devices([device], now=now)
    able = limits.describe(abilities.able(device))
    return DeviceDetailOut(**base.model_dump(), capabilities=able, meta=device.meta)


def command(row: Command) -> CommandOut:
    """One command; `device` should be loaded."""
    return CommandOut(
        id=row.pk,
        device=row.device.code,
        op=row.op,
        state=row.state,
        status=row.status,
        reason=row.code,
        actor=row.actor_label,
        booking=row.booking_code or None,
        scene_run=row.scene_run_id,
        created_at=row.created_at,
        expires_at=row.expires_at,
        sent_at=row.sent_at,
        acked_at=row.acked_at,
        ended_at=row.ended_at,
    )


def scene_run(row: SceneRun) -> SceneRunOut:
    """One run and its progress."""
    progress = selectors.scene_progress(row)
    return SceneRunOut(
        id=row.pk,
        space=row.space.code,
        scene=row.scene,
        booking=row.booking_code or None,
        until=row.until,
        actor=row.actor_label,
        created_at=row.created_at,
        finished=not any(progress[status] for status in OPEN),
        progress=progress,
    )
