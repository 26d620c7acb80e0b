"""Places: what hangs there, what hung there, what was measured; and the swap for a spare."""

from datetime import datetime, timedelta
from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router, Status

from base_ops.core import auth, clock, errors, pages
from base_ops.core.auth import roles
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.instants import Instant
from base_ops.core.models import Role
from base_ops.core.pages import Page
from base_ops.core.problems import Problem, codes_4xx
from base_ops.core.spans import Span
from devices import shown, shown_registry
from devices.domain.lifecycle import Deed
from devices.models import Place
from devices.schemas import CommandOut
from devices.schemas import registry as schemas
from devices.selectors import places as reads
from devices.selectors.measured import MAX_POINTS
from devices.services import swapping

router = Router(tags=["devices"])
STAFF = (Role.MANAGER, Role.TECHNICIAN)
HOUR, LONGEST = timedelta(hours=1), timedelta(days=31)
Text = Annotated[str, Query(max_length=64)]
From = Annotated[Instant | None, Query(alias="from")]


class BadRange(errors.Invalid):
    """The end is not after the start, or the range is longer than 31 days."""

    code, title_zh, title_en = "bad_range", "时间范围有误", "Not a valid range of time"


@router.get("/places", response={200: Page[schemas.PlaceOut], codes_4xx: Problem})
@roles(*STAFF)
def list_places(
    request: HttpRequest,
    space: Text = "",
    kind: Text = "",
    q: Text = "",
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=pages.MAX_LIMIT)] = 100,
) -> Page[schemas.PlaceOut]:
    """Places by space, kind or a part of their code, each with what hangs there."""
    found = reads.places(space=space, kind=kind, text=q)
    rows, following = pages.cut(found, by="code", descending=False, cursor=cursor, limit=limit)
    held = reads.hanging(row.pk for row in rows)
    return Page(
        items=[shown_registry.place(row, held.get(row.pk)) for row in rows], next=following
    )


@router.get("/places/{code}", response={200: schemas.PlaceDetailOut, codes_4xx: Problem})
@roles(*STAFF)
def read_place(request: HttpRequest, code: str) -> schemas.PlaceDetailOut:
    """One place with its history."""
    place = _place(code)
    return shown_registry.place_detail(place, reads.mountings_of(place))


@router.post("/places/{code}/swap", response={200: schemas.PlaceDetailOut, codes_4xx: Problem})
@roles(*STAFF)
@idempotent
def swap(
    request: HttpRequest, code: str, wish: schemas.SpareIn, idempotency_key: IdempotencyHeader
) -> Status[schemas.PlaceDetailOut]:
    """Hang a spare where a broken unit hangs; the place keeps its history."""
    swapping.swap(
        place_code=code,
        spare_code=wish.spare,
        fate=Deed(wish.fate),
        actor=auth.actor_of(request),
        why=wish.why,
        now=clock.now(),
    )
    place = _place(code)
    return Status(200, shown_registry.place_detail(place, reads.mountings_of(place)))


@router.get(
    "/places/{code}/telemetry", response={200: schemas.PlaceTelemetryOut, codes_4xx: Problem}
)
@roles(*STAFF)
def read_place_telemetry(
    request: HttpRequest,
    code: str,
    metric: Annotated[str, Query(max_length=64)],
    start: From = None,
    to: Instant | None = None,
    points: Annotated[int, Query(ge=10, le=MAX_POINTS)] = 500,
) -> schemas.PlaceTelemetryOut:
    """One metric over [from, to), whichever device hung there; the last hour by default."""
    now = clock.now()
    place, span = _place(code), _span(start, to, now)
    found = reads.place_telemetry(place=place, metric=metric, span=span, points=points, now=now)
    return schemas.PlaceTelemetryOut(
        place=place.code,
        metric=metric,
        points=[
            schemas.PlacePoint(
                at=at, value=b.mean, min=b.low, max=b.high, count=b.count, device=device
            )
            for at, b, device in found
        ],
    )


@router.get("/places/{code}/commands", response={200: Page[CommandOut], codes_4xx: Problem})
@roles(*STAFF)
def list_place_commands(
    request: HttpRequest,
    code: str,
    start: From = None,
    to: Instant | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=pages.MAX_LIMIT)] = 100,
) -> Page[CommandOut]:
    """What its devices were told within [from, to); the last hour by default, latest first."""
    span = _span(start, to, clock.now())
    found = reads.place_commands(place=_place(code), span=span)
    rows, following = pages.cut(
        found, by="created_at", descending=True, cursor=cursor, limit=limit
    )
    return Page(items=[shown.command(row) for row in rows], next=following)


def _place(code: str) -> Place:
    row = Place.objects.select_related("space").filter(code=code).first()
    if row is None:
        raise swapping.NoSuchPlace(code[:64])
    return row


def _span(start: datetime | None, to: datetime | None, now: datetime) -> Span:
    end = to or now
    begin = start or end - HOUR
    if not begin < end <= begin + LONGEST:
        fault = errors.FieldFault("from", BadRange.title_zh, BadRange.title_en)
        raise BadRange("at most 31 days", fields=[fault])
    return Span(begin, end)
