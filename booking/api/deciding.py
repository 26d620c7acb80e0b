"""Decisions on bookings that are not settled yet, and what became of them."""

from django.http import HttpRequest
from ninja import Router, Status

from base_ops.core import auth, clock
from base_ops.core.auth import roles
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.models import Role
from base_ops.core.problems import Problem, codes_4xx
from booking import selectors, services
from booking.api import common
from booking.schemas import BookingOut, HistoryOut, ReasonIn, SlotTakenProblem

router = Router()
refusals = codes_4xx - {409}


@router.post(
    "/bookings/{code}/hold",
    response={200: BookingOut, 409: SlotTakenProblem, refusals: Problem},
    by_alias=True,
)
@idempotent
def hold_draft(
    request: HttpRequest, code: str, idempotency_key: IdempotencyHeader
) -> Status[BookingOut]:
    """Turn a draft into a hold of ten minutes, at the price it was drafted with."""
    common.may_book(request)
    return common.done(request, code, services.hold)


@router.post(
    "/bookings/{code}/confirm",
    response={200: BookingOut, 409: SlotTakenProblem, refusals: Problem},
    by_alias=True,
)
@idempotent
def confirm_booking(
    request: HttpRequest, code: str, idempotency_key: IdempotencyHeader
) -> Status[BookingOut]:
    """Confirm a draft or a hold; for managers, approve a request."""
    common.may_book(request)
    return common.done(request, code, services.confirm, clock=clock.now)


@router.post("/bookings/{code}/approve", response={200: BookingOut, codes_4xx: Problem})
@roles(Role.MANAGER)
@idempotent
def approve_booking(
    request: HttpRequest, code: str, idempotency_key: IdempotencyHeader
) -> Status[BookingOut]:
    """Approve a request that waits; its slot was kept for it."""
    return common.done(request, code, services.approve)


@router.post("/bookings/{code}/reject", response={200: BookingOut, codes_4xx: Problem})
@roles(Role.MANAGER)
@idempotent
def reject_booking(
    request: HttpRequest, code: str, wish: ReasonIn, idempotency_key: IdempotencyHeader
) -> Status[BookingOut]:
    """Refuse a request that waits, with the reason that the tenant reads."""
    return common.done(request, code, services.reject, reason=wish.reason)


@router.post("/bookings/{code}/release", response={200: BookingOut, codes_4xx: Problem})
@roles(Role.MANAGER)
@idempotent
def release_booking(
    request: HttpRequest, code: str, wish: ReasonIn, idempotency_key: IdempotencyHeader
) -> Status[BookingOut]:
    """Free a confirmed booking without any fee: the base's own fault, or goodwill."""
    return common.done(request, code, services.release, reason=wish.reason)


@router.get("/bookings/{code}/history", response={200: list[HistoryOut], codes_4xx: Problem})
def read_history(request: HttpRequest, code: str) -> list[HistoryOut]:
    """What was done to a booking, by whom and why, in order; tenants read no names of the base."""
    booking = common.booking_of(request, code)
    reader = auth.user_of(request)
    named = reader.tenant_id is None
    priced = reader.role not in (Role.MANAGER, Role.TECHNICIAN)
    return [
        HistoryOut.model_validate(entry)
        for entry in selectors.history(booking, named=named, priced=priced)
    ]
