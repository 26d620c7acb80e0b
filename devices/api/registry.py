"""The registry: what there is, who waits, the life of each device, firmware, settings."""

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status

from base_ops.core import auth, clock, etags, pages
from base_ops.core.auth import roles
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.models import Role
from base_ops.core.pages import Page
from base_ops.core.problems import Problem, codes_4xx
from devices import selectors, shown_registry
from devices.models import Device, RegistrySettings
from devices.schemas import registry as schemas
from devices.selectors import registry as reads
from devices.services import living, modelling, quarantine

router = Router(tags=["devices"])
STAFF = (Role.MANAGER, Role.TECHNICIAN)
Text = Annotated[str, Query(max_length=64)]


@router.get("/device-inventory", response={200: Page[schemas.InventoryOut], codes_4xx: Problem})
@roles(*STAFF)
def list_inventory(
    request: HttpRequest,
    status: Text = "",
    kind: Text = "",
    model: Text = "",
    space: Text = "",
    convention: Text = "",
    firmware: Text = "",
    outdated: bool | None = None,
    orphaned: bool | None = None,
    q: Text = "",
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=pages.MAX_LIMIT)] = 100,
) -> Page[schemas.InventoryOut]:
    """Every device by status, kind, model, space, convention, firmware, or a part of a text."""
    wanted = reads.Filter(status, kind, model, space, convention, firmware, outdated, orphaned, q)
    rows, following = pages.cut(
        reads.inventory(wanted), by="code", descending=False, cursor=cursor, limit=limit
    )
    return Page(items=shown_registry.inventory(rows, now=clock.now()), next=following)


@router.get("/device-firmware", response={200: list[schemas.FirmwareOut], codes_4xx: Problem})
@roles(*STAFF)
def list_firmware(request: HttpRequest) -> list[dict[str, Any]]:
    """Which firmware runs on how many devices of each model, and which the model wants."""
    return [
        {
            "model": c.model, "firmware": c.firmware, "wanted": c.wanted,
            "outdated": c.outdated, "devices": c.devices,
        }
        for c in reads.firmware_counts()
    ]  # fmt: skip


@router.get("/device-inventory/{code}", response={200: schemas.InventoryOut, codes_4xx: Problem})
@roles(*STAFF)
def read_entry(request: HttpRequest, response: HttpResponse, code: str) -> schemas.InventoryOut:
    """One device as the registry has it, and its ETag."""
    return _entry(response, code)


@router.put("/device-inventory/{code}", response={200: schemas.InventoryOut, codes_4xx: Problem})
@roles(*STAFF)
def edit_entry(
    request: HttpRequest, response: HttpResponse, code: str, wish: schemas.DeviceEditIn
) -> schemas.InventoryOut:
    """Correct the serial number and the note; needs the device's ETag."""
    living.edit(
        code=code,
        serial=wish.serial,
        note=wish.note,
        actor=auth.actor_of(request),
        check=lambda version: etags.require_match(request, version),
        now=clock.now(),
    )
    return _entry(response, code)


def _entry(response: HttpResponse, code: str) -> schemas.InventoryOut:
    row = Device.objects.select_related("model", "space", "shadow").filter(code=code).first()
    if row is None:
        raise living.UnknownDevice(code[:64])
    response["ETag"] = etags.etag_of(row.version)
    (shown,) = shown_registry.inventory([row], now=clock.now())
    return shown


@router.get("/devices/{code}/life", response={200: list[schemas.LifeEventOut], codes_4xx: Problem})
@roles(*STAFF)
def read_life(request: HttpRequest, code: str) -> list[schemas.LifeEventOut]:
    """What became of a device, by whom and why; the latest first."""
    row = Device.objects.filter(code=code).first()
    if row is None:
        raise living.UnknownDevice(code[:64])
    return [shown_registry.life(event) for event in reads.life_of(row)]


@router.post("/devices/{code}/life", response={200: schemas.InventoryOut, codes_4xx: Problem})
@roles(*STAFF)
@idempotent
def change_life(
    request: HttpRequest, code: str, wish: schemas.LifeIn, idempotency_key: IdempotencyHeader
) -> Status[schemas.InventoryOut]:
    """Reject, take to maintenance, return, retire or readmit a device.

    With If-Match, only while it is at that version.
    """
    now = clock.now()

    def check(version: int) -> None:
        if "If-Match" in request.headers:
            etags.require_match(request, version)

    device = living.change_stage(
        code=code, deed=wish.wanted, actor=auth.actor_of(request), why=wish.why, check=check,
        now=now,
    )  # fmt: skip
    (shown,) = shown_registry.inventory([device], now=now)
    return Status(200, shown)


@router.post(
    "/device-quarantine/dismiss", response={200: schemas.DismissedOut, codes_4xx: Problem}
)
@roles(*STAFF)
@idempotent
def dismiss_strangers(
    request: HttpRequest, wish: schemas.DismissIn, idempotency_key: IdempotencyHeader
) -> Status[schemas.DismissedOut]:
    """Forget strangers in quarantine, to make room; those that are not there are left alone."""
    count = quarantine.dismiss(
        codes=wish.devices, actor=auth.actor_of(request), why=wish.why, now=clock.now()
    )
    return Status(200, schemas.DismissedOut(dismissed=count))


@router.get("/device-settings", response={200: schemas.SettingsOut, codes_4xx: Problem})
@roles(*STAFF)
def read_settings(request: HttpRequest, response: HttpResponse) -> schemas.SettingsOut:
    """The limits for strangers, whether adoption needs approval, and how many wait."""
    return _settings(response, selectors.registry_settings())


@router.put("/device-settings", response={200: schemas.SettingsOut, codes_4xx: Problem})
@roles(Role.MANAGER)
def edit_settings(
    request: HttpRequest, response: HttpResponse, wish: schemas.SettingsIn
) -> schemas.SettingsOut:
    """Change them; needs their ETag."""
    row = modelling.edit_settings(
        wish=modelling.SettingsWish(**wish.model_dump()),
        actor=auth.actor_of(request),
        check=lambda version: etags.require_match(request, version),
        now=clock.now(),
    )
    return _settings(response, row)


def _settings(response: HttpResponse, row: RegistrySettings) -> schemas.SettingsOut:
    response["ETag"] = etags.etag_of(row.version)
    return schemas.SettingsOut(
        adoption_needs_approval=row.adoption_needs_approval,
        max_waiting=row.max_waiting,
        max_newcomers_per_hour=row.max_newcomers_per_hour,
        keep_silent_days=row.keep_silent_days,
        **selectors.waiting_counts(),
    )
