"""What goes in and out of the lease endpoints."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any

from ninja import Schema
from pydantic import AfterValidator, Field, StringConstraints

from base_ops.core.instants import END, FIRST
from base_ops.core.problems import Problem
from base_ops.core.schemas import TenantRef
from booking import selectors
from booking.domain import leases
from booking.models import Lease
from booking.schemas.bookings import SpaceRef
from booking.services.lease_wishes import Offer


def _of_our_time(day: date) -> date:
    """The same day, far from both ends of the calendar.

    Raises:
        ValueError: it is outside the years 2000 to 2100.
    """
    if not FIRST.date() <= day < END.date():
        raise ValueError("must be in the years 2000 to 2100")
    return day


Day = Annotated[date, AfterValidator(_of_our_time)]
Fen = Annotated[int, Field(ge=0, le=10**12)]
Months = Annotated[int, Field(ge=1, le=leases.LONGEST_MONTHS)]
FreeMonths = Annotated[int, Field(ge=0, le=leases.LONGEST_MONTHS)]
Unit = Annotated[int, Field(ge=1, le=10_000)]
Why = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=240)]


class LeaseWishIn(Schema):
    """What is to be let to whom: from a day on, for `months` or up to a last day.

    `units` names units by number, `unit_count` asks for so many; without either it is all of the
    space. What is left out is by the tariff.
    """

    space: Annotated[str, StringConstraints(max_length=32)]
    tenant: Annotated[str, StringConstraints(max_length=16)]
    starts_on: Day
    months: Months | None = None
    last_day: Day | None = None
    units: Annotated[list[Unit], Field(max_length=500)] = []
    unit_count: Unit | None = None
    monthly_rent_fen: Fen | None = None
    free_months: FreeMonths = 0
    notice_months: Annotated[int, Field(ge=0, le=12)] = 1
    deposit_months: Annotated[int, Field(ge=0, le=12)] = 2
    deposit_fen: Fen | None = None
    policy: Annotated[str, StringConstraints(max_length=16)] = ""


class LeaseIn(LeaseWishIn):
    """A lease to be drafted, or with `sign` to be in force at once."""

    sign: bool = False


class RenewIn(Schema):
    """The next term; what is left out stays as it was."""

    months: Months = 12
    last_day: Day | None = None
    monthly_rent_fen: Fen | None = None
    free_months: FreeMonths = 0
    notice_months: Annotated[int, Field(ge=0, le=12)] | None = None
    deposit_fen: Fen = 0


class TerminateIn(Schema):
    """The last day and why; `by_agreement` waives the notice period."""

    last_day: Day
    reason: Why
    by_agreement: bool = False


class WithdrawIn(Schema):
    """Why."""

    reason: Why


class DepositIn(Schema):
    """So much, on that day."""

    amount_fen: Annotated[int, Field(ge=1, le=10**12)]
    on: Day


class DepositBackIn(DepositIn):
    """So much, on that day; the note says why some is kept."""

    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=240)] = ""


class LeaseMonthOut(Schema):
    """One month as it will be charged."""

    month: date
    gross_fen: int
    lines: list[dict[str, Any]]


class LeaseQuoteOut(Schema):
    """A lease as it would be, month by month, and whether it could be signed now."""

    starts_on: date
    ends_on: date
    last_day: date
    monthly_rent_fen: int
    total_fen: int
    deposit_fen: int
    units: list[int]
    free_units: list[int]
    conflicts: list[dict[str, Any]]
    months: list[LeaseMonthOut]


def quote_out(offer: Offer) -> LeaseQuoteOut:
    """The offer as the API shows it."""
    lease = offer.lease
    return LeaseQuoteOut(
        starts_on=lease.starts_on,
        ends_on=lease.ends_on,
        last_day=lease.ends_on - timedelta(days=1),
        monthly_rent_fen=lease.monthly_rent_fen,
        total_fen=offer.total_fen,
        deposit_fen=lease.deposit_fen,
        units=list(offer.units),
        free_units=list(offer.free_units),
        conflicts=list(offer.conflicts),
        months=[
            LeaseMonthOut(
                month=month,
                gross_fen=sum(entry.gross_fen for entry in lines),
                lines=[entry.as_json() for entry in lines],
            )
            for month, lines in offer.months
        ],
    )


class LeaseOut(Schema):
    """A lease as its tenant and the base see it; `ends_on` is the first day after it."""

    code: str
    status: leases.Status
    space: SpaceRef
    tenant: TenantRef
    units: list[int]
    unit_count: int | None
    starts_on: date
    ends_on: date
    last_day: date
    agreed_ends_on: date | None
    renews: str | None
    renewed_by: str | None
    monthly_rent_fen: int
    area_m2: float | None
    free_months: int
    notice_months: int
    policy: str
    deposit_fen: int
    deposit_received_fen: int
    deposit_received_on: date | None
    deposit_returned_fen: int
    deposit_returned_on: date | None
    deposit_note: str
    created_at: datetime | None
    signed_at: datetime | None
    noticed_at: datetime | None
    ended_at: datetime | None
    end_reason: str
    possible: list[str]
    version: int


_PLAIN = (
    "code", "status", "starts_on", "ends_on", "agreed_ends_on", "monthly_rent_fen", "free_months",
    "notice_months", "deposit_fen", "deposit_received_fen", "deposit_received_on",
    "deposit_returned_fen", "deposit_returned_on", "deposit_note", "created_at", "signed_at",
    "noticed_at", "ended_at", "end_reason", "version",
)  # fmt: skip


def lease_out(row: Lease) -> LeaseOut:
    """The lease with the units it has, or as a draft those it wants."""
    following = selectors.renewal_of(row)
    return LeaseOut.model_validate(
        {name: getattr(row, name) for name in _PLAIN}
        | {
            "space": {
                "code": row.space.code,
                "name_zh": row.space.name_zh,
                "name_en": row.space.name_en,
            },
            "tenant": TenantRef.from_orm(row.tenant),
            "units": selectors.unit_numbers(row) or row.wanted_units,
            "unit_count": row.units,
            "last_day": row.ends_on - timedelta(days=1),
            "renews": row.renews.code if row.renews else None,
            "renewed_by": following.code if following else None,
            "area_m2": row.area_m2,
            "policy": row.policy_code,
            "possible": _possible(row, following),
        }
    )


def _possible(row: Lease, following: Lease | None) -> list[str]:
    """What people can do to it; ending is the clock's."""
    if following is not None:
        return []
    deeds = [str(d) for d in leases.possible(row.status) if d is not leases.Deed.END]
    return [*deeds, "renew"] if row.status == leases.Status.SIGNED else deeds


class SpaceTakenProblem(Problem):
    """409 space_taken: what stands in the way, and what is free instead."""

    conflicts: list[dict[str, Any]] = []
    free_units: list[int] = []
    free_spans: list[dict[str, Any]] = []
