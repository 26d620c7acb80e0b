"""Search: time first and room second, the next free times, a month at a glance."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import StringConstraints

from base_ops.core import auth, clock, errors
from base_ops.core.instants import Instant
from base_ops.core.models import Role, Space, Tenant
from base_ops.core.problems import Problem, codes_4xx
from booking import offering, selectors
from booking.api import common
from booking.schemas import Alternative, AvailabilityOut, MonthOut, NextOut, SpaceFilter
from booking.schemas.search import AlternativesOut, Code, Sort
from booking.selectors import Search, Wanted

router = Router(tags=["booking"])
From = Annotated[Instant, Query(alias="from")]
To = Annotated[Instant, Query()]
Month = Annotated[str, StringConstraints(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")]
LONGEST = timedelta(days=2)


class PriceNeedsTenant(errors.Invalid):
    """Prices are a tenant's: searching by price needs one."""

    code = "price_needs_tenant"
    title_zh = "按价格查找须指明租户"
    title_en = "A search by price needs a tenant"


@router.get("/availability", response={200: AvailabilityOut, codes_4xx: Problem})
def read_availability(
    request: HttpRequest,
    start: From,
    to: To,
    wanted: Query[SpaceFilter],
    tenant: Annotated[str | None, Query(max_length=16)] = None,
    free: bool = False,
    max_price_fen: Annotated[int | None, Query(ge=0, le=10**12)] = None,
    sort: Sort = "place",
) -> AvailabilityOut:
    """Time first: every bookable space for one window, free or busy, with its price.

    Prices are a tenant's: its own people's, or those of the one that who handles money names.
    With `free` only spaces that are free; the free ones always come first.
    """
    wish = common.span_of(start, to, most=LONGEST)
    renter = _renter(request, tenant)
    if renter is None and (sort == "price" or max_price_fen is not None):
        name = "sort" if sort == "price" else "max_price_fen"
        raise PriceNeedsTenant(name, fields=[common.fault(name, PriceNeedsTenant)])
    found = offering.availability(
        spaces=_spaces(wanted),
        wish=wish,
        units=wanted.units,
        renter=renter,
        max_price_fen=max_price_fen,
        sort=sort,
        now=clock.now(),
    )
    if free:
        found.items = [item for item in found.items if item.free]
    return found


@router.get("/availability/next", response={200: NextOut, codes_4xx: Problem}, by_alias=True)
def read_next(
    request: HttpRequest,
    wanted: Query[SpaceFilter],
    start: Annotated[Instant | None, Query(alias="from")] = None,
    minutes: Annotated[int, Query(ge=1, le=2880)] = 60,
    count: Annotated[int, Query(ge=1, le=50)] = 3,
    days: Annotated[int, Query(ge=1, le=90)] = 14,
) -> NextOut:
    """The next free times of so many minutes in each space, from an instant on.

    A space sells no less than its minimum and whole steps: its times may be longer than asked.
    By the rules of opening, length, notice and advance for the caller's tenant each can be booked.
    """
    now = clock.now()
    since = max(start or now, now)
    search = Search(
        since, since + timedelta(days=days), timedelta(minutes=minutes), wanted.units, count
    )
    renter = _renter(request, None)
    return offering.upcoming(spaces=_spaces(wanted), search=search, renter=renter, now=now)


@router.get("/availability/alternatives", response={200: AlternativesOut, codes_4xx: Problem})
def read_alternatives(
    request: HttpRequest,
    space: Annotated[Code, Query()],
    start: From,
    to: To,
    headcount: Annotated[int, Query(ge=1, le=1000)] = 1,
    units: Annotated[int, Query(ge=1, le=100)] = 1,
    tenant: Annotated[str | None, Query(max_length=16)] = None,
) -> AlternativesOut:
    """Near times in the space, and rooms of its group at or near the time.

    What the rooms cost more or less than the space is a tenant's, as prices are everywhere.
    """
    found = Space.objects.select_related("type", "floor").filter(code=space).first()
    if found is None:
        raise common.UnknownSpace(space, fields=[common.fault("space", common.UnknownSpace)])
    wish = common.span_of(start, to, most=LONGEST)
    renter = _renter(request, tenant)
    items = selectors.alternatives(
        found, wish, headcount, units=units, renter=renter, prices_of=renter, now=clock.now()
    )
    return AlternativesOut(items=[Alternative(**item) for item in items])


@router.get("/availability/month", response={200: MonthOut, codes_4xx: Problem})
def read_month(
    request: HttpRequest,
    wanted: Query[SpaceFilter],
    month: Annotated[Month, Query()],
    by: Literal["band", "hour"] = "band",
) -> MonthOut:
    """How much of the spaces is free in each band or hour of each day of a month."""
    first = date.fromisoformat(f"{month}-01")
    return offering.month(spaces=_spaces(wanted), first=first, by=by, now=clock.now())


def _renter(request: HttpRequest, tenant: str | None) -> Tenant | None:
    """Whose prices the caller may see: their own, or as staff of money those of whom they name."""
    user = auth.user_of(request)
    if user.tenant_id is None and tenant:
        auth.check_role(user, Role.MANAGER, Role.FINANCE)
    return common.tenant_of(user, tenant) if user.tenant_id or tenant else None


def _spaces(wanted: SpaceFilter) -> list[Space]:
    """The spaces that fit.

    Raises:
        UnknownSpace: one that is named does not exist.
    """
    if wanted.space:
        _check_known(wanted.space)
    return selectors.bookable_spaces(
        Wanted(
            type_code=wanted.type,
            group=wanted.group,
            floor=wanted.floor,
            capacity=wanted.capacity,
            features=wanted.feature,
            units=wanted.units,
            codes=wanted.space,
        )
    )


def _check_known(codes: Sequence[str]) -> None:
    known = Space.objects.filter(code__in=codes).values_list("code", flat=True)
    if strange := sorted(set(codes) - set(known)):
        raise common.UnknownSpace(
            ", ".join(strange), fields=[common.fault("space", common.UnknownSpace)]
        )
