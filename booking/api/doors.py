"""The doors: codes that displays show, check-in by scanning one, the displays themselves."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Status

from base_ops.core import auth, clock, errors
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.models import Role, Space
from base_ops.core.problems import Problem, codes_4xx
from booking import services
from booking.api import common
from booking.models import DoorDisplay
from booking.schemas import BookingOut
from booking.schemas.doors import (
    DisplayIn,
    DisplayOut,
    DisplaysOut,
    DoorIn,
    DoorOut,
    NewDisplayOut,
)
from booking.services import doors

router = Router(tags=["doors"])


class UnknownDoor(errors.NotFound):
    """No such space, or no such display at its door."""

    code, title_zh, title_en = "unknown_door", "没有该门口屏", "No such door or display"


def display_token(request: HttpRequest) -> DoorDisplay | None:
    """ninja's auth callable: the display behind `Authorization: Bearer door_…`."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    return doors.display_of_token(token.strip(), now=clock.now())


@router.get(
    "/spaces/{code}/door",
    response={200: DoorOut, codes_4xx: Problem},
    auth=[display_token, auth.signed_in],
)
def read_door(request: HttpRequest, code: str) -> Any:
    """What to show at this door now; for its displays, and for staff."""
    caller: Any = getattr(request, "auth", None)
    if isinstance(caller, DoorDisplay):
        if caller.space.code != code:
            raise errors.Forbidden("the display of another door")
        space = caller.space
    else:
        auth.check_role(auth.user_of(request), *doors.STAFF)
        space = _space(code)
    names = {"name_zh": space.name_zh, "name_en": space.name_en}
    return doors.door_code(space=space, now=clock.now()) | names


@router.post("/check-in", response={200: BookingOut, codes_4xx: Problem})
@idempotent
def check_in_by_door(
    request: HttpRequest, shown: DoorIn, idempotency_key: IdempotencyHeader
) -> Status[BookingOut]:
    """Check in the booking of the caller's tenant that this door is for at this moment."""
    user, now = auth.user_of(request), clock.now()
    if user.tenant is None:
        raise errors.Forbidden("staff let people in by the booking itself")
    token = shown.token.removeprefix("/").removeprefix("c/").rpartition("/c/")[2]
    booking = services.come_in_by_door(
        tenant=user.tenant, token=token, actor=auth.actor_of(request), now=now
    )
    row = common.booking_of(request, booking.code)
    return Status(200, common.out_of(request, row, now=now))


@router.get("/spaces/{code}/door-displays", response={200: DisplaysOut, codes_4xx: Problem})
def list_door_displays(request: HttpRequest, code: str) -> DisplaysOut:
    """The displays of a door, the newest first."""
    _may_manage(request)
    rows = DoorDisplay.objects.filter(space=_space(code)).order_by("-id")
    return DisplaysOut(items=[_out(row) for row in rows[:100]])


@router.post("/spaces/{code}/door-displays", response={201: NewDisplayOut, codes_4xx: Problem})
@idempotent
def create_door_display(
    request: HttpRequest, code: str, wish: DisplayIn, idempotency_key: IdempotencyHeader
) -> Status[NewDisplayOut]:
    """Make a token for a display; this answer is the only one that carries it."""
    _may_manage(request)
    token, row = doors.add_display(
        space=_space(code), name=wish.name, actor=auth.actor_of(request), now=clock.now()
    )
    return Status(201, NewDisplayOut(token=token, **_out(row).model_dump()))


@router.post(
    "/spaces/{code}/door-displays/{display_id}/revoke",
    response={200: DisplayOut, codes_4xx: Problem},
)
@idempotent
def revoke_door_display(
    request: HttpRequest, code: str, display_id: int, idempotency_key: IdempotencyHeader
) -> Status[DisplayOut]:
    """End a display's token at once."""
    _may_manage(request)
    found = DoorDisplay.objects.filter(space=_space(code), pk=display_id).first()
    if found is None:
        raise UnknownDoor(f"no display {display_id} at {code}")
    row = doors.revoke_display(display=found, actor=auth.actor_of(request), now=clock.now())
    return Status(200, _out(row))


def _may_manage(request: HttpRequest) -> None:
    auth.check_role(auth.user_of(request), Role.MANAGER, Role.TECHNICIAN)


def _space(code: str) -> Space:
    found = Space.objects.select_related("type", "floor").filter(code=code).first()
    if found is None:
        raise UnknownDoor(f"no space {code}")
    return found


def _out(row: DoorDisplay) -> DisplayOut:
    return DisplayOut.model_validate({n: getattr(row, n) for n in DisplayOut.model_fields})
