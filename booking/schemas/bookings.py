"""What goes in and out of the booking endpoints."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from ninja import Schema
from pydantic import Field, StringConstraints

from base_ops.core.instants import Instant
from base_ops.core.models import Role, User
from base_ops.core.problems import Problem
from base_ops.core.schemas import TenantRef
from booking.domain import states
from booking.models import Booking

Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)]
Purpose = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{1,31}$")]


class ServiceIn(Schema):
    """So much of one service."""

    code: Annotated[str, StringConstraints(max_length=16)]
    qty: Annotated[Decimal, Field(gt=0, le=1000, max_digits=7, decimal_places=2)] = Decimal(1)


class ExtraIn(Schema):
    """Something taken beside the room: a space or seats in it, or things of an equipment pool."""

    space: Annotated[str, StringConstraints(max_length=32)] | None = None
    pool: Annotated[str, StringConstraints(max_length=32)] | None = None
    quantity: Annotated[int, Field(ge=1, le=1000)] = 1
    starts_at: Instant | None = None
    ends_at: Instant | None = None


class WishIn(Schema):
    """What somebody wants to book; staff name the tenant."""

    space: Annotated[str, StringConstraints(max_length=32)]
    starts_at: Instant
    ends_at: Instant
    tenant: Annotated[str, StringConstraints(max_length=16)] | None = None
    purpose: Purpose = "live_sales"
    headcount: Annotated[int, Field(ge=1, le=1000)] = 1
    title: Text = ""
    services: Annotated[list[ServiceIn], Field(max_length=20)] = []
    units: Annotated[int, Field(ge=1, le=100)] = 1
    extras: Annotated[list[ExtraIn], Field(max_length=20)] = []


class BookingIn(WishIn):
    """A wish to be held; with `confirm` to be confirmed at once, with `draft` only kept."""

    confirm: bool = False
    draft: bool = False
    quote_token: Annotated[str, StringConstraints(max_length=2000)] | None = None
    override: Annotated[list[str], Field(max_length=10)] = []


class BookingPatch(Schema):
    """What can be changed without moving the booking."""

    title: Text | None = None
    purpose: Purpose | None = None
    headcount: Annotated[int, Field(ge=1, le=1000)] | None = None


class ReasonIn(Schema):
    """Why something is taken from a tenant."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=240)]


class HistoryOut(Schema):
    """One deed on a booking: what, when, by whom, why."""

    at: datetime
    deed: str
    by: Literal["tenant", "base", "system"]
    who: str
    was: str | None
    became: str | None
    why: str
    detail: dict[str, Any]


