"""Handovers: what people note and photograph, what the devices were found to be."""

from django.http import HttpRequest, HttpResponse
from ninja import Router, Status

from base_ops.core import auth, clock, errors
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.models import Role
from base_ops.core.problems import Problem, codes_4xx
from booking import selectors
from booking.api import common
from booking.models import Booking
from booking.schemas.doors import (
    HandoverIn,
    HandoverOut,
    PhotoOut,
    SettleIn,
    handover_out,
    photo_out,
)
from booking.services import handovers, photos

router = Router(tags=["handovers"])

with_415 = codes_4xx | {415}
_PIXELS = {"schema": {"type": "string", "format": "binary"}}
UPLOAD = {
    "requestBody": {
        "required": True,
        "content": dict.fromkeys(("image/jpeg", "image/png", "image/webp"), _PIXELS),
    }
}
DOWNLOAD = {
    "responses": {200: {"description": "OK", "content": {photos.MEDIA_TYPE: _PIXELS}}},
}


@router.get("/bookings/{code}/handover", response={200: HandoverOut, codes_4xx: Problem})
def read_handover(request: HttpRequest, code: str) -> HandoverOut:
    """How the room was given back: the verdict with its reasons, notes, photos."""
    booking = common.booking_of(request, code)
    return handover_out(selectors.handover_of(booking), booking.code)


@router.post("/bookings/{code}/handover", response={200: HandoverOut, codes_4xx: Problem})
@idempotent
def note_handover(
    request: HttpRequest, code: str, wish: HandoverIn, idempotency_key: IdempotencyHeader
) -> Status[HandoverOut]:
    """Add notes, from check-in to a day after the end; a problem calls a technician."""
    booking = _mine(request, code)
    handovers.note(
        booking=booking,
        notes=wish.notes,
        problem=wish.problem,
        actor=auth.actor_of(request),
        now=clock.now(),
    )
    return Status(200, handover_out(selectors.handover_of(booking), booking.code))


@router.post(
    "/bookings/{code}/handover/photos",
    response={201: PhotoOut, with_415: Problem},
    openapi_extra=UPLOAD,
)
@idempotent
def add_handover_photo(
    request: HttpRequest, code: str, idempotency_key: IdempotencyHeader
) -> Status[PhotoOut]:
    """Add a JPEG, PNG or WebP photo as the body, 5 MB at most; eight of them."""
    booking = _mine(request, code)
    if int(request.headers.get("Content-Length") or 0) > photos.MAX_BYTES:
        raise photos.PhotoTooLarge(limit_bytes=photos.MAX_BYTES)
    row = handovers.add_photo(
        booking=booking, data=request.body, actor=auth.actor_of(request), now=clock.now()
    )
    return Status(201, photo_out(row))


@router.get(
    "/bookings/{code}/handover/photos/{number}",
    response={codes_4xx: Problem},
    openapi_extra=DOWNLOAD,
)
def read_handover_photo(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """The photo itself."""
    row = selectors.photo_of(common.booking_of(request, code), number, thumbnail=False)
    return _pixels(bytes(row.image), row.digest)


@router.get(
    "/bookings/{code}/handover/photos/{number}/thumbnail",
    response={codes_4xx: Problem},
    openapi_extra=DOWNLOAD,
)
def read_handover_thumbnail(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """The photo at most 320 pixels wide and high."""
    row = selectors.photo_of(common.booking_of(request, code), number, thumbnail=True)
    return _pixels(bytes(row.thumbnail), f"{row.digest}-s")


@router.post("/bookings/{code}/handover/settle", response={200: HandoverOut, codes_4xx: Problem})
@idempotent
def settle_handover(
    request: HttpRequest, code: str, wish: SettleIn, idempotency_key: IdempotencyHeader
) -> Status[HandoverOut]:
    """A technician took care of what was found; the room's alarm clears."""
    auth.check_role(auth.user_of(request), Role.MANAGER, Role.TECHNICIAN)
    booking = common.booking_of(request, code)
    handovers.settle(
        booking=booking, note=wish.note, actor=auth.actor_of(request), now=clock.now()
    )
    return Status(200, handover_out(selectors.handover_of(booking), booking.code))


def _mine(request: HttpRequest, code: str) -> Booking:
    """The booking, for its tenant and for who works at the rooms."""
    user = auth.user_of(request)
    if user.tenant_id is None and user.role not in (Role.MANAGER, Role.TECHNICIAN, Role.ADMIN):
        raise errors.Forbidden("handovers are written by the tenant and at the rooms")
    return common.booking_of(request, code)


def _pixels(data: bytes, tag: str) -> HttpResponse:
    """An image that can be nothing else, for this caller's eyes only."""
    response = HttpResponse(data, content_type=photos.MEDIA_TYPE)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Content-Disposition"] = "inline"
    response["Cache-Control"] = "private, max-age=3600"
    response["ETag"] = f'"{tag}"'
    return response
