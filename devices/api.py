"""The devices endpoints: look, command, follow. Tenants see only the rooms that they hold."""

from datetime import datetime, timedelta
from typing import Annotated

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Query, Router, Status

from base_ops.core import auth, clock, errors, pages
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.models import Role, Space, User
from base_ops.core.pages import Page
from base_ops.core.problems import Problem, codes_4xx
from base_ops.core.spans import Span
from devices import selectors, services, shown
from devices.models import Alarm, Command, Device, SceneRun
from devices.schemas import (
    AlarmOut,
    CommandIn,
    CommandOut,
    DeviceDetailOut,
    DeviceOut,
    Point,
    SceneIn,
    SceneRunOut,
    TelemetryOut,
)

router = Router(tags=["devices"])

FLOOR_ROLES = frozenset({Role.MANAGER, Role.TECHNICIAN, Role.ADMIN})
HOUR = timedelta(hours=1)
LONGEST = timedelta(days=31)
FIRST_YEAR, LAST_YEAR = 2000, 2100


class NoSuchDevice(errors.NotFound):
    """Unknown, or not in a room that the caller holds."""

    code, title_zh, title_en = "no_such_device", "没有此设备", "No such device"


class NoSuchSpace(errors.NotFound):
    """Unknown, or not held by the caller."""

    code, title_zh, title_en = "no_such_space", "没有此空间", "No such space"


class NoSuchCommand(errors.NotFound):
    """An unknown command or scene run, or one of another room."""

    code, title_zh, title_en = "no_such_command", "没有此指令", "No such command or scene run"


@router.get("/devices", response={200: list[DeviceOut], codes_4xx: Problem})
def list_devices(
    request: HttpRequest, space: str = "", kind: str = "", link: str = ""
) -> list[DeviceOut]:
    """Devices, filtered by space, kind and link (online, stale, offline, unknown)."""
    now = clock.now()
    rows = _visible(request, now)
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
    return shown.device_detail(_device(request, code, now), now=now)


@router.post("/devices/{code}/commands", response={202: CommandOut, codes_4xx: Problem})
@idempotent
def command_device(
    request: HttpRequest, code: str, wish: CommandIn, idempotency_key: IdempotencyHeader
) -> Status[CommandOut]:
    """Ask a device to take a state; 202 means that it was queued."""
    now = clock.now()
    command = services.send_command(
        device=_device(request, code, now),
        state=wish.state,
        actor=auth.actor_of(request),
        if_v=wish.if_v,
        override=wish.override,
        now=now,
    )
    return Status(202, shown.command(command))


@router.get("/commands/{id}", response={200: CommandOut, codes_4xx: Problem})
def get_command(request: HttpRequest, id: str) -> CommandOut:  # noqa: A002 - the path's name
    """Where a command stands. Tenants see only what they asked for themselves."""
    visible = _visible(request, clock.now())
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
    space = _space(request, code, now)
    return shown.devices(_visible(request, now).filter(space=space), now=now)


@router.post("/spaces/{code}/scene", response={202: SceneRunOut, codes_4xx: Problem})
@idempotent
def apply_scene(
    request: HttpRequest, code: str, wish: SceneIn, idempotency_key: IdempotencyHeader
) -> Status[SceneRunOut]:
    """Lead a space into a scene; 202 means that its commands were queued."""
    now = clock.now()
    space = _space(request, code, now)
    actor = auth.actor_of(request)
    run = services.apply_scene(
        space=space,
        scene=wish.scene,
        actor=actor,
        booking_code=selectors.booking_in(space, tenant_id=actor.tenant_id, now=now),
        now=now,
    )
    return Status(202, shown.scene_run(run))


@router.get("/scene-runs/{id}", response={200: SceneRunOut, codes_4xx: Problem})
def get_scene_run(request: HttpRequest, id: str) -> SceneRunOut:  # noqa: A002 - the path's name
    """How far a scene has got."""
    user = _allowed(request)
    row = SceneRun.objects.select_related("space").filter(pk=id).first()
    if row is None or (user.tenant_id is not None and row.actor_tenant_id != user.tenant_id):
        raise NoSuchCommand(id[:40])
    return shown.scene_run(row)


