"""The booking endpoints: parse, one call, answer."""

from datetime import timedelta
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status

from base_ops.core import auth, clock, errors, etags
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.instants import Instant
from base_ops.core.models import Role
from base_ops.core.pages import Page, cut
from base_ops.core.problems import Problem, codes_4xx
from billing.selectors import cancellation_fee_fen
from booking import presenting, selectors, services
from booking.api import common
from booking.domain import states
from booking.schemas import (
    BookingIn,
    BookingOut,
    BookingPatch,
    CancelIn,
    CancellationOut,
    CheckInIn,
    CodeOut,
    OccupancyOut,
    QuoteOut,
    SlotTakenProblem,
    TimelineOut,
    WishIn,
    booking_text,
)

router = Router(tags=["booking"])

refusals = codes_4xx - {409}
From = Annotated[Instant, Query(alias="from")]
To = Annotated[Instant, Query()]


@router.post("/quotes", response={200: QuoteOut, codes_4xx: Problem})
def create_quote(request: HttpRequest, wish: WishIn) -> Any:
    """A price with every discount applied or refused, and a token that books at it."""
    common.may_book(request)
    return services.offer_quote(
        wish=common.wish_of(request, wish), actor=auth.actor_of(request), now=clock.now()
    )


@router.post(
    "/bookings",
    response={201: BookingOut, 409: SlotTakenProblem, refusals: Problem},
    by_alias=True,
)
@idempotent
def create_booking(
    request: HttpRequest, wish: BookingIn, idempotency_key: IdempotencyHeader
) -> Status[bytes]:
    """Hold a slot for ten minutes, or with `confirm` take it at once, or with `draft` only ask."""
    common.may_book(request)
    now, actor = clock.now(), auth.actor_of(request)
    asked = common.wish_of(request, wish)
    if wish.draft:
        booking = services.draft(wish=asked, actor=actor, now=now)
    else:
        booking = services.book(wish=asked, actor=actor, hold=not wish.confirm, now=now)
    return Status(201, booking_text(booking, reader=auth.user_of(request), now=now))


