"""What goes in and out of the calendar endpoints."""

from datetime import datetime
from typing import Annotated, Literal

from ninja import Schema
from pydantic import StringConstraints

from booking.models import CalendarFeed

FeedName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]


class FeedIn(Schema):
    """What to subscribe to: a tenant's bookings, those the caller makes, or a space."""

    name: FeedName
    scope: Literal["tenant", "user", "space"]
    tenant: Annotated[str, StringConstraints(max_length=16)] | None = None
    space: Annotated[str, StringConstraints(max_length=32)] | None = None


class FeedOut(Schema):
    """A feed without its secret."""

    id: int
    name: str
    scope: str
    tenant: str | None
    space: str | None
    prefix: str
    created_by: str
    created_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


class NewFeedOut(FeedOut):
    """The one answer that carries the secret, and the address to subscribe to."""

    token: str
    url: str


def feed_out(row: CalendarFeed) -> FeedOut:
    """A feed as its maker and the base see it."""
    return FeedOut(
        id=row.pk,
        name=row.name,
        scope=row.scope,
        tenant=row.tenant.code if row.tenant else None,
        space=row.space.code if row.space else None,
        prefix=row.prefix,
        created_by=row.created_by.email,
        created_at=row.created_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )
