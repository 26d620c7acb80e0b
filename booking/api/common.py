"""What the endpoints share: who may, which booking, tenant, space and span the request names."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.http import HttpRequest
from ninja import Status

from base_ops.core import auth, clock, errors, places
from base_ops.core.models import Role, Space, Tenant, User
from base_ops.core.spans import Span
from billing.domain.rating import ServiceWish
from booking import selectors, services
from booking.models import Booking, EquipmentPool
from booking.schemas import BookingIn, BookingOut, ExtraIn, WishIn, booking_out

R = TypeVar("R")


class UnknownSpace(errors.Invalid):
    """The request names a space that does not exist."""

    code, title_zh, title_en = "unknown_space", "没有该空间", "No such space"


class UnknownResource(errors.Invalid):
    """The request names a space or an equipment pool that does not exist."""

    code, title_zh, title_en = "unknown_resource", "没有该空间或器材", "No such space or equipment"


class UnknownTenant(errors.Invalid):
    """The request names no tenant, or one that does not exist."""

    code, title_zh, title_en = "unknown_tenant", "没有该租户", "No such tenant"


class BadSpan(errors.Invalid):
    """The end is not after the start, or the span is too long to list."""

    code, title_zh, title_en = "bad_span", "时间段有误", "Not a valid span of time"


def scope(request: HttpRequest) -> int | None:
    """The tenant whose bookings the caller may see; None means all.

    Raises:
        errors.Forbidden: the district sees aggregates only.
    """
    user = auth.user_of(request)
    if user.tenant_id is None:
        auth.check_role(user, Role.MANAGER, Role.TECHNICIAN, Role.FINANCE)
    return user.tenant_id


def done(
    request: HttpRequest, code: str, deed: Callable[..., Booking], **told: Any
) -> Status[BookingOut]:
    """Do it to the booking of that code as the caller, now; answers with what it has become."""
    now = clock.now()
    booking = deed(
        booking=booking_of(request, code), actor=auth.actor_of(request), now=now, **told
    )
    return Status(200, out_of(request, booking, now=now))


def out_of(request: HttpRequest, booking: Booking, *, now: datetime) -> BookingOut:
    """The booking as this caller may see it."""
    return booking_out(booking, reader=auth.user_of(request), now=now)


def booking_of(request: HttpRequest, code: str) -> Booking:
    """One booking within the caller's scope."""
    return selectors.booking_for(code=code, tenant_id=scope(request))


def may_book(request: HttpRequest) -> None:
    """Tenants' people and managers book."""
    auth.check_role(auth.user_of(request), Role.TENANT_ADMIN, Role.TENANT_MEMBER, Role.MANAGER)


def wish_of(request: HttpRequest, wish: WishIn) -> services.BookingWish:
    """What the request asks for, with the rows it names."""
    user = auth.user_of(request)
    space, tenant = _space_and_tenant(user, wish)
    full = wish if isinstance(wish, BookingIn) else None
    return services.BookingWish(
        space=space,
        tenant=tenant,
        span=span_of(wish.starts_at, wish.ends_at),
        purpose=wish.purpose,
        headcount=wish.headcount,
        title=wish.title,
        services=tuple(ServiceWish(code=s.code, qty=s.qty) for s in wish.services),
        units=wish.units,
        extras=extras_of(wish.extras),
        # Only staff may waive a rule; a tenant's list is simply not heard.
        override=frozenset(full.override) if full and user.tenant_id is None else frozenset(),
        quote_token=full.quote_token if full else None,
    )


def _space_and_tenant(user: User, wish: WishIn) -> tuple[Space, Tenant]:
    """The rows that the wish names; one query for a tenant's own people."""
    if user.tenant_id is None:
        return space_named(wish.space), tenant_named(wish.tenant)
    found = places.space_and_tenant(wish.space, user.tenant_id)
    if found is None:
        raise UnknownSpace(wish.space, fields=[fault("space", UnknownSpace)])
    return found[0], _own(found[1], wish.tenant)


def space_named(code: str) -> Space:
    """The space of that code.

    Raises:
        UnknownSpace: there is none.
    """
    found = places.space(code)
    if found is None:
        raise UnknownSpace(code, fields=[fault("space", UnknownSpace)])
    return found


def extras_of(wanted: Sequence[ExtraIn]) -> tuple[services.Extra, ...]:
    """What is wanted beside the room, with the rows it names; two queries at most.

    Raises:
        UnknownResource: a space or pool that does not exist.
        BadSpan: only one of both times, or an end before the start.
    """
    if not wanted:
        return ()
    codes = {e.space for e in wanted if e.space}
    spaces = {
        s.code: s for s in Space.objects.select_related("type", "floor").filter(code__in=codes)
    }
    pools = {
        p.code: p
        for p in EquipmentPool.objects.filter(code__in={e.pool for e in wanted if e.pool})
    }
    return tuple(_extra(i, e, spaces, pools) for i, e in enumerate(wanted))


def _extra(
    index: int, wish: ExtraIn, spaces: dict[str, Space], pools: dict[str, EquipmentPool]
) -> services.Extra:
    space = named(f"extras.{index}.space", wish.space, spaces)
    pool = named(f"extras.{index}.pool", wish.pool, pools)
    span = None
    if wish.starts_at is not None or wish.ends_at is not None:
        if wish.starts_at is None or wish.ends_at is None or wish.ends_at <= wish.starts_at:
            raise BadSpan("extras", fields=[fault(f"extras.{index}.ends_at", BadSpan)])
        span = Span(wish.starts_at, wish.ends_at)
    return services.Extra(space=space, pool=pool, quantity=wish.quantity, span=span)


def named(name: str, code: str | None, rows: dict[str, R]) -> R | None:
    """The row that a code names; none for no code.

    Raises:
        UnknownResource: there is none.
    """
    if code is None:
        return None
    if code not in rows:
        raise UnknownResource(code, fields=[fault(name, UnknownResource)])
    return rows[code]


def tenant_of(user: User, code: str | None) -> Tenant:
    """The caller's tenant; staff name one."""
    if user.tenant_id is not None:
        return _own(places.tenant(user.tenant_id), code)
    return tenant_named(code)


def _own(tenant: Tenant, code: str | None) -> Tenant:
    if code not in (None, tenant.code):
        raise errors.Forbidden("only for one's own tenant")
    return tenant


def tenant_named(code: str | None) -> Tenant:
    """The tenant of that code.

    Raises:
        UnknownTenant: none is named, or there is none.
    """
    found = places.tenant_named(code) if code else None
    if found is None:
        raise UnknownTenant(code or "", fields=[fault("tenant", UnknownTenant)])
    return found


def span_of(start: datetime, end: datetime, *, most: timedelta = timedelta(days=31)) -> Span:
    """The span asked for.

    Raises:
        BadSpan: empty, or longer than `most`.
    """
    if not start < end <= start + most:
        raise BadSpan(
            f"{start.isoformat()} .. {end.isoformat()}", fields=[fault("ends_at", BadSpan)]
        )
    return Span(start, end)


def fault(name: str, kind: type[errors.DomainError]) -> errors.FieldFault:
    """The field at fault, said with an error's own titles."""
    return errors.FieldFault(name, kind.title_zh, kind.title_en)