@router.get("/bookings", response={200: Page[BookingOut], codes_4xx: Problem})
def list_bookings(
    request: HttpRequest,
    status: Annotated[str | None, Query(max_length=120)] = None,
    space: Annotated[str | None, Query(max_length=32)] = None,
    tenant: Annotated[str | None, Query(max_length=16)] = None,
    start: Annotated[Instant | None, Query(alias="from")] = None,
    to: Instant | None = None,
    ascending: bool = False,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Page[BookingOut]:
    """Bookings that end after `from` and start before `to`; a tenant sees its own."""
    now = clock.now()
    rows = selectors.filtered(
        selectors.bookings_for(common.scope(request)),
        statuses=status.split(",") if status else (),
        space=space,
        tenant=tenant,
        start=start,
        end=to,
        now=now,
    )
    found, following = cut(
        rows, by="starts_at", descending=not ascending, cursor=cursor, limit=limit
    )
    return Page(items=[common.out_of(request, row, now=now) for row in found], next=following)


@router.get("/bookings/{code}", response={200: BookingOut, codes_4xx: Problem})
def read_booking(request: HttpRequest, response: HttpResponse, code: str) -> BookingOut:
    """One booking and its ETag."""
    booking = common.booking_of(request, code)
    response["ETag"] = etags.etag_of(booking.version)
    return common.out_of(request, booking, now=clock.now())


@router.patch("/bookings/{code}", response={200: BookingOut, codes_4xx: Problem})
def edit_booking(
    request: HttpRequest, response: HttpResponse, code: str, patch: BookingPatch
) -> BookingOut:
    """Change title, purpose or headcount; needs If-Match."""
    common.may_book(request)
    now = clock.now()
    booking = services.amend(
        booking=common.booking_of(request, code),
        actor=auth.actor_of(request),
        title=patch.title,
        purpose=patch.purpose,
        headcount=patch.headcount,
        check=lambda row: etags.require_match(request, row.version),
        now=now,
    )
    response["ETag"] = etags.etag_of(booking.version)
    return common.out_of(request, booking, now=now)


@router.post("/bookings/{code}/cancel", response={200: BookingOut, codes_4xx: Problem})
@idempotent
def cancel_booking(
    request: HttpRequest, code: str, wish: CancelIn, idempotency_key: IdempotencyHeader
) -> Status[BookingOut]:
    """Give the slot back; late cancellation of a confirmed booking costs a fee."""
    common.may_book(request)
    return common.done(request, code, services.cancel, reason=wish.reason)


@router.get("/bookings/{code}/cancellation", response={200: CancellationOut, codes_4xx: Problem})
def read_cancellation(request: HttpRequest, code: str) -> CancellationOut:
    """What cancelling would cost now: shown before anybody cancels."""
    auth.check_role(
        auth.user_of(request),
        Role.TENANT_ADMIN, Role.TENANT_MEMBER, Role.MANAGER, Role.FINANCE,
    )  # fmt: skip
    booking = common.booking_of(request, code)
    if booking.status != states.Status.CONFIRMED:
        return CancellationOut(fee_fen=0)
    fee = cancellation_fee_fen(booking.quote, booking.starts_at, clock.now())
    return CancellationOut(fee_fen=fee)


@router.get("/bookings/{code}/check-in-code", response={200: CodeOut, codes_4xx: Problem})
def read_check_in_code(request: HttpRequest, code: str) -> Any:
    """What to show at the door: a token that lives ten minutes, for a QR code, and the PIN."""
    if auth.user_of(request).tenant_id is None:
        raise errors.Forbidden("the code is the tenant's")
    return services.code_for_door(booking=common.booking_of(request, code), now=clock.now())


@router.post("/bookings/{code}/check-in", response={200: BookingOut, codes_4xx: Problem})
def check_in(
    request: HttpRequest, code: str, shown: CheckInIn, idempotency_key: IdempotencyHeader
) -> Any:
    """Take the room over with the token or the PIN; staff need neither.

    Five wrong PINs within ten minutes lock the PIN: they count although the answer is a refusal,
    so the proof comes before the transaction of the check-in.
    """
    proof = services.prove(
        booking=common.booking_of(request, code),
        actor=auth.actor_of(request),
        token=shown.token,
        pin=shown.pin,
        now=clock.now(),
    )
    return _come_in(request, code, proof, idempotency_key=idempotency_key)


@idempotent
def _come_in(
    request: HttpRequest, code: str, proof: services.Proof, *, idempotency_key: str
) -> Status[BookingOut]:
    return common.done(request, code, services.come_in, proof=proof)


@router.post("/bookings/{code}/check-out", response={200: BookingOut, codes_4xx: Problem})
@idempotent
def check_out(
    request: HttpRequest, code: str, idempotency_key: IdempotencyHeader
) -> Status[BookingOut]:
    """End the stay now: the encoder stops, the room is wrapped, the use is charged."""
    user = auth.user_of(request)
    if user.tenant_id is None:
        auth.check_role(user, Role.MANAGER, Role.TECHNICIAN)
    return common.done(request, code, services.check_out)


@router.get("/timeline", response={200: TimelineOut, codes_4xx: Problem}, by_alias=True)
def read_timeline(request: HttpRequest, start: From, to: To) -> TimelineOut:
    """Who takes what when, by space; what is not the caller's is only busy."""
    user = auth.user_of(request)
    return presenting.timeline(
        window=common.span_of(start, to, most=timedelta(days=35)),
        tenant_id=user.tenant_id,
        named=user.tenant_id is None and user.role != Role.LIAISON,
        now=clock.now(),
    )


@router.get("/occupancy", response={200: OccupancyOut, codes_4xx: Problem})
def read_occupancy(request: HttpRequest) -> OccupancyOut:
    """Every space now, as the caller's live topic shows it."""
    return presenting.occupancy_for(auth.user_of(request), now=clock.now())
