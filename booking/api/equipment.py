"""Equipment pools: what there is to borrow, what is free, and keeping them."""

from datetime import timedelta
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from base_ops.core import auth, clock, errors, etags
from base_ops.core.auth import roles
from base_ops.core.instants import Instant
from base_ops.core.models import Role, Space
from base_ops.core.problems import Problem, codes_4xx
from booking import selectors
from booking.api import common
from booking.models import EquipmentPool
from booking.schemas.equipment import Code, PoolIn, PoolOut
from booking.services.equipment import Plan, Thing, keep_pool

router = Router()


@router.get("/equipment-pools", response={200: list[PoolOut], codes_4xx: Problem})
def list_pools(
    request: HttpRequest,
    start: Annotated[Instant | None, Query(alias="from")] = None,
    to: Instant | None = None,
) -> list[dict[str, Any]]:
    """All pools; with a window, how many of each are free for it, buffers included."""
    window = common.span_of(start, to, most=timedelta(days=7)) if start and to else None
    return selectors.pools(window=window, now=clock.now())


@router.get("/equipment-pools/{code}", response={200: PoolOut, codes_4xx: Problem})
def read_pool(request: HttpRequest, response: HttpResponse, code: str) -> dict[str, Any]:
    """One pool and its ETag."""
    found = next((p for p in selectors.pools(window=None, now=clock.now(), code=code)), None)
    if found is None:
        raise errors.NotFound(f"no equipment pool {code}")
    response["ETag"] = etags.etag_of(found["version"])
    return found


@router.put("/equipment-pools/{code}", response={200: PoolOut, codes_4xx: Problem})
@roles(Role.MANAGER)
def keep_equipment(
    request: HttpRequest, response: HttpResponse, code: Code, wish: PoolIn
) -> dict[str, Any]:
    """Create a pool, or with If-Match change one; booked things cannot go out of service."""
    now = clock.now()

    def check(row: EquipmentPool | None) -> None:
        if row is not None:
            etags.require_match(request, row.version)

    keep_pool(plan=_plan(code, wish), actor=auth.actor_of(request), check=check, now=now)
    return read_pool(request, response, code)


def _plan(code: str, wish: PoolIn) -> Plan:
    numbers = [unit.number for unit in wish.units]
    if len(set(numbers)) < len(numbers):
        double = errors.FieldFault("units", "编号重复", "A number appears twice")
        raise errors.Invalid("units", fields=[double])
    home = Space.objects.filter(code=wish.home).first() if wish.home else None
    if wish.home and home is None:
        unknown = common.fault("home", common.UnknownSpace)
        raise common.UnknownSpace(wish.home, fields=[unknown])
    return Plan(
        code=code,
        name_zh=wish.name_zh,
        name_en=wish.name_en,
        things=[Thing(u.number, u.label, u.in_service) for u in wish.units],
        home=home,
        service_code=wish.service_code,
        setup_min=wish.setup_min,
        teardown_min=wish.teardown_min,
    )
