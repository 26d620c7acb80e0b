"""Series: looked at before anything is booked, booked at once, changed by scope."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status

from base_ops.core import auth, clock, etags
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.models import Space
from base_ops.core.pages import Page, cut
from base_ops.core.problems import Problem, codes_4xx
from base_ops.core.spans import Span
from billing.domain.rating import ServiceWish
from booking import services as bookings
from booking.api import common
from booking.models import EquipmentPool, Series
from booking.schemas import CancelIn
from booking.schemas import series as schemas
from booking.schemas.series import (
    AddAgainIn,
    DryRunOut,
    InstanceCancelIn,
    InstanceEditIn,
    SeriesExtraIn,
    SeriesIn,
    SeriesOut,
    SeriesProblem,
    SeriesRow,
    SeriesWishIn,
    Stamp,
)
from booking.selectors import series as selectors
from booking.services import series as services
from booking.services.series.changing import Check

router = Router(tags=["booking"])

refusals = codes_4xx - {409, 422}


@router.post("/series/dry-run", response={200: DryRunOut, codes_4xx: Problem}, by_alias=True)
def look_at_series(request: HttpRequest, wish: SeriesWishIn) -> DryRunOut:
    """Every instance: free or what is in the way, rules, price, and what could be had instead."""
    common.may_book(request)
    now = clock.now()
    role = auth.user_of(request).role
    seen = services.look(services.expanded(_wish(request, wish)), role=role, now=now)
    services.propose(seen, now=now)
    return schemas.dry_run_out(seen, reader=auth.user_of(request))


@router.post(
    "/series", response={201: SeriesOut, 409: SeriesProblem, 422: SeriesProblem, refusals: Problem}
)
@idempotent
def create_series(
    request: HttpRequest, wish: SeriesIn, idempotency_key: IdempotencyHeader
) -> Status[SeriesOut]:
    """Book a series for good, in one transaction; see `mode` for dates that are taken."""
    common.may_book(request)
    made = services.create(
        wish=_wish(request, wish),
        mode=wish.mode,
        actor=auth.actor_of(request),
        expected_fen=wish.expected_fen,
        now=clock.now(),
    )
    return Status(201, _out(request, made.series.code))


@router.get("/series", response={200: Page[SeriesRow], codes_4xx: Problem})
def list_series(
    request: HttpRequest,
    tenant: Annotated[str | None, Query(max_length=16)] = None,
    space: Annotated[str | None, Query(max_length=32)] = None,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Page[SeriesRow]:
    """Series, the latest first; a tenant sees its own."""
    rows = selectors.series_of(common.scope(request))
    if tenant:
        rows = rows.filter(tenant__code=tenant)
    if space:
        rows = rows.filter(space__code=space)
    found, following = cut(rows, by="starts_at", descending=True, cursor=cursor, limit=limit)
    return Page(
        items=[SeriesRow.model_validate(schemas.series_row(row)) for row in found], next=following
    )


@router.get("/series/{code}", response={200: SeriesOut, codes_4xx: Problem})
def read_series(request: HttpRequest, response: HttpResponse, code: str) -> SeriesOut:
    """One series with its bookings, the dates left out, and its ETag."""
    out = _out(request, code)
    response["ETag"] = etags.etag_of(out.version)
    return out


@router.patch(
    "/series/{code}/instances/{instance}",
    response={200: SeriesOut, 409: SeriesProblem, 422: SeriesProblem, refusals: Problem},
)
def edit_instance(
    request: HttpRequest,
    response: HttpResponse,
    code: str,
    instance: Stamp,
    change: InstanceEditIn,
) -> SeriesOut:
    """Change this instance, this and the following ones, or all that lie ahead; needs If-Match.

    "following" cuts the series in two; the answer is the one that has the instance afterwards.
    """
    common.may_book(request)
    series = services.edit(
        series=_series(request, code),
        recurrence_id=_instant(instance),
        scope=change.scope,
        change=services.Edit(
            title=change.title,
            purpose=change.purpose,
            headcount=change.headcount,
            span=_span(change.starts_at, change.ends_at),
            space=_space(change.space, "space"),
        ),
        actor=auth.actor_of(request),
        check=_matching(request),
        now=clock.now(),
    )
    out = _out(request, series.code)
    response["ETag"] = etags.etag_of(out.version)
    return out


@router.post(
    "/series/{code}/instances/{instance}/cancel", response={200: SeriesOut, codes_4xx: Problem}
)
@idempotent
def cancel_instance(
    request: HttpRequest,
    code: str,
    instance: Stamp,
    wish: InstanceCancelIn,
    idempotency_key: IdempotencyHeader,
) -> Status[SeriesOut]:
    """Give instances back; late ones cost their fee. A single date can be added again."""
    common.may_book(request)
    series = services.cancel(
        series=_series(request, code),
        recurrence_id=_instant(instance),
        scope=wish.scope,
        reason=wish.reason,
        actor=auth.actor_of(request),
        check=_matching(request, optional=True),
        now=clock.now(),
    )
    return Status(200, _out(request, series.code))


@router.post("/series/{code}/cancel", response={200: SeriesOut, codes_4xx: Problem})
@idempotent
def cancel_series(
    request: HttpRequest, code: str, wish: CancelIn, idempotency_key: IdempotencyHeader
) -> Status[SeriesOut]:
    """Give back all instances that lie ahead."""
    common.may_book(request)
    series = services.cancel(
        series=_series(request, code),
        recurrence_id=None,
        scope="all",
        reason=wish.reason,
        actor=auth.actor_of(request),
        check=_matching(request, optional=True),
        now=clock.now(),
    )
    return Status(200, _out(request, series.code))


@router.post(
    "/series/{code}/instances/{instance}/add-again",
    response={200: SeriesOut, 409: SeriesProblem, 422: SeriesProblem, refusals: Problem},
)
@idempotent
def add_instance_again(
    request: HttpRequest,
    code: str,
    instance: Stamp,
    wish: AddAgainIn,
    idempotency_key: IdempotencyHeader,
) -> Status[SeriesOut]:
    """Book a date that was left out after all, elsewhere or at another time if so said."""
    common.may_book(request)
    services.add_again(
        series=_series(request, code),
        recurrence_id=_instant(instance),
        choice=services.Choice(
            space=_space(wish.space, "space"), span=_span(wish.starts_at, wish.ends_at)
        ),
        actor=auth.actor_of(request),
        check=_matching(request, optional=True),
        now=clock.now(),
    )
    return Status(200, _out(request, code))


def _series(request: HttpRequest, code: str) -> Series:
    return selectors.series_for(code=code, tenant_id=common.scope(request))


def _out(request: HttpRequest, code: str) -> SeriesOut:
    row = _series(request, code)
    return schemas.series_out(
        row,
        live=selectors.instances_of(row).defer("quote"),
        skips=row.skips.all(),
        reader=auth.user_of(request),
    )


def _matching(request: HttpRequest, *, optional: bool = False) -> Check:
    """Compares If-Match with the locked row; an acting POST need not send it."""

    def check(row: Series) -> None:
        if not optional or "If-Match" in request.headers:
            etags.require_match(request, row.version)

    return check


def _instant(stamp: str) -> datetime:
    try:
        return datetime.strptime(stamp, schemas.STAMP).replace(tzinfo=UTC)
    except ValueError as exc:
        raise services.InstanceNotFound(stamp) from exc


def _span(start: datetime | None, end: datetime | None, name: str = "") -> Span | None:
    """Both times or none."""
    if start is None and end is None:
        return None
    if start is None or end is None:
        raise common.BadSpan(fields=[common.fault(f"{name}ends_at", common.BadSpan)])
    return common.span_of(start, end)


def _space(code: str | None, name: str) -> Space | None:
    if code is None:
        return None
    found = Space.objects.select_related("type", "floor").filter(code=code).first()
    if found is None:
        raise common.UnknownSpace(code, fields=[common.fault(name, common.UnknownSpace)])
    return found


def _wish(request: HttpRequest, wish: SeriesWishIn) -> services.SeriesWish:
    """What the request asks for, with the rows it names."""
    user = auth.user_of(request)
    space = _space(wish.space, "space")
    assert space is not None
    first = bookings.BookingWish(
        space=space,
        tenant=common.tenant_of(user, wish.tenant),
        span=common.span_of(wish.starts_at, wish.ends_at),
        purpose=wish.purpose,
        headcount=wish.headcount,
        title=wish.title,
        services=tuple(ServiceWish(code=s.code, qty=Decimal(s.qty)) for s in wish.services),
        units=wish.units,
        extras=_extras(wish.extras),
        # Only staff may waive a rule; a tenant's list is simply not heard.
        override=frozenset(wish.override) if user.tenant_id is None else frozenset(),
    )
    return services.SeriesWish(
        first, wish.rrule.strip(), wish.exdates, wish.rdates, choices=_choices(wish)
    )


def _extras(wishes: list[SeriesExtraIn]) -> list[bookings.Extra]:
    spaces = Space.objects.select_related("type", "floor").in_bulk(
        [e.space for e in wishes if e.space], field_name="code"
    )
    pools = EquipmentPool.objects.in_bulk([e.pool for e in wishes if e.pool], field_name="code")
    return [
        bookings.Extra(
            space=common.named(f"extras.{i}.space", e.space, spaces),
            pool=common.named(f"extras.{i}.pool", e.pool, pools),
            quantity=e.quantity,
        )
        for i, e in enumerate(wishes)
    ]


def _choices(wish: SeriesWishIn) -> dict[datetime, services.Choice]:
    spaces: dict[str, Any] = Space.objects.select_related("type", "floor").in_bulk(
        {c.space for c in wish.choices if c.space}, field_name="code"
    )
    return {
        c.recurrence_id: services.Choice(
            space=common.named(f"choices.{i}.space", c.space, spaces),
            span=_span(c.starts_at, c.ends_at, f"choices.{i}."),
            skip=c.skip,
        )
        for i, c in enumerate(wish.choices)
    }
