"""Move, resize, swap, transfer; the preview says what it would cost."""

from django.http import HttpRequest
from ninja import Router, Status

from base_ops.core import auth, clock, errors, etags
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.models import Role, Space
from base_ops.core.problems import Problem, codes_4xx
from booking import services
from booking.api import common
from booking.schemas import BookingOut, SlotTakenProblem
from booking.schemas.changes import (
    ChangeIn,
    PreviewOut,
    RefusalOut,
    SwapIn,
    SwapOut,
    TransferIn,
)

router = Router()
refusals = codes_4xx - {409}


@router.post("/bookings/{code}/change-preview", response={200: PreviewOut, codes_4xx: Problem})
def preview_change(request: HttpRequest, code: str, wish: ChangeIn) -> PreviewOut:
    """What moving or resizing would cost, and what stands against it; nothing is changed."""
    common.may_book(request)
    seen = services.preview(
        booking=common.booking_of(request, code), change=_change(request, wish), now=clock.now()
    )
    priced = auth.user_of(request).role != Role.MANAGER
    return PreviewOut(
        space=seen.wish.space.code,
        starts_at=seen.wish.span.start,
        ends_at=seen.wish.span.end,
        price_fen=seen.quote.total_fen if priced else None,
        was_fen=seen.was_fen if priced else None,
        difference_fen=seen.quote.total_fen - seen.was_fen if priced else None,
        fee_fen=seen.fee_fen if priced else None,
        quote=seen.quote.as_json() if priced else None,
        possible=seen.refusal is None,
        waived=[broken.as_json() for broken in seen.broken],
        refusal=_refusal(seen.refusal) if seen.refusal else None,
    )


def _refusal(exc: errors.DomainError) -> RefusalOut:
    return RefusalOut.model_validate(
        {
            "code": exc.code,
            "title_zh": exc.title_zh,
            "title_en": exc.title_en,
            "detail": exc.detail,
            "fields": [
                {"name": f.name, "reason_zh": f.reason_zh, "reason_en": f.reason_en}
                for f in exc.fields
            ],
            "context": exc.context,
        }
    )


@router.post(
    "/bookings/{code}/move", response={200: BookingOut, 409: SlotTakenProblem, refusals: Problem}
)
@idempotent
def move_booking(
    request: HttpRequest,
    code: str,
    wish: ChangeIn,
    idempotency_key: IdempotencyHeader,
) -> Status[BookingOut]:
    """Move or resize at the price quoted now; needs If-Match. Late changes may cost a fee."""
    common.may_book(request)
    return common.done(
        request,
        code,
        services.move,
        change=_change(request, wish),
        check=lambda row: etags.require_match(request, row.version),
    )


@router.post(
    "/bookings/{code}/swap", response={200: SwapOut, 409: SlotTakenProblem, refusals: Problem}
)
@idempotent
def swap_bookings(
    request: HttpRequest, code: str, wish: SwapIn, idempotency_key: IdempotencyHeader
) -> Status[SwapOut]:
    """Let two bookings change places, both or neither; tenants swap their own."""
    common.may_book(request)
    now = clock.now()
    one, other = services.swap(
        one=common.booking_of(request, code),
        other=common.booking_of(request, wish.other),
        actor=auth.actor_of(request),
        now=now,
    )
    both = (common.out_of(request, one, now=now), common.out_of(request, other, now=now))
    return Status(200, SwapOut(one=both[0], other=both[1]))


@router.post(
    "/bookings/{code}/transfer",
    response={200: BookingOut, 409: SlotTakenProblem, refusals: Problem},
)
@idempotent
def transfer_booking(
    request: HttpRequest, code: str, wish: TransferIn, idempotency_key: IdempotencyHeader
) -> Status[BookingOut]:
    """Bring a booking to an equal room at its price, because its own is not fit.

    Staff always may, into any room; a tenant takes what was proposed when its room turned red.
    """
    user = auth.user_of(request)
    if user.tenant_id is None:
        auth.check_role(user, Role.MANAGER)
    elif wish.space is not None:
        raise errors.Forbidden("a tenant takes the room that was proposed")
    return common.done(
        request,
        code,
        services.transfer,
        space=common.space_named(wish.space) if wish.space else None,
        reason=wish.reason,
    )


def _change(request: HttpRequest, wish: ChangeIn) -> services.Change:
    staff = auth.user_of(request).tenant_id is None
    space: Space | None = common.space_named(wish.space) if wish.space else None
    return services.Change(
        space=space,
        starts_at=wish.starts_at,
        ends_at=wish.ends_at,
        extras=None if wish.extras is None else common.extras_of(wish.extras),
        override=frozenset(wish.override) if staff else frozenset(),
        price_fen=wish.price_fen,
    )
