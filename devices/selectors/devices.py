"""Reads about single devices: their live value, rights, telemetry, the progress of a scene."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection

from base_ops.core.models import Space
from devices.domain import shadow as shadows
from devices.domain.commands import Status
from devices.domain.entitlement import Right
from devices.domain.interlock import Override
from devices.models import Device, Grant, InterlockOverride, SceneRun, Shadow
from devices.models.overrides import OverrideStatus


def device_values(devices: Iterable[Device], *, now: datetime) -> dict[str, dict[str, Any]]:
    """The live value of each device by code; `model` and `shadow` should be loaded."""
    found = list(devices)
    busy = has_open_command([d.pk for d in found])
    return {d.code: _value(d, pending=d.pk in busy, now=now) for d in found}


def _value(device: Device, *, pending: bool, now: datetime) -> dict[str, Any]:
    shadow: Shadow | None = getattr(device, "shadow", None)
    model = device.model
    link = shadows.Link.UNKNOWN
    if shadow is not None:
        link = shadows.link_at(shadows.Link(shadow.link), shadow.last_seen_at, now)
    return {
        "kind": device.kind,
        "role": device.role,
        "model": model.code if model else "",
        "name_zh": model.name_zh if model else device.code,
        "name_en": f"{model.brand} {model.model}" if model else device.code,
        "link": str(link),
        "reported": shadow.reported if shadow else {},
        "desired": shadow.desired if shadow else None,
        "pending": pending,
        "at": shadow.last_seen_at.isoformat() if shadow and shadow.last_seen_at else None,
        "version": max(shadow.version, 0) if shadow else 0,
    }


def has_open_command(device_ids: Iterable[int]) -> set[int]:
    """Those of the devices that have a command on its way."""
    with connection.cursor() as cursor:
        cursor.execute(_BUSY, [list(device_ids)])
        return {pk for (pk,) in cursor.fetchall()}


_BUSY = """
SELECT DISTINCT device_id FROM devices_command
WHERE status IN ('queued', 'sent', 'accepted') AND device_id = ANY(%s)
"""


def live_rights(space_ids: Iterable[int], *, now: datetime) -> dict[int, list[Right]]:
    """The rights that hold now, by space."""
    result: dict[int, list[Right]] = {}
    rows = Grant.objects.filter(space_id__in=list(space_ids), revoked_at=None, until__gt=now)
    for grant in rows:
        result.setdefault(grant.space_id, []).append(grant.right)
    return result


def rights_of_space(space_id: int, *, now: datetime) -> list[Right]:
    """The rights that hold now in one space."""
    return live_rights([space_id], now=now).get(space_id, [])


def granted_overrides(space_ids: Iterable[int], *, now: datetime) -> dict[int, list[Override]]:
    """Who may set the interlock aside now, by space."""
    result: dict[int, list[Override]] = {}
    rows = InterlockOverride.objects.filter(
        space_id__in=list(space_ids), status=OverrideStatus.GRANTED, until__gt=now
    )
    for row in rows:
        word = Override(row.asked_by_id, row.device_id, row.until)
        result.setdefault(row.space_id, []).append(word)
    return result


def holds_space(*, tenant_id: int, space_code: str, now: datetime) -> bool:
    """Whether the tenant may control the space now."""
    return Grant.objects.filter(
        tenant_id=tenant_id, space__code=space_code, revoked_at=None, until__gt=now
    ).exists()


def held_space_ids(*, tenant_id: int, now: datetime) -> set[int]:
    """The spaces that a tenant may control now."""
    rows = Grant.objects.filter(tenant_id=tenant_id, revoked_at=None, until__gt=now)
    return set(rows.values_list("space_id", flat=True))


def held_since(space_id: int, *, tenant_id: int, now: datetime) -> datetime | None:
    """When the earliest right began that the tenant holds now in a space; None without one."""
    rows = Grant.objects.filter(
        tenant_id=tenant_id, space_id=space_id, revoked_at=None, until__gt=now
    )
    return rows.order_by("granted_at").values_list("granted_at", flat=True).first()


def booking_in(space: Space, *, tenant_id: int | None, now: datetime) -> str | None:
    """The booking by which somebody holds the space now: the tenant's own, or anybody's."""
    rows = Grant.objects.filter(space=space, revoked_at=None, until__gt=now)
    if tenant_id is not None:
        rows = rows.filter(tenant_id=tenant_id)
    return rows.order_by("-until").values_list("booking_code", flat=True).first()


def scene_progress(run: SceneRun) -> dict[str, int]:
    """How many commands of a run stand where; plus `total`."""
    statuses = list(run.commands.values_list("status", flat=True))
    return {"total": len(statuses)} | {str(s): statuses.count(s) for s in Status}
