"""What goes in and out of the endpoints that move bookings, and of the waitlist."""

from datetime import datetime
from typing import Annotated, Any

from ninja import Schema
from pydantic import Field, StringConstraints

from base_ops.core.instants import Instant
from base_ops.core.problems import FieldProblem
from booking.models import WaitlistEntry
from booking.schemas.bookings import BookingOut, ExtraIn, Purpose, ServiceIn, Text

Code = Annotated[str, StringConstraints(max_length=32)]


class ChangeIn(Schema):
    """Where and when to; what is left out stays. A new start alone keeps the length."""

    space: Code | None = None
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    extras: Annotated[list[ExtraIn], Field(max_length=20)] | None = None
    override: Annotated[list[str], Field(max_length=10)] = []
    price_fen: Annotated[int, Field(ge=0, le=10**12)] | None = None


class RefusalOut(Schema):
    """Why it could not be done now."""

    code: str
    title_zh: str
    title_en: str
    detail: str
    fields: list[FieldProblem]
    context: dict[str, Any]


class PreviewOut(Schema):
    """What a change would mean; amounts only for whom they concern."""

    space: str
    starts_at: datetime
    ends_at: datetime
    price_fen: int | None
    was_fen: int | None
    difference_fen: int | None
    fee_fen: int | None
    quote: dict[str, Any] | None
    possible: bool
    waived: list[dict[str, Any]]
    refusal: RefusalOut | None


class SwapIn(Schema):
    """The other booking."""

    other: Annotated[str, StringConstraints(max_length=16)]


class SwapOut(Schema):
    """Both, as they are now."""

    one: BookingOut
    other: BookingOut


class TransferIn(Schema):
    """Where to (the proposed or an equal free room when left out), and why."""

    space: Code | None = None
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=240)] = ""


class WaitIn(Schema):
    """What somebody waits for; with `any_of_type` any room like `space` will do."""

    space: Code
    any_of_type: bool = False
    starts_at: Instant
    ends_at: Instant
    tenant: Annotated[str, StringConstraints(max_length=16)] | None = None
    purpose: Purpose = "live_sales"
    headcount: Annotated[int, Field(ge=1, le=1000)] = 1
    title: Text = ""
    services: Annotated[list[ServiceIn], Field(max_length=20)] = []
    units: Annotated[int, Field(ge=1, le=100)] = 1


class WaitOut(Schema):
    """One entry; `booking` is the hold that was offered."""

    code: str
    tenant: str
    space: str | None
    space_type: str | None
    starts_at: datetime
    ends_at: datetime
    headcount: int
    units: int
    purpose: str
    title: str
    status: str
    booking: str | None
    refused_why: str
    created_at: datetime
    settled_at: datetime | None


def wait_out(row: WaitlistEntry) -> WaitOut:
    """The entry with codes for rows."""
    return WaitOut.model_validate(
        {name: getattr(row, name) for name in WaitOut.model_fields if name not in _NAMED}
        | {
            "tenant": row.tenant.code,
            "space": row.space.code if row.space else None,
            "space_type": row.space_type.code if row.space_type else None,
            "booking": row.offered.code if row.offered else None,
        }
    )


_NAMED = {"tenant", "space", "space_type", "booking"}
