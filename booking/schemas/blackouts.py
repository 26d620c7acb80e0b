"""What goes in and out of the blackout endpoints."""

from datetime import datetime
from typing import Annotated

from ninja import Schema
from pydantic import Field, StringConstraints

from base_ops.core.instants import Instant
from booking import selectors
from booking.domain import blackouts
from booking.models import Blackout
from booking.schemas.bookings import SpaceRef

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=240)]
Units = Annotated[list[Annotated[int, Field(ge=1, le=10_000)]], Field(max_length=500)]


class BlackoutIn(Schema):
    """What is out of use, when and why; no units is all of the space."""

    space: Annotated[str, StringConstraints(max_length=32)]
    kind: blackouts.Kind
    starts_at: Instant
    ends_at: Instant
    reason: Reason
    units: Units = []


class BlackoutPatch(Schema):
    """What changes."""

    starts_at: Instant | None = None
    ends_at: Instant | None = None
    reason: Reason | None = None
    units: Units | None = None


class BlackoutCancelIn(Schema):
    """Why."""

    reason: Reason


class BlackoutOut(Schema):
    """A blackout, for people of the base."""

    code: str
    space: SpaceRef
    kind: blackouts.Kind
    state: blackouts.State
    starts_at: datetime
    ends_at: datetime
    units: list[int]
    reason: str
    created_by: str
    created_at: datetime
    cancelled_at: datetime | None
    cancel_reason: str
    version: int


def blackout_out(row: Blackout, *, now: datetime) -> BlackoutOut:
    """The blackout as it stands."""
    plain = (
        "code", "kind", "starts_at", "ends_at", "reason", "created_by", "created_at",
        "cancelled_at", "cancel_reason", "version",
    )  # fmt: skip
    space = row.space
    return BlackoutOut.model_validate(
        {name: getattr(row, name) for name in plain}
        | {
            "space": {"code": space.code, "name_zh": space.name_zh, "name_en": space.name_en},
            "state": row.state(now),
            "units": selectors.blackout_units(row),
        }
    )