class CancelIn(Schema):
    """Why."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=240)] = ""


class CancellationOut(Schema):
    """What cancelling would cost now, VAT included."""

    fee_fen: int


class CheckInIn(Schema):
    """What was shown at the door."""

    token: Annotated[str, StringConstraints(max_length=500)] | None = None
    pin: Annotated[str, StringConstraints(max_length=6)] | None = None


class SpaceRef(Schema):
    """A space by name."""

    code: str
    name_zh: str
    name_en: str


class QuoteOut(Schema):
    """A price with its derivation, the token that books at it, and rules that ask for approval."""

    quote: dict[str, Any]
    token: str
    expires_at: datetime
    rules_version: int
    approvals: list[str]


class PartOut(Schema):
    """What a booking takes beside its room; `kind` says whether `code` names a space or a pool."""

    kind: Literal["space", "pool"]
    code: str
    name_zh: str
    name_en: str
    quantity: int
    starts_at: datetime
    ends_at: datetime


class BookingOut(Schema):
    """A booking as its tenant and the base see it; money only for whom it concerns."""

    code: str
    status: states.Status
    space: SpaceRef
    series: str | None
    tenant: TenantRef
    starts_at: datetime
    ends_at: datetime
    overtime_until: datetime | None
    expires_at: datetime | None
    title: str
    purpose: str
    headcount: int
    units: int
    services: list[dict[str, Any]]
    extras: list[PartOut]
    setup_min: int
    teardown_min: int
    price_fen: int | None
    quote: dict[str, Any] | None
    created_at: datetime
    confirmed_at: datetime | None
    checked_in_at: datetime | None
    ended_at: datetime | None
    cancelled_at: datetime | None
    cancel_reason: str
    prepared_at: datetime | None
    ready: str | None
    ready_reasons: list[dict[str, Any]]
    proposal: dict[str, Any] | None
    live_minutes: int | None
    energy_wh: int | None
    possible: list[str]
    rules_version: int | None
    approvals: list[str]
    waived: list[str]
    version: int


def booking_out(row: Booking, *, reader: User, now: datetime) -> BookingOut:
    """The booking; a hold whose time is over reads as expired, swept or not."""
    # Not validated: the columns have these types, and validating costs as much as booking.
    shown = _shown(row, reader, now)
    priced = _sees_price(reader)
    return BookingOut.model_construct(
        **shown
        | {
            "space": SpaceRef.model_construct(**shown["space"]),
            "tenant": TenantRef.model_construct(**shown["tenant"]),
            "quote": row.quote if priced else None,
            "extras": parts_out(row),
        }
    )


def booking_text(row: Booking, *, reader: User, now: datetime) -> bytes:
    """The JSON text of `booking_out`, around the quote as it was encoded before."""
    shown = _shown(row, reader, now)
    priced = _sees_price(reader)
    shown["quote"] = (row.encoded_quote or row.quote) if priced else None
    shown["extras"] = [part.model_dump(mode="json") for part in parts_out(row)]
    return msgspec.json.encode({name: shown[name] for name in BookingOut.model_fields})


def _sees_price(reader: User) -> bool:
    return reader.role not in (Role.MANAGER, Role.TECHNICIAN)


def _shown(row: Booking, reader: User, now: datetime) -> dict[str, Any]:
    """What this reader sees, but for the quote and what is beside the room."""
    by = states.By.BASE if reader.tenant_id is None else states.By.TENANT
    fleeting = row.status in (states.Status.HELD, states.Status.DRAFT)
    overdue = fleeting and (row.expires_at or now) <= now
    status = states.Status.EXPIRED if overdue else states.Status(row.status)
    tenant = row.tenant
    return {name: getattr(row, name) for name in _PLAIN} | {
        "status": status,
        "space": _ref(row.space),
        "series": row.series.code if row.series_id is not None and row.series else None,
        "tenant": {"code": tenant.code, "short_zh": tenant.short_zh, **_names(tenant)},
        "ready": row.ready or None,
        "price_fen": row.price_fen if _sees_price(reader) else None,
        "possible": [str(deed) for deed in states.possible(status, by)],
    }


_COMPUTED = {
    "series",
    "status",
    "space",
    "tenant",
    "ready",
    "price_fen",
    "quote",
    "extras",
    "possible",
}
_PLAIN = tuple(name for name in BookingOut.model_fields if name not in _COMPUTED)


def parts_out(row: Booking) -> list[PartOut]:
    """What it takes beside its room; no query where there is nothing."""
    found = []
    for part in row.parts.all() if row.part_count else []:
        named = part.space or part.pool
        assert named is not None
        found.append(
            PartOut(
                kind="space" if part.space_id else "pool",
                quantity=part.quantity,
                starts_at=part.starts_at,
                ends_at=part.ends_at,
                **_ref(named),
            )
        )
    return found


def _ref(row: Any) -> dict[str, Any]:
    return {"code": row.code, **_names(row)}


def _names(row: Any) -> dict[str, Any]:
    return {"name_zh": row.name_zh, "name_en": row.name_en}


class CodeOut(Schema):
    """What to show at the door."""

    token: str
    pin: str
    expires_at: datetime


class BlockOut(Schema):
    """One allocation on the timeline; of others only that they are busy."""

    from_: Annotated[datetime, Field(serialization_alias="from")]
    to: datetime
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    kind: str
    unit: int
    booking: str | None = None
    status: str | None = None
    title: str | None = None
    tenant: TenantRef | None = None


class LaneOut(Schema):
    """One space of the timeline."""

    space: str
    name_zh: str
    name_en: str
    type: str
    floor: str
    blocks: list[BlockOut]


class TimelineOut(Schema):
    """Who takes what when."""

    from_: Annotated[datetime, Field(serialization_alias="from")]
    to: datetime
    lanes: list[LaneOut]


class OccupancyOut(Schema):
    """Every space's occ value as the caller may see it."""

    at: datetime
    topic: str
    spaces: dict[str, dict[str, Any]]


class Alternative(Schema):
    """Another "time" in the same room, another "space" at the same time, or "both".

    `missing_features` the wished room has and this one has not; `price_diff_fen` compares rooms at
    the same time, for whoever may see the price.
    """

    kind: str
    space: str
    name_zh: str
    name_en: str
    starts_at: datetime
    ends_at: datetime
    shift_min: int = 0
    same_type: bool = True
    missing_features: list[str] = []
    price_diff_fen: int | None = None


class Conflict(Schema):
    """What is in the way; of others only that they are busy."""

    space: str
    from_: Annotated[datetime, Field(alias="from")]
    to: datetime
    kind: str
    booking: str | None = None


class Offer(Schema):
    """A space or pool that is as good."""

    kind: str
    code: str
    name_zh: str
    name_en: str


class Lacking(Schema):
    """Which of several wished things is not free: how many of those wanted are, and equal ones."""

    kind: str
    code: str
    name_zh: str
    name_en: str
    wanted: int
    free: int
    from_: Annotated[datetime, Field(alias="from")]
    to: datetime
    conflicts: list[Conflict]
    offers: list[Offer]


class SlotTakenProblem(Problem):
    """409 slot_taken."""

    conflicts: list[Conflict] = []
    lacking: list[Lacking] = []
    alternatives: list[Alternative] = []
