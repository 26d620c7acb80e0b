"""What goes in and out at the doors, and when rooms are handed over."""

from datetime import datetime
from typing import Annotated, Any

from ninja import Schema
from pydantic import StringConstraints

from booking.models import Handover, HandoverPhoto


class DoorOut(Schema):
    """What the display at a door shows now; `url` goes into the QR code."""

    space: str
    name_zh: str
    name_en: str
    token: str
    url: str
    next_at: datetime
    expires_at: datetime


class DoorIn(Schema):
    """What was read from the display: the token, or the last part of the address."""

    token: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class DisplayIn(Schema):
    """A name to recognise the display by."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]


class DisplayOut(Schema):
    """A display without its secret."""

    id: int
    name: str
    prefix: str
    created_by: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class NewDisplayOut(DisplayOut):
    """The one answer that carries the secret."""

    token: str


class DisplaysOut(Schema):
    """The displays of one door."""

    items: list[DisplayOut]


class HandoverIn(Schema):
    """What people found; `problem` calls a technician."""

    notes: Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)] = ""
    problem: bool = False


class SettleIn(Schema):
    """What was done about it."""

    note: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=240)]


class PhotoOut(Schema):
    """One photo; its pixels are at `photos/{number}` and `photos/{number}/thumbnail`."""

    number: int
    at: datetime
    by: str
    width: int
    height: int
    digest: str


class HandoverOut(Schema):
    """How a room was given back. Open until its devices were tested."""

    booking: str
    at: datetime
    by: str
    verdict: str
    tested_at: datetime | None
    devices: list[dict[str, Any]]
    notes: str
    problem: bool
    settled_at: datetime | None
    settled_by: str
    settled_note: str
    photos: list[PhotoOut]
    version: int


def photo_out(row: HandoverPhoto) -> PhotoOut:
    """A photo without its pixels."""
    return PhotoOut.model_validate({name: getattr(row, name) for name in PhotoOut.model_fields})


def handover_out(row: Handover, code: str) -> HandoverOut:
    """The handover of the booking of that code."""
    plain = {
        name: getattr(row, name)
        for name in HandoverOut.model_fields
        if name not in ("booking", "photos")
    }
    photos = [photo_out(photo) for photo in row.photos.all()]
    return HandoverOut.model_validate(plain | {"booking": code, "photos": photos})
