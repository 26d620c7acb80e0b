"""Rooms whose sensors speak, and stays at exact instants."""

import itertools
from datetime import datetime, timedelta
from typing import Any

from base_ops.core.models import Space
from booking import services
from booking.models import Booking
from devices import directory
from devices import services as devices
from devices.domain import messages
from devices.models import Device, DeviceModel
from tests.booking import world

MIN = timedelta(minutes=1)
SEC = timedelta(seconds=1)
TICK = timedelta(microseconds=1)
_versions = itertools.count(1)


def device(space: Space, model: str, kind: str, role: str = "") -> Device:
    """One more device of a room."""
    row, _ = DeviceModel.objects.get_or_create(
        code=model, defaults={"kind": kind, "brand": "T", "model": model, "name_zh": model}
    )
    count = Device.objects.filter(space=space).count()
    found = Device.objects.create(
        code=f"{space.code}-{kind[:2].upper()}{count:02d}", space=space, model=row, kind=kind,
        role=role,
    )  # fmt: skip
    directory.forget()
    return found


def says(device: Device, state: dict[str, Any], *, now: datetime) -> None:
    """A device reports; ingested as the bridge does."""
    ms = round(now.timestamp() * 1000)
    devices.ingest(
        [
            messages.Status(device.code, online=True, session="s1", ts=ms),
            messages.State(device.code, v=next(_versions), session="s1", ts=ms, state=state),
        ],
        now,
    )


def come_in(booking: Booking, at: datetime) -> Booking:
    """The tenant shows the PIN."""
    return services.check_in(
        booking=booking, actor=world.actor(booking.tenant), pin=booking.pin, now=at
    )


def on_air(booking: Booking) -> Booking:
    """Checked in at the start and on air a minute later."""
    come_in(booking, booking.starts_at)
    world.encoder_says(booking.space, run="live", now=booking.starts_at + MIN)
    booking.refresh_from_db()
    return booking


def wrong(booking: Booking) -> str:
    """A PIN that is not the booking's."""
    return "000000" if booking.pin != "000000" else "111111"
