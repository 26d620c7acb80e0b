"""What goes in and out of the equipment endpoints."""

from typing import Annotated

from ninja import Schema
from pydantic import Field, StringConstraints

Code = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9-]{1,31}$")]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]


class UnitIn(Schema):
    """One thing of a pool."""

    number: Annotated[int, Field(ge=1, le=1000)]
    label: Annotated[str, StringConstraints(strip_whitespace=True, max_length=80)] = ""
    in_service: bool = True


class PoolIn(Schema):
    """A pool with all its things; those left out are taken out of service, never deleted."""

    name_zh: Name
    name_en: Name
    home: Annotated[str, StringConstraints(max_length=32)] | None = None
    service_code: Annotated[str, StringConstraints(max_length=16)] = ""
    setup_min: Annotated[int, Field(ge=0, le=480)] = 0
    teardown_min: Annotated[int, Field(ge=0, le=480)] = 0
    units: Annotated[list[UnitIn], Field(min_length=1, max_length=1000)]


class UnitOut(Schema):
    """One thing of a pool."""

    number: int
    label: str
    in_service: bool


class PoolOut(Schema):
    """A pool; `free` counts what is free for the window asked for (null without one)."""

    code: str
    name_zh: str
    name_en: str
    home: str | None
    service_code: str
    setup_min: int
    teardown_min: int
    in_service: int
    free: int | None
    units: list[UnitOut]
    version: int
