"""What goes in and out of the series endpoints."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import Field, StringConstraints

from base_ops.core.instants import Instant
from base_ops.core.models import Role, User
from base_ops.core.problems import Problem
from base_ops.core.schemas import TenantRef
from booking.domain import states
from booking.domain.rrule import MAX_TEXT
from booking.models import Booking, Series, SeriesSkip
from booking.schemas.bookings import (
    Alternative,
    Conflict,
    Purpose,
    ServiceIn,
    SpaceRef,
    Text,
)
from booking.services.series import Seen, conflicts_json, lacking_json

Code = Annotated[str, StringConstraints(max_length=32)]
Dates = Annotated[list[Instant], Field(max_length=400)]
Scope = Literal["this", "following", "all"]
STAMP = "%Y%m%dT%H%M%SZ"
Stamp = Annotated[str, StringConstraints(pattern=r"^20[0-9]{6}T[0-9]{6}Z$")]


class SeriesExtraIn(Schema):
    """A space or things of an equipment pool taken beside the room, each time."""

    space: Code | None = None
    pool: Code | None = None
    quantity: Annotated[int, Field(ge=1, le=1000)] = 1


class ChoiceIn(Schema):
    """What is wanted on one date instead: another room or time, or nothing."""

    recurrence_id: Instant
    space: Code | None = None
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    skip: bool = False


class SeriesWishIn(Schema):
    """A wish that repeats; staff name the tenant. `rrule` is RFC 5545's, in Shanghai time."""

    space: Code
    starts_at: Instant
    ends_at: Instant
    rrule: Annotated[str, StringConstraints(max_length=MAX_TEXT)] = ""
    exdates: Dates = []
    rdates: Dates = []
    tenant: Annotated[str, StringConstraints(max_length=16)] | None = None
    purpose: Purpose = "live_sales"
    headcount: Annotated[int, Field(ge=1, le=1000)] = 1
    title: Text = ""
    services: Annotated[list[ServiceIn], Field(max_length=20)] = []
    units: Annotated[int, Field(ge=1, le=100)] = 1
    extras: Annotated[list[SeriesExtraIn], Field(max_length=20)] = []
    choices: Annotated[list[ChoiceIn], Field(max_length=400)] = []
    override: Annotated[list[str], Field(max_length=10)] = []


class SeriesIn(SeriesWishIn):
    """A series to be booked for good.

    `mode` says what becomes of dates that cannot be had: "atomic" books nothing, "skip" leaves
    them out and remembers them, "propose" books nothing and answers with alternatives to choose.
    """

    mode: Literal["atomic", "skip", "propose"] = "atomic"
    expected_fen: Annotated[int, Field(ge=0, le=10**13)] | None = None


class InstanceEditIn(Schema):
    """A change to this instance, this and the following ones, or all that lie ahead."""

    scope: Scope
    title: Text | None = None
    purpose: Purpose | None = None
    headcount: Annotated[int, Field(ge=1, le=1000)] | None = None
    space: Code | None = None
    starts_at: Instant | None = None
    ends_at: Instant | None = None


class InstanceCancelIn(Schema):
    """Which instances are given back, and why."""

    scope: Scope
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=240)] = ""


class AddAgainIn(Schema):
    """A date to book after all; elsewhere or at another time if so said."""

    space: Code | None = None
    starts_at: Instant | None = None
    ends_at: Instant | None = None


class SeenOut(Schema):
    """One instance of a dry run, or of a refusal."""

    recurrence_id: datetime
    starts_at: datetime
    ends_at: datetime
    space: str
    verdict: Literal["ok", "conflict", "rules_broken", "left_out"]
    conflicts: list[Conflict] = []
    lacking: list[dict[str, Any]] = []
    broken: list[dict[str, Any]] = []
    alternatives: list[Alternative] = []
    price_fen: int | None = None


class DryRunOut(Schema):
    """Every instance; `total_fen` is what booking those that are "ok" costs now."""

    instances: list[SeenOut]
    ok: int
    conflicts: int
    rules_broken: int
    left_out: int
    total_fen: int | None


class SeriesProblem(Problem):
    """409 series_conflicts, 422 series_rules_broken: the dates that cannot be booked."""

    instances: list[SeenOut] = []


class InstanceOut(Schema):
    """One booking of a series; `id` names it in addresses, wherever it was moved."""

    id: str
    recurrence_id: datetime
    booking: str
    status: states.Status
    space: str
    starts_at: datetime
    ends_at: datetime
    title: str
    headcount: int
    price_fen: int | None
    moved: bool


