"""The screens on the wall: what they show, and who may make and revoke them."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Status

from base_ops.core import auth, clock, errors, live
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.models import Floor, Role
from base_ops.core.problems import Problem, codes_4xx
from booking.models import WallDisplay
from booking.schemas.doors import DisplayIn, DisplayOut, DisplaysOut, NewDisplayOut
from booking.schemas.walls import WallNowOut, WallOut
from booking.services import walls

router = Router(tags=["walls"])
TOPIC = "occ.public"


class UnknownWall(errors.NotFound):
    """No wall display of that number."""

    code, title_zh, title_en = "unknown_wall", "没有该大屏", "No such wall display"


def wall_token(request: HttpRequest) -> WallDisplay | None:
    """ninja's auth callable: the wall behind `Authorization: Bearer wall_…`."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    return walls.wall_of_token(token.strip(), now=clock.now())


@router.get(
    "/wall",
    response={200: WallOut, codes_4xx: Problem},
    auth=[wall_token, auth.signed_in],
)
def read_wall(request: HttpRequest) -> Any:
    """The floors with the outlines of their spaces; for wall displays, and for anybody inside."""
    return {"floors": Floor.objects.prefetch_related("spaces__type", "spaces__floor")}


@router.get(
    "/wall/now",
    response={200: WallNowOut, codes_4xx: Problem},
    auth=[wall_token, auth.signed_in],
)
def read_wall_now(request: HttpRequest) -> WallNowOut:
    """What goes on in every space, without tenants, titles and numbers of bookings."""
    _, _, spaces = live.state(TOPIC)
    return WallNowOut(at=clock.now(), spaces=spaces)


@router.get("/wall-displays", response={200: DisplaysOut, codes_4xx: Problem})
def list_wall_displays(request: HttpRequest) -> DisplaysOut:
    """The displays on the walls, the newest first."""
    _may_manage(request)
    return DisplaysOut(items=[_out(row) for row in WallDisplay.objects.order_by("-id")[:100]])


@router.post("/wall-displays", response={201: NewDisplayOut, codes_4xx: Problem})
@idempotent
def create_wall_display(
    request: HttpRequest, wish: DisplayIn, idempotency_key: IdempotencyHeader
) -> Status[NewDisplayOut]:
    """Make a token for a display; this answer is the only one that carries it."""
    _may_manage(request)
    token, row = walls.add_wall(name=wish.name, actor=auth.actor_of(request), now=clock.now())
    return Status(201, NewDisplayOut(token=token, **_out(row).model_dump()))


@router.post("/wall-displays/{display_id}/revoke", response={200: DisplayOut, codes_4xx: Problem})
@idempotent
def revoke_wall_display(
    request: HttpRequest, display_id: int, idempotency_key: IdempotencyHeader
) -> Status[DisplayOut]:
    """End a display's token at once: its screen goes dark within seconds."""
    _may_manage(request)
    found = WallDisplay.objects.filter(pk=display_id).first()
    if found is None:
        raise UnknownWall(f"no wall display {display_id}")
    row = walls.revoke_wall(wall=found, actor=auth.actor_of(request), now=clock.now())
    return Status(200, _out(row))


def _may_manage(request: HttpRequest) -> None:
    auth.check_role(auth.user_of(request), Role.MANAGER)


def _out(row: WallDisplay) -> DisplayOut:
    return DisplayOut.model_validate({n: getattr(row, n) for n in DisplayOut.model_fields})
