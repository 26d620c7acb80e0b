"""What goes in and out of search: which spaces, what is free, what comes next, a month at once."""

import datetime as dt
from typing import Annotated, Literal

from ninja import Schema
from pydantic import Field, StringConstraints

from booking.schemas.bookings import Alternative

Code = Annotated[str, StringConstraints(min_length=1, max_length=32)]
Feature = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Features = Annotated[list[Feature], Field(max_length=20)]
Codes = Annotated[list[Code], Field(max_length=100)]


class SpaceFilter(Schema):
    """What a space must be like; all of it."""

    type: Code | None = None
    group: Code | None = None
    floor: Annotated[str, StringConstraints(max_length=16)] | None = None
    capacity: Annotated[int, Field(ge=0, le=1000)] = 0
    feature: Annotated[Features, Field(description="repeat it: all of them")] = []
    units: Annotated[int, Field(ge=1, le=100, description="free at once")] = 1
    space: Annotated[Codes, Field(description="repeat it: any of them")] = []


Sort = Literal["place", "price", "capacity", "soonest"]


class AvailableOut(Schema):
    """One bookable space for the window asked for."""

    space: str
    name_zh: str
    name_en: str
    type: str
    type_zh: str
    type_en: str
    group: str
    floor: str
    capacity: int
    features: list[str]
    free: bool
    free_units: int
    open: bool = Field(description="by the rules, for the whole window; else it is not free")
    unit_count: int | None
    next_free_at: dt.datetime | None
    list_fen: int | None
    price_fen: int | None


class AvailabilityOut(Schema):
    """Every bookable space that fits, the free ones first."""

    starts_at: dt.datetime
    ends_at: dt.datetime
    items: list[AvailableOut]


class StartOut(Schema):
    """A time at which the space is free, buffers included."""

    starts_at: dt.datetime
    ends_at: dt.datetime


class NextSpaceOut(Schema):
    """The next free times of one space; as long as it sells them."""

    space: str
    name_zh: str
    name_en: str
    type: str
    floor: str
    capacity: int
    unit_count: int | None
    starts: list[StartOut]


class NextOut(Schema):
    """The spaces that fit, those that are free soonest first."""

    from_: Annotated[dt.datetime, Field(serialization_alias="from")]
    to: dt.datetime
    items: list[NextSpaceOut]


class AlternativesOut(Schema):
    """Other times and other rooms for one wish, the least different first."""

    items: list[Alternative]


class HeatBandOut(Schema):
    """A part of the day, [from_min, to_min) in minutes after midnight in Shanghai."""

    code: str
    name_zh: str
    name_en: str
    from_min: int
    to_min: int


class CellOut(Schema):
    """One part of one day; minutes of all units together, `free` is their share (0-1)."""

    part: str
    open_min: int
    taken_min: int
    free_min: int
    free: float | None


class DayOut(Schema):
    """One day of the month."""

    date: dt.date
    cells: list[CellOut]


class MonthOut(Schema):
    """How free a month is; setup and teardown count as taken."""

    month: str
    by: str
    spaces: int
    units: int
    parts: list[HeatBandOut]
    days: list[DayOut]
