"""Commands and scenes become rows of the outbox; the bridge sends them."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from base_ops.core import audit
from base_ops.core.actors import Actor
from base_ops.core.errors import Conflict
from base_ops.core.models import Space
from devices.domain import capabilities, entitlement, lifetimes, limits, scenes
from devices.domain.capabilities import Table
from devices.domain.commands import OPEN
from devices.domain.entitlement import Right
from devices.domain.scenes import Scene, Step, Target, Wish
from devices.domain.ulid import Mint
from devices.models import Command, Device, SceneRun, Shadow
from devices.models.registry import DeviceStatus
from devices.selectors import abilities
from devices.services import announce, guarding
from devices.services.outbox import COMMANDS_CHANNEL

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
    """
    wanted = Scene(scene)
    with transaction.atomic():
        targets = _targets(space)
        known = guarding.facts([space.pk], now=now)
        probe = guarding.Request(space.pk, "", "set", {}, {}, actor)
        right = guarding.check(probe, known)
        wish = Wish(
            until=_end(wanted, until, right, known, space.pk), target_ref=_ref(booking_code)
        )
        steps = _fitted(scenes.plan(wanted, [t.target for t in targets.values()], wish), targets)
        for step in steps:
            row = targets[step.code]
            guarding.check(
                guarding.Request(
                    space.pk, row.target.kind, "set", step.state, row.reported, actor
                ),
                known,
            )
        run = _run(space, wanted, actor, booking_code, wish.until, now)
        ttl = timedelta(seconds=lifetimes.scene_s(wanted, actor))
        order = Order(actor, booking_code, right, now, ttl)
        _queue(_commands(run, order, steps, targets), now=now)
        audit.record(
            actor=actor,
            action="space.scene",
            object_type="space",
            object_code=space.code,
            after={"scene": scene, "commands": len(steps), "booking": booking_code},
            now=now,
        )
    logger.info(
        "scene.applied", extra={"space": space.code, "scene": scene, "commands": len(steps)}
    )
    return run


@dataclass(frozen=True, slots=True)
class _Row:
    """One device of the space as a scene sees it."""

    device_id: int
    target: Target
    reported: Mapping[str, Any]
    able: Table | None = None  # where it is not that of its kind


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


def _targets(space: Space) -> dict[str, _Row]:
    """Active devices of the space by code, their shadows locked in order of id."""
    devices = Device.objects.filter(space=space, status=DeviceStatus.ACTIVE)
    found = list(devices.select_related("model").order_by("pk"))
    ids = [d.pk for d in found]
    locked = Shadow.objects.select_for_update().filter(device_id__in=ids).order_by("device_id")
    reported = {s.device_id: s.reported for s in locked}
    on_the_way = _states_on_the_way(ids)
    return {
        d.code: _Row(
            d.pk,
            Target(
                code=d.code,
                kind=d.kind,
                role=d.role,
                model=d.model.code if d.model else "",
                expected=reported.get(d.pk, {}) | on_the_way.get(d.pk, {}),
            ),
            reported.get(d.pk, {}),
            abilities.able(d) if abilities.is_special(d) else None,
        )
        for d in found
    }


def _fitted(steps: Sequence[Step], targets: Mapping[str, _Row]) -> list[Step]:
    """The steps, with what each device of its own limits can take of them."""
    found = []
    for step in steps:
        row = targets[step.code]
        if row.able is None:
            found.append(step)
            continue
        had = row.target.expected
        state = limits.fit(step.state, row.able)
        changed = {key: value for key, value in state.items() if had.get(key) != value}
        if changed:
            found.append(replace(step, state=changed))
    return found


def _states_on_the_way(device_ids: list[int]) -> dict[int, dict[str, Any]]:
    """What open commands will have made of each device, the latest last."""
    result: dict[int, dict[str, Any]] = {}
    of = Command.objects.filter(device_id__in=device_ids, status__in=OPEN)
    rows = of.exclude(op="move").order_by("pk")
    for device_id, state in rows.values_list("device_id", "state"):
        result.setdefault(device_id, {}).update(state)
    return result


def _end(
    scene: Scene, until: datetime | None, right: Right | None, known: guarding.Facts, space_id: int
) -> datetime | None:
    """When pictures and streams end by themselves: never after the end of the tenant's right."""
    if scene is Scene.PREPARE and until is not None:
        return until  # of the booking to come: whoever holds the room still is another
    if scene not in (Scene.ON_AIR, Scene.PREPARE):
        return None
    holder = right or next(iter(known.rights.get(space_id, ())), None)
    if holder is None:
        return until
    return min(until, holder.until) if until else holder.until


def _ref(booking_code: str | None) -> str | None:
    """A name for the stream target; the key itself never leaves its vault."""
    return f"booking:{booking_code}" if booking_code else None


def _run(
    space: Space,
    scene: Scene,
    actor: Actor,
    booking_code: str | None,
    until: datetime | None,
    now: datetime,
) -> SceneRun:
    return SceneRun.objects.create(
        id=_mint.new(round(now.timestamp() * 1000)),
        space=space,
        scene=scene,
        booking_code=booking_code or "",
        until=until,
        created_at=now,
        **_actor_columns(actor),
    )


def _commands(
    run: SceneRun, order: Order, steps: Sequence[Step], targets: Mapping[str, _Row]
) -> list[Command]:
    commands = [order.command(targets[step.code].device_id, step.state) for step in steps]
    for command in commands:
        command.scene_run = run
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
