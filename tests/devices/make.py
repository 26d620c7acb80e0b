"""Saves devices, and says what they say."""

import itertools
from datetime import datetime
from typing import Any

from base_ops.core.actors import Actor
from base_ops.core.models import Role, Tenant, User
from devices.domain import messages
from devices.domain.shadow import Link
from devices.models import Device, DeviceModel, Shadow
from tests import make

_number = itertools.count(1)

MODEL_OF = {
    "light": "LT-KEY-160",
    "camera": "CAM-PTZ",
    "encoder": "ENC-PC",
    "access": "DOOR-QR",
    "power_meter": "PM-1P",
    "sensor": "SEN-ENV",
    "network": "NET-WAN",
}
ROLE_OF = {"light": "key", "camera": "main", "encoder": "stream", "power_meter": "meter"}
MANAGER = Actor(kind="user", id="1000001", label="manager@test", role="manager")


def ms(at: datetime) -> int:
    """Milliseconds since the epoch."""
    return round(at.timestamp() * 1000)


def device(kind: str = "light", **changes: Any) -> Device:
    """Save an active device with an empty shadow, by default in a space of its own.

    `link` is that of the shadow: by default nobody has heard of it yet.
    """
    link, seen_at = changes.pop("link", Link.UNKNOWN), changes.pop("seen_at", None)
    code = MODEL_OF.get(kind, kind.upper())
    model, _ = DeviceModel.objects.get_or_create(
        code=changes.pop("model", code),
        defaults={"kind": kind, "brand": "Test", "model": code, "name_zh": code},
    )
    if "space" not in changes:
        changes["space"] = make.space()
    fields = {"code": f"D{next(_number):04d}", "kind": kind, "role": ROLE_OF.get(kind, kind)}
    row = Device.objects.create(**fields | {"model": model} | changes)
    Shadow.objects.create(device=row, link=link, last_seen_at=seen_at)
    _manager()
    return row


def _manager() -> None:
    """Save the person behind MANAGER, whose commands are sent only while they are there."""
    fields = {"email": MANAGER.label, "name": "Manager", "role": MANAGER.role}
    User.objects.get_or_create(pk=int(MANAGER.id), defaults=fields)


def tenant_actor(tenant_id: int) -> Actor:
    """Save a member of a tenant."""
    return make.user(Role.TENANT_MEMBER, tenant=Tenant.objects.get(pk=tenant_id)).actor


def online(device: Device, at: datetime, session: str = "s1") -> messages.Status:
    """The device comes."""
    return messages.Status(device.code, True, session, ms(at))


def offline(device: Device, at: datetime, session: str = "s1") -> messages.Status:
    """The device goes."""
    return messages.Status(device.code, False, session, ms(at))


def state(
    device: Device, at: datetime, v: int, session: str = "s1", **said: Any
) -> messages.State:
    """The device reports; `cause` names the command."""
    cause = said.pop("cause", None)
    return messages.State(device.code, v, session, ms(at), said, cause)
