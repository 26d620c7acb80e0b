"""The blackout endpoints: parse, one call, answer."""

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status

from base_ops.core import auth, clock, etags
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.instants import Instant
from base_ops.core.models import Role
from base_ops.core.pages import Page, cut
from base_ops.core.problems import Problem, codes_4xx
from base_ops.core.spans import Span
from booking import selectors
from booking.api import common
from booking.domain.blackouts import LONGEST
from booking.models import Blackout
from booking.schemas.blackouts import (
    BlackoutCancelIn,
    BlackoutIn,
    BlackoutOut,
    BlackoutPatch,
    blackout_out,
)
from booking.schemas.leases import SpaceTakenProblem
from booking.services import blackouts

router = Router(tags=["blackouts"])

refusals = codes_4xx - {409}


@router.post("/blackouts", response={201: BlackoutOut, 409: SpaceTakenProblem, refusals: Problem})
@idempotent
def create_blackout(
    request: HttpRequest, wish: BlackoutIn, idempotency_key: IdempotencyHeader
) -> Status[BlackoutOut]:
    """Take a space, or units of it, out of use; technicians for maintenance only."""
    now, actor = clock.now(), auth.actor_of(request)
    blackouts.may_handle(actor, wish.kind)
    row = blackouts.create(
        wish=blackouts.BlackoutWish(
            space=common.space_named(wish.space),
            kind=wish.kind,
            span=common.span_of(wish.starts_at, wish.ends_at, most=LONGEST),
            reason=wish.reason,
            units=wish.units,
        ),
        actor=actor,
        now=now,
    )
    return Status(201, blackout_out(selectors.blackout_for(row.code), now=now))


@router.get("/blackouts", response={200: Page[BlackoutOut], codes_4xx: Problem})
def list_blackouts(
    request: HttpRequest,
    space: Annotated[str | None, Query(max_length=32)] = None,
    start: Annotated[Instant | None, Query(alias="from")] = None,
    to: Instant | None = None,
    cancelled: bool = False,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Page[BlackoutOut]:
    """Blackouts that overlap [from, to), in order."""
    _may_read(request)
    rows = selectors.blackouts_filtered(
        selectors.blackouts(), space=space, start=start, end=to, cancelled=cancelled
    )
    found, following = cut(rows, by="starts_at", descending=False, cursor=cursor, limit=limit)
    now = clock.now()
    return Page(items=[blackout_out(row, now=now) for row in found], next=following)


@router.get("/blackouts/{code}", response={200: BlackoutOut, codes_4xx: Problem})
def read_blackout(request: HttpRequest, response: HttpResponse, code: str) -> BlackoutOut:
    """One blackout and its ETag."""
    row = _blackout(request, code)
    response["ETag"] = etags.etag_of(row.version)
    return blackout_out(row, now=clock.now())


@router.patch(
    "/blackouts/{code}", response={200: BlackoutOut, 409: SpaceTakenProblem, refusals: Problem}
)
def edit_blackout(
    request: HttpRequest, response: HttpResponse, code: str, patch: BlackoutPatch
) -> BlackoutOut:
    """Change time, units or reason; needs If-Match."""
    now, row = clock.now(), _blackout(request, code)
    span: Span | None = None
    if patch.starts_at or patch.ends_at:
        span = common.span_of(
            patch.starts_at or row.starts_at, patch.ends_at or row.ends_at, most=LONGEST
        )
    changed = blackouts.amend(
        blackout=row,
        span=span,
        units=patch.units,
        reason=patch.reason,
        check=lambda locked: etags.require_match(request, locked.version),
        actor=auth.actor_of(request),
        now=now,
    )
    response["ETag"] = etags.etag_of(changed.version)
    return blackout_out(selectors.blackout_for(code), now=now)


@router.post("/blackouts/{code}/cancel", response={200: BlackoutOut, codes_4xx: Problem})
@idempotent
def cancel_blackout(
    request: HttpRequest, code: str, wish: BlackoutCancelIn, idempotency_key: IdempotencyHeader
) -> Status[BlackoutOut]:
    """Give the rest of the time back."""
    now = clock.now()
    blackouts.cancel(
        blackout=_blackout(request, code),
        reason=wish.reason,
        actor=auth.actor_of(request),
        now=now,
    )
    return Status(200, blackout_out(selectors.blackout_for(code), now=now))


def _may_read(request: HttpRequest) -> None:
    auth.check_role(auth.user_of(request), Role.MANAGER, Role.TECHNICIAN, Role.FINANCE)


def _blackout(request: HttpRequest, code: str) -> Blackout:
    _may_read(request)
    return selectors.blackout_for(code)
