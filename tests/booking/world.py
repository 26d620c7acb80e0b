"""Rooms with devices that speak, and bookings in every state, through the real services."""

import itertools
from datetime import datetime, timedelta
from typing import Any

from base_ops.core.actors import Actor
from base_ops.core.models import Role, Space, SpaceType, Tenant
from base_ops.core.spans import Span
from booking import services
from booking.models import Booking
from devices import directory
from devices import services as devices
from devices.domain import messages
from devices.models import Device, DeviceModel
from tests import make

_versions = itertools.count(1)
STAFF = Actor(kind="user", id="0", label="manager@test.invalid", role=Role.MANAGER)


def single() -> SpaceType:
    """The type that the demo price book knows."""
    found = SpaceType.objects.filter(code="studio_single").first()
    return found or make.space_type(code="studio_single")


def studio(**changes: Any) -> Space:
    """A single-anchor studio with one encoder that is online."""
    space = make.space(**{"type": single()} | changes)
    model, _ = DeviceModel.objects.get_or_create(
        code="ENC-1CH",
        defaults={"kind": "encoder", "brand": "T", "model": "E1", "name_zh": "编码器"},
    )
    Device.objects.create(
        code=f"{space.code}-EN01", space=space, model=model, kind="encoder", role="stream"
    )
    directory.forget()
    return space


def encoder_says(space: Space, *, run: str, now: datetime) -> None:
    """The encoder of a studio reports; ingested as the bridge does."""
    code, ms = f"{space.code}-EN01", round(now.timestamp() * 1000)
    devices.ingest(
        [
            messages.Status(code, online=True, session="s1", ts=ms),
            messages.State(code, v=next(_versions), session="s1", ts=ms, state={"run": run}),
        ],
        now,
    )


def actor(tenant: Tenant) -> Actor:
    """Somebody of the tenant."""
    return make.user(Role.TENANT_MEMBER, tenant=tenant).actor


def span(start: datetime, minutes: int = 60) -> Span:
    return Span(start, start + timedelta(minutes=minutes))


def booked(
    *,
    now: datetime,
    space: Space | None = None,
    tenant: Tenant | None = None,
    start_min: int = 60,
    minutes: int = 60,
    hold: bool = False,
    **changes: Any,
) -> Booking:
    """Book through the service, confirmed by default; minutes count from now."""
    renter = tenant or make.tenant()
    wish = services.BookingWish(
        space=space or studio(),
        tenant=renter,
        span=span(now + timedelta(minutes=start_min), minutes),
        **changes,
    )
    by = STAFF if changes.get("override") else actor(renter)  # only the base overrides
    return services.book(wish=wish, actor=by, hold=hold, now=now)