@router.get("/devices/{code}/telemetry", response={200: TelemetryOut, codes_4xx: Problem})
def get_telemetry(
    request: HttpRequest,
    code: str,
    metric: Annotated[str, Query(max_length=64)],
    from_: Annotated[datetime | None, Query(alias="from")] = None,
    to: datetime | None = None,
) -> TelemetryOut:
    """One metric over [from, to); the last hour by default. Tenants: none before their right."""
    now = clock.now()
    device = _device(request, code, now)
    end = _in_range(to or now)
    span = _span(_in_range(from_ or end - HOUR), end)
    seen = _seen_part(request, device, span, now)
    points = selectors.telemetry(device=device, metric=metric, span=seen) if seen else []
    return TelemetryOut(
        device=device.code, metric=metric, points=[Point(at=at, value=v) for at, v in points]
    )


@router.get("/alarms", response={200: Page[AlarmOut], codes_4xx: Problem})
def list_alarms(
    request: HttpRequest,
    space: str = "",
    open: bool = True,  # noqa: A002 - the query's name
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=pages.MAX_LIMIT)] = 100,
) -> Page[AlarmOut]:
    """Alarms of the base, newest first; the open ones by default."""
    auth.check_role(auth.user_of(request), Role.MANAGER, Role.TECHNICIAN)
    rows = Alarm.objects.select_related("device", "space")
    if space:
        rows = rows.filter(space__code=space)
    if open:
        rows = rows.filter(cleared_at=None)
    found, following = pages.cut(rows, by="raised_at", descending=True, cursor=cursor, limit=limit)
    return Page(items=[shown.alarm(row) for row in found], next=following)


@router.post("/alarms/{alarm_id}/acknowledge", response={200: AlarmOut, codes_4xx: Problem})
@idempotent
def acknowledge_alarm(
    request: HttpRequest, alarm_id: int, idempotency_key: IdempotencyHeader
) -> Status[AlarmOut]:
    """Say that somebody takes care; the first one stays on record."""
    auth.check_role(auth.user_of(request), Role.MANAGER, Role.TECHNICIAN)
    row = services.acknowledge_alarm(
        alarm_id=alarm_id, actor=auth.actor_of(request), now=clock.now()
    )
    return Status(200, shown.alarm(row))


def _allowed(request: HttpRequest) -> User:
    """The caller, unless their role has no business with devices.

    Raises:
        errors.Forbidden: finance and liaison.
    """
    user = auth.user_of(request)
    if user.tenant_id is None and user.role not in FLOOR_ROLES:
        raise errors.Forbidden(f"role {user.role} does not see devices")
    return user


def _visible(request: HttpRequest, now: datetime) -> QuerySet[Device]:
    """The devices that the caller may see."""
    user = _allowed(request)
    rows = Device.objects.select_related("model", "space", "shadow")
    if user.tenant_id is None:
        return rows
    return rows.filter(space_id__in=selectors.held_space_ids(tenant_id=user.tenant_id, now=now))


def _device(request: HttpRequest, code: str, now: datetime) -> Device:
    device = _visible(request, now).filter(code=code).first()
    if device is None:
        raise NoSuchDevice(code[:64])
    return device


def _space(request: HttpRequest, code: str, now: datetime) -> Space:
    user = _allowed(request)
    space = Space.objects.filter(code=code).first()
    hidden = user.tenant_id is not None and not selectors.holds_space(
        tenant_id=user.tenant_id, space_code=code, now=now
    )
    if space is None or hidden:
        raise NoSuchSpace(code[:32])
    return space


def _seen_part(request: HttpRequest, device: Device, span: Span, now: datetime) -> Span | None:
    """The part of a time that the caller may see; a tenant's begins with the right they hold."""
    tenant_id = auth.user_of(request).tenant_id
    if tenant_id is None:
        return span
    if device.space_id is None:
        return None
    since = selectors.held_since(device.space_id, tenant_id=tenant_id, now=now)
    if since is None or since >= span.end:
        return None
    return Span(max(span.start, since), span.end)


def _in_range(at: datetime) -> datetime:
    """Raises errors.Invalid outside the years that telemetry can be of."""
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise errors.Invalid(f"years {FIRST_YEAR} to {LAST_YEAR}", fields=[_range_fault()])
    return at


def _span(start: datetime, end: datetime) -> Span:
    """Raises errors.Invalid unless start < end, with zones, at most 31 days apart."""
    try:
        span = Span(start, end)
    except ValueError as exc:
        raise errors.Invalid(str(exc), fields=[_range_fault()]) from exc
    if span.length > LONGEST:
        raise errors.Invalid("at most 31 days", fields=[_range_fault()])
    return span


def _range_fault() -> errors.FieldFault:
    return errors.FieldFault("from", "时间范围须为 31 天以内", "a range of at most 31 days")