class SkipOut(Schema):
    """A date without a booking, and why; it can be added again while it lies ahead."""

    id: str
    recurrence_id: datetime
    reason: str
    detail: dict[str, Any]
    at: datetime


class SeriesRow(Schema):
    """A series without its instances."""

    code: str
    tenant: TenantRef
    space: SpaceRef
    rrule: str
    starts_at: datetime
    minutes: int
    exdates: list[datetime]
    rdates: list[datetime]
    title: str
    purpose: str
    headcount: int
    units: int
    services: list[dict[str, Any]]
    extras: list[dict[str, Any]]
    split_from: str | None
    created_at: datetime
    cancelled_at: datetime | None
    version: int


class SeriesOut(SeriesRow):
    """A series with its live bookings and the dates that have none."""

    instances: list[InstanceOut]
    skipped: list[SkipOut]
    total_fen: int | None


def sees_money(reader: User) -> bool:
    """Whether prices are for this reader."""
    return reader.role not in (Role.MANAGER, Role.TECHNICIAN)


def series_row(row: Series) -> dict[str, Any]:
    """The columns of a series as the API names them."""
    plain = {
        name: getattr(row, name)
        for name in SeriesRow.model_fields
        if name not in ("tenant", "space", "minutes", "split_from")
    }
    return plain | {
        "tenant": TenantRef.from_orm(row.tenant),
        "space": SpaceRef.from_orm(row.space),
        "minutes": int(row.length.total_seconds()) // 60,
        "split_from": row.split_from.code if row.split_from else None,
    }


def series_out(
    row: Series, *, live: Iterable[Booking], skips: Iterable[SeriesSkip], reader: User
) -> SeriesOut:
    """The series as this reader may see it."""
    priced = sees_money(reader)
    instances = [_instance(booking, priced=priced) for booking in live]
    total = sum(i.price_fen or 0 for i in instances)
    return SeriesOut.model_validate(
        series_row(row)
        | {
            "instances": instances,
            "skipped": [_skip(skip) for skip in skips],
            "total_fen": total if priced else None,
        }
    )


def stamp(instant: datetime) -> str:
    """How an instance is named in addresses: its original start in UTC."""
    return instant.astimezone(UTC).strftime(STAMP)


def _instance(row: Booking, *, priced: bool) -> InstanceOut:
    assert row.recurrence_id is not None
    return InstanceOut(
        id=stamp(row.recurrence_id),
        recurrence_id=row.recurrence_id,
        booking=row.code,
        status=states.Status(row.status),
        space=row.space.code,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        title=row.title,
        headcount=row.headcount,
        price_fen=row.price_fen if priced else None,
        moved=row.recurrence_id != row.starts_at,
    )


def _skip(row: SeriesSkip) -> SkipOut:
    return SkipOut(
        id=stamp(row.recurrence_id),
        recurrence_id=row.recurrence_id,
        reason=row.reason,
        detail=row.detail,
        at=row.at,
    )


def seen_out(one: Seen, *, priced: bool) -> dict[str, Any]:
    """One instance of a look."""
    span = one.asked.wish.span
    return {
        "recurrence_id": one.asked.recurrence_id,
        "starts_at": span.start,
        "ends_at": span.end,
        "space": one.asked.wish.space.code,
        "verdict": one.verdict,
        "conflicts": conflicts_json(one),
        "lacking": lacking_json(one),
        "broken": [broken.as_json() for broken in one.broken],
        "alternatives": one.alternatives,
        "price_fen": one.quote.total_fen if one.quote and priced else None,
    }


def dry_run_out(seen: Iterable[Seen], *, reader: User) -> DryRunOut:
    """A look as this reader may see it."""
    found = list(seen)
    priced = sees_money(reader)
    count: Mapping[str, int] = {
        verdict: sum(one.verdict == verdict for one in found)
        for verdict in ("ok", "conflict", "rules_broken", "left_out")
    }
    total = sum(one.quote.total_fen for one in found if one.quote is not None)
    return DryRunOut.model_validate(
        {
            "instances": [seen_out(one, priced=priced) for one in found],
            "ok": count["ok"],
            "conflicts": count["conflict"],
            "rules_broken": count["rules_broken"],
            "left_out": count["left_out"],
            "total_fen": total if priced else None,
        }
    )
