"""Maintenance windows: plan, look, move, cancel."""

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status

from base_ops.core import auth, clock, errors, etags, pages
from base_ops.core.auth import roles
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.instants import Instant
from base_ops.core.models import Role
from base_ops.core.pages import Page
from base_ops.core.problems import Problem, codes_4xx
from devices import shown_registry
from devices.api.adoption import space_named
from devices.models import Device, MaintenanceWindow
from devices.schemas import registry as schemas
from devices.selectors import registry as reads
from devices.services import windows
from devices.services.windows import NoSuchWindow, WindowWish

router = Router(tags=["devices"])
STAFF = (Role.MANAGER, Role.TECHNICIAN)
Text = Annotated[str, Query(max_length=64)]


class UnknownDevices(errors.Invalid):
    """The request names devices that do not exist; `devices` lists them."""

    code, title_zh, title_en = "unknown_devices", "没有这些设备", "No such devices"


@router.get("/maintenance-windows", response={200: Page[schemas.WindowOut], codes_4xx: Problem})
@roles(*STAFF)
def list_windows(
    request: HttpRequest,
    space: Text = "",
    device: Text = "",
    since: Annotated[Instant | None, Query(alias="from")] = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=pages.MAX_LIMIT)] = 100,
) -> Page[schemas.WindowOut]:
    """Windows that end after `from` (now by default), the latest first."""
    now = clock.now()
    found = reads.windows(space=space, device=device, since=since or now)
    rows, following = pages.cut(found, by="starts_at", descending=True, cursor=cursor, limit=limit)
    return Page(items=[shown_registry.window(row, now=now) for row in rows], next=following)


@router.post("/maintenance-windows", response={201: schemas.WindowOut, codes_4xx: Problem})
@roles(*STAFF)
@idempotent
def open_window(
    request: HttpRequest, wish: schemas.WindowIn, idempotency_key: IdempotencyHeader
) -> Status[schemas.WindowOut]:
    """Take a space, or some devices, out of service for a while."""
    now = clock.now()
    row = windows.open_window(
        wish=WindowWish(
            starts_at=wish.starts_at,
            ends_at=wish.ends_at,
            why=wish.why,
            space=space_named(wish.space) if wish.space is not None else None,
            devices=_devices(wish.devices),
        ),
        actor=auth.actor_of(request),
        now=now,
    )
    return Status(201, shown_registry.window(row, now=now))


@router.get(
    "/maintenance-windows/{window_id}", response={200: schemas.WindowOut, codes_4xx: Problem}
)
@roles(*STAFF)
def read_window(request: HttpRequest, response: HttpResponse, window_id: int) -> schemas.WindowOut:
    """One window and its ETag."""
    return _shown(response, window_id)


@router.patch(
    "/maintenance-windows/{window_id}", response={200: schemas.WindowOut, codes_4xx: Problem}
)
@roles(*STAFF)
def move_window(
    request: HttpRequest, response: HttpResponse, window_id: int, wish: schemas.WindowEditIn
) -> schemas.WindowOut:
    """Give it other times or another reason; needs its ETag."""
    windows.move_window(
        window_id=window_id,
        starts_at=wish.starts_at,
        ends_at=wish.ends_at,
        why=wish.why,
        actor=auth.actor_of(request),
        check=lambda version: etags.require_match(request, version),
        now=clock.now(),
    )
    return _shown(response, window_id)


@router.post(
    "/maintenance-windows/{window_id}/cancel",
    response={200: schemas.WindowOut, codes_4xx: Problem},
)
@roles(*STAFF)
@idempotent
def cancel_window(
    request: HttpRequest, window_id: int, idempotency_key: IdempotencyHeader
) -> Status[schemas.WindowOut]:
    """End a window now, or before it begins."""
    now = clock.now()
    row = windows.cancel_window(window_id=window_id, actor=auth.actor_of(request), now=now)
    return Status(200, shown_registry.window(row, now=now))


def _shown(response: HttpResponse, window_id: int) -> schemas.WindowOut:
    rows = MaintenanceWindow.objects.select_related("space").prefetch_related("devices")
    row = rows.filter(pk=window_id).first()
    if row is None:
        raise NoSuchWindow(str(window_id))
    response["ETag"] = etags.etag_of(row.version)
    return shown_registry.window(row, now=clock.now())


def _devices(codes: list[str]) -> list[Device]:
    found = list(Device.objects.filter(code__in=codes))
    if missing := sorted(set(codes) - {d.code for d in found}):
        fault = errors.FieldFault("devices", UnknownDevices.title_zh, UnknownDevices.title_en)
        raise UnknownDevices(", ".join(missing)[:200], fields=[fault], devices=missing)
    return found
