"""What the API says about setting the on-air interlock aside."""

from datetime import datetime
from typing import Annotated

from ninja import Schema
from pydantic import StringConstraints

from devices.schemas.registry import DeviceCode


class OverrideIn(Schema):
    """Why, and for which device; without one for all of the space."""

    why: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    device: DeviceCode | None = None


class OverrideOut(Schema):
    """A request, or what came of it; `until` is its end, or once granted that of the override."""

    id: int
    space: str
    device: str | None
    why: str
    status: str
    asked_by: str
    asked_at: datetime
    until: datetime
    decided_by: str | None
    decided_at: datetime | None
