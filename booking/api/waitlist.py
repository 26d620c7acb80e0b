"""Stand in line for a time that is taken."""

from typing import Annotated

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Query, Router, Status

from base_ops.core import auth, clock, errors
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.pages import Page, cut
from base_ops.core.problems import Problem, codes_4xx
from billing.domain.rating import ServiceWish
from booking import services
from booking.api import common
from booking.models import WaitlistEntry
from booking.schemas.changes import WaitIn, WaitOut, wait_out

router = Router()


class EntryNotFound(errors.NotFound):
    """No such entry, or not one of the caller's."""

    code, title_zh, title_en = "waitlist_entry_not_found", "找不到该候补", "No such entry"


@router.post("/waitlist", response={201: WaitOut, codes_4xx: Problem})
@idempotent
def join_waitlist(
    request: HttpRequest, wish: WaitIn, idempotency_key: IdempotencyHeader
) -> Status[WaitOut]:
    """Wait for a room, or any of its type; who waits first is offered first, by a hold."""
    common.may_book(request)
    user = auth.user_of(request)
    space = common.space_named(wish.space)
    entry = services.wait(
        wish=services.BookingWish(
            space=space,
            tenant=common.tenant_of(user, wish.tenant),
            span=common.span_of(wish.starts_at, wish.ends_at),
            purpose=wish.purpose,
            headcount=wish.headcount,
            units=wish.units,
            title=wish.title,
            services=tuple(ServiceWish(code=s.code, qty=s.qty) for s in wish.services),
        ),
        any_of=space.type if wish.any_of_type else None,
        actor=auth.actor_of(request),
        now=clock.now(),
    )
    return Status(201, wait_out(entry))


@router.get("/waitlist", response={200: Page[WaitOut], codes_4xx: Problem})
def list_waitlist(
    request: HttpRequest,
    status: Annotated[str | None, Query(max_length=60)] = None,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Page[WaitOut]:
    """Who waits for what, in the order of the line; a tenant sees its own."""
    rows = _entries(request)
    if status:
        rows = rows.filter(status__in=status.split(","))
    found, following = cut(rows, by="created_at", descending=False, cursor=cursor, limit=limit)
    return Page(items=[wait_out(row) for row in found], next=following)


@router.get("/waitlist/{code}", response={200: WaitOut, codes_4xx: Problem})
def read_waitlist_entry(request: HttpRequest, code: str) -> WaitOut:
    """One entry."""
    return wait_out(_entry(request, code))


@router.post("/waitlist/{code}/cancel", response={200: WaitOut, codes_4xx: Problem})
@idempotent
def leave_waitlist(
    request: HttpRequest, code: str, idempotency_key: IdempotencyHeader
) -> Status[WaitOut]:
    """Leave the line; an offer is declined by cancelling its booking."""
    common.may_book(request)
    entry = services.stop_waiting(
        entry=_entry(request, code), actor=auth.actor_of(request), now=clock.now()
    )
    return Status(200, wait_out(entry))


def _entries(request: HttpRequest) -> QuerySet[WaitlistEntry]:
    tenant_id = common.scope(request)
    rows = WaitlistEntry.objects.select_related("tenant", "space", "space_type", "offered")
    return rows if tenant_id is None else rows.filter(tenant_id=tenant_id)


def _entry(request: HttpRequest, code: str) -> WaitlistEntry:
    found = _entries(request).filter(code=code).first()
    if found is None:
        raise EntryNotFound(code)
    return found
