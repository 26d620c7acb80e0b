"""Devices and scenes: look, command, follow. Tenants see only the rooms that they hold."""

from typing import Literal

from django.db import transaction
from django.http import HttpRequest
from ninja import Router, Status

from base_ops.core import auth, clock, errors
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.problems import Problem, codes_4xx
from devices import selectors, services, shown
from devices.api import common
from devices.domain.scenes import Scene
from devices.models import Command, SceneRun
from devices.schemas import (
    CommandIn,
    CommandOut,
    DeviceDetailOut,
    DeviceOut,
    MoveIn,
    SceneIn,
    SceneRunOut,
)
from devices.schemas.control import ScenePreflightOut
from devices.services import driving, planning, restoring

router = Router(tags=["devices"])
SceneName = Literal["standby", "prepare", "on_air", "wrap", "off"]


class NoSuchCommand(errors.NotFound):
    """An unknown command or scene run, or one of another room."""

    code, title_zh, title_en = "no_such_command", "没有此指令", "No such command or scene run"


@router.get("/devices", response={200: list[DeviceOut], codes_4xx: Problem})
def list_devices(
    request: HttpRequest, space: str = "", kind: str = "", link: str = ""
) -> list[DeviceOut]:
    """Devices, filtered by space, kind and link (online, stale, offline, unknown)."""
    now = clock.now()
    rows = common.visible(request, now)
    if space:
        rows = rows.filter(space__code=space)
    if kind:
        rows = rows.filter(kind=kind)
    found = shown.devices(rows, now=now)
    return [d for d in found if not link or d.link == link]


@router.get("/devices/{code}", response={200: DeviceDetailOut, codes_4xx: Problem})
def get_device(request: HttpRequest, code: str) -> DeviceDetailOut:
    """One device and what it can be told."""
    now = clock.now()
    return shown.device_detail(common.device_of(request, code, now), now=now)


@router.post("/devices/{code}/commands", response={202: CommandOut, codes_4xx: Problem})
@idempotent
def command_device(
    request: HttpRequest, code: str, wish: CommandIn, idempotency_key: IdempotencyHeader
) -> Status[CommandOut]:
    """Ask a device to take a state; 202 means that it was queued."""
    now = clock.now()
    command = services.send_command(
        device=common.device_of(request, code, now),
        state=wish.state,
        actor=auth.actor_of(request),
        if_v=wish.if_v,
        override=wish.override,
        now=now,
    )
    return Status(202, shown.command(command))


@router.post("/devices/{code}/moves", response={202: CommandOut, codes_4xx: Problem})
@idempotent
def move_device(
    request: HttpRequest, code: str, wish: MoveIn, idempotency_key: IdempotencyHeader
) -> Status[CommandOut]:
    """Drive a camera for a moment; it stops by itself, so whoever steers asks again."""
    now = clock.now()
    command = driving.move(
        device=common.device_of(request, code, now),
        speeds=wish.model_dump(exclude={"override"}, exclude_none=True),
        actor=auth.actor_of(request),
        override=wish.override,
        now=now,
    )
    return Status(202, shown.command(command))


@router.get("/commands/{id}", response={200: CommandOut, codes_4xx: Problem})
def get_command(request: HttpRequest, id: str) -> CommandOut:  # noqa: A002 - the path's name
    """Where a command stands. Tenants see only what they asked for themselves."""
    visible = common.visible(request, clock.now())
    rows = Command.objects.select_related("device").filter(pk=id, device__in=visible)
    if (tenant_id := auth.user_of(request).tenant_id) is not None:
        rows = rows.filter(actor_tenant_id=tenant_id)
    row = rows.first()
    if row is None:
        raise NoSuchCommand(id[:40])
    return shown.command(row)


@router.get("/spaces/{code}/devices", response={200: list[DeviceOut], codes_4xx: Problem})
def list_space_devices(request: HttpRequest, code: str) -> list[DeviceOut]:
    """The devices of one space."""
    now = clock.now()
    space = common.space_of(request, code, now)
    return shown.devices(common.visible(request, now).filter(space=space), now=now)


@router.post("/spaces/{code}/scene", response={202: SceneRunOut, codes_4xx: Problem})
@idempotent
def apply_scene(
    request: HttpRequest, code: str, wish: SceneIn, idempotency_key: IdempotencyHeader
) -> Status[SceneRunOut]:
    """Lead a space into a scene; 202 means that its commands were queued."""
    now = clock.now()
    space = common.space_of(request, code, now)
    actor = auth.actor_of(request)
    run = services.apply_scene(
        space=space,
        scene=wish.scene,
        actor=actor,
        booking_code=selectors.booking_in(space, tenant_id=actor.tenant_id, now=now),
        now=now,
    )
    return Status(202, shown.scene_run(run))


@router.get(
    "/spaces/{code}/scene/preflight", response={200: ScenePreflightOut, codes_4xx: Problem}
)
def preflight_scene(request: HttpRequest, code: str, scene: SceneName) -> ScenePreflightOut:
    """What a scene would change now, and what stands against it; nothing is queued."""
    now = clock.now()
    space = common.space_of(request, code, now)
    actor = auth.actor_of(request)
    with transaction.atomic():
        plan = planning.plan_scene(
            space=space,
            scene=Scene(scene),
            actor=actor,
            booking_code=selectors.booking_in(space, tenant_id=actor.tenant_id, now=now),
            until=None,
            now=now,
        )
    return shown.preflight(space, scene, plan)


@router.post("/scene-runs/{id}/roll-back", response={202: SceneRunOut, codes_4xx: Problem})
@idempotent
def roll_back_scene(
    request: HttpRequest,
    id: str,  # noqa: A002 - the path's name
    idempotency_key: IdempotencyHeader,
) -> Status[SceneRunOut]:
    """Put what a scene changed as it was; streams and targets stay as they are."""
    run = restoring.roll_back(
        run=_run_of(request, id), actor=auth.actor_of(request), now=clock.now()
    )
    return Status(202, shown.scene_run(run))


@router.get("/scene-runs/{id}", response={200: SceneRunOut, codes_4xx: Problem})
def get_scene_run(request: HttpRequest, id: str) -> SceneRunOut:  # noqa: A002 - the path's name
    """How far a scene has got."""
    return shown.scene_run(_run_of(request, id))


def _run_of(request: HttpRequest, pk: str) -> SceneRun:
    user = common.allowed(request)
    row = SceneRun.objects.select_related("space").filter(pk=pk).first()
    if row is None or (user.tenant_id is not None and row.actor_tenant_id != user.tenant_id):
        raise NoSuchCommand(pk[:40])
    return row
