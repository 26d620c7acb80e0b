"""A camera is driven by hand: short orders that stop by themselves, under the rights of all."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from base_ops.core import audit
from base_ops.core.actors import Actor
from devices.domain import moves
from devices.domain.capabilities import NotControllable
from devices.models import Command, Device, Shadow
from devices.services import guarding, queueing
from devices.services.outbox import COMMANDS_CHANNEL

LIVES = timedelta(seconds=2)  # a hand on the stick expects it now, or not at all


def move(
    *,
    device: Device,
    speeds: Mapping[str, Any],
    actor: Actor,
    booking_code: str | None = None,
    override: bool = False,
    now: datetime,
) -> Command:
    """Queue one drive: speeds -1…1 for `deadman_ms`; a hand on the stick sends the next.

    Raises:
        queueing.DeviceNotActive, capabilities.BadState, capabilities.NotControllable,
        entitlement.NotEntitled, interlock.OnAirInterlock, interlock.OverrideNotGranted.
    """
    if not guarding.may_obey(device, test=False) or device.space_id is None:
        raise queueing.DeviceNotActive(f"{device.code} is {device.status}")
    if device.convention != "wb1":
        raise NotControllable(f"{device.code} is not driven from here")
    model = device.model.code if device.model else ""
    with transaction.atomic():
        shadow, _ = Shadow.objects.select_for_update().get_or_create(device=device)
        request = guarding.Request(
            device.space_id, device.kind, "move", speeds, shadow.reported, actor, override,
            device.pk,
        )  # fmt: skip
        right = guarding.check(request, guarding.facts([device.space_id], now=now))
        moves.check(speeds, kind=device.kind, model=model)
        order = queueing.Order(actor, booking_code, right, now, LIVES)
        command = order.command(device.pk, speeds)
        command.op, command.override = "move", override
        command.save(force_insert=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [COMMANDS_CHANNEL])
        audit.record(
            actor=actor,
            action="device.override" if override else "device.move",
            object_type="device",
            object_code=device.code,
            after=dict(speeds),
            now=now,
        )
    return command
