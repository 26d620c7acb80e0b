"""Commands and scenes become rows of the outbox; the bridge sends them."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from base_ops.core import audit
from base_ops.core.actors import Actor
from base_ops.core.errors import Conflict
from base_ops.core.models import Space
from devices.domain import capabilities, entitlement, lifetimes
from devices.domain.entitlement import Right
from devices.domain.scenes import Scene
from devices.domain.ulid import Mint
from devices.models import Command, Device, SceneRun, Shadow
from devices.selectors import abilities
from devices.services import announce, guarding
from devices.services.outbox import COMMANDS_CHANNEL
from devices.services.planning import ScenePlan, plan_scene

logger = logging.getLogger(__name__)

_mint = Mint()


class DeviceNotActive(Conflict):
    """A device in quarantine, maintenance or retired takes no commands."""

    code, title_zh, title_en = "device_not_active", "设备未启用", "The device is not in service"


def send_command(
    *,
    device: Device,
    state: Mapping[str, Any],
    actor: Actor,
    booking_code: str | None = None,
    if_v: int | None = None,
    override: bool = False,
    test: bool = False,
    now: datetime,
    ttl_s: float = lifetimes.COMMAND_S,
) -> Command:
    """Queue one command: absolute values that the device takes over whole or refuses.

    Args:
        device: an active device of a space.
        state: the keys to change; see devices/domain/capabilities.py.
        actor: whoever asks; entitled now, and asked again when it is sent.
        booking_code: the booking it belongs to, if there is one.
        if_v: the version of the reported state it is meant for.
        override: staff sets the on-air interlock aside; on record.
        test: of a commissioning test, which a device in maintenance obeys too.
        now: when.
        ttl_s: seconds after which it must not be carried out any more.

    Raises:
        DeviceNotActive, capabilities.BadState, capabilities.NotControllable,
        entitlement.NotEntitled, interlock.OnAirInterlock.
    """
    if not guarding.may_obey(device, test=test) or device.space_id is None:
        raise DeviceNotActive(f"{device.code} is {device.status}")
    with transaction.atomic():
        shadow, _ = Shadow.objects.select_for_update().get_or_create(device=device)
        request = guarding.Request(
            device.space_id, device.kind, "set", state, shadow.reported, actor, override, device.pk
        )
        right = guarding.check(request, guarding.facts([device.space_id], now=now))
        capabilities.check_against(state, abilities.able(device), device.code)
        entitlement.check_target(state, right)
        bounded = entitlement.bounded(state, right, abilities.able(device))
        order = Order(actor, booking_code, right, now, timedelta(seconds=ttl_s))
        command = order.command(device.pk, bounded)
        command.if_v, command.override, command.test = if_v, override, test
        _queue([command], now=now)
        audit.record(
            actor=actor,
            action="device.override" if override else "device.command",
            object_type="device",
            object_code=device.code,
            after=dict(state),
            now=now,
        )
    logger.info("command.queued", extra={"command": command.id, "device": device.code})
    return command


def apply_scene(
    *,
    space: Space,
    scene: str,
    actor: Actor,
    booking_code: str | None = None,
    until: datetime | None = None,
    now: datetime,
) -> SceneRun:
    """Queue the least commands that lead the space into a scene.

    Args:
        space: whose active devices take part.
        scene: standby, prepare, on_air, wrap or off.
        actor: whoever asks; a tenant needs a live grant of this space.
        booking_code: the booking it serves.
        until: when the encoders stop by themselves; a tenant's never exceeds the grant.
        now: when.

    Raises:
        entitlement.NotEntitled: no right to this space now.
        interlock.OnAirInterlock: some step would harm a show; nothing was queued.
        planning.TooMuchLoad: its circuit would carry more than four fifths; nothing was queued.
    """
    wanted = Scene(scene)
    with transaction.atomic():
        plan = plan_scene(
            space=space, scene=wanted, actor=actor, booking_code=booking_code, until=until, now=now
        )
        for refusal in plan.refusals:
            raise refusal
        run = begin_run(
            space=space, scene=wanted, actor=actor, booking_code=booking_code,
            until=plan.until, before=plan.before, now=now,
        )  # fmt: skip
        ttl = timedelta(seconds=lifetimes.scene_s(wanted, actor))
        order = Order(actor, booking_code, plan.right, now, ttl)
        _queue(_commands(run, order, plan), now=now)
        audit.record(
            actor=actor,
            action="space.scene",
            object_type="space",
            object_code=space.code,
            after={"scene": scene, "commands": len(plan.steps), "booking": booking_code},
            now=now,
        )
    logger.info(
        "scene.applied", extra={"space": space.code, "scene": scene, "commands": len(plan.steps)}
    )
    return run


@dataclass(frozen=True, slots=True)
class Order:
    """What all commands of one request share."""

    actor: Actor
    booking_code: str | None
    right: Right | None
    now: datetime
    ttl: timedelta

    def command(self, device_id: int, state: Mapping[str, Any]) -> Command:
        """An unsaved command for one device."""
        return Command(
            id=_mint.new(round(self.now.timestamp() * 1000)),
            device_id=device_id,
            state=dict(state),
            booking_code=self.booking_code or "",
            grant_id=self.right.id if self.right else None,
            grant_epoch=self.right.epoch if self.right else None,
            created_at=self.now,
            expires_at=self.now + self.ttl,
            **_actor_columns(self.actor),
        )


def _actor_columns(actor: Actor) -> dict[str, Any]:
    return {
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "actor_label": actor.label,
        "actor_role": actor.role,
        "actor_tenant_id": actor.tenant_id,
    }


def begin_run(
    *,
    space: Space,
    scene: str,
    actor: Actor,
    booking_code: str | None,
    until: datetime | None = None,
    before: Mapping[str, Any] = MappingProxyType({}),
    now: datetime,
) -> SceneRun:
    """Save the run that the commands of a scene belong to."""
    return SceneRun.objects.create(
        id=_mint.new(round(now.timestamp() * 1000)),
        space=space,
        scene=scene,
        booking_code=booking_code or "",
        until=until,
        before=dict(before),
        created_at=now,
        **_actor_columns(actor),
    )


def _commands(run: SceneRun, order: Order, plan: ScenePlan) -> list[Command]:
    """One for each step, in turn: lamps that start wait for those before them."""
    commands = []
    for step, wait in zip(plan.steps, plan.waits, strict=True):
        command = order.command(plan.targets[step.code].device_id, step.state)
        command.scene_run, command.not_before = run, order.now + wait if wait else None
        commands.append(command)
    return commands


_DESIRE = """
UPDATE devices_shadow s SET desired = coalesce(s.desired, '{}'::jsonb) || wish.state
FROM unnest(%s::bigint[], %s::jsonb[]) AS wish(id, state) WHERE s.device_id = wish.id
"""


def _queue(commands: Sequence[Command], *, now: datetime) -> None:
    """Save the commands, note what is desired, wake the bridge, tell the dashboards."""
    if not commands:
        return
    Command.objects.bulk_create(commands)
    with connection.cursor() as cursor:
        ids = [c.device_id for c in commands]
        cursor.execute(_DESIRE, [ids, [Jsonb(c.state) for c in commands]])
        cursor.execute("SELECT pg_notify(%s, '')", [COMMANDS_CHANNEL])
    announce.tell(announce.Changes(device_ids={c.device_id for c in commands}), now=now)
