"""What goes out of the figures for the KPI report."""

import datetime as dt
from typing import Annotated, Literal

from ninja import Schema
from pydantic import Field

By = Literal["total", "day", "week", "month", "space_type"]


class CoverageOut(Schema):
    """How many bookings a figure stands on; null when that would tell of one or two tenants."""

    bookings: int | None
    note_zh: str = ""
    note_en: str = ""


class ValueOut(Schema):
    """One value; `suppressed` when it would tell of fewer than three tenants.

    `of` holds what it was computed from, such as minutes in use and open minutes.
    """

    group: str = ""
    part: str | None = None
    space_type: str | None = None
    tenant_category: str | None = None
    rule: str | None = None
    value: float | None
    of: dict[str, float] = {}
    suppressed: bool = False


class FigureOut(Schema):
    """One figure with what it means, where it comes from and what it stands on."""

    code: str
    kpi: str
    unit: str
    name_zh: str
    name_en: str
    definition_zh: str
    definition_en: str
    source: str
    coverage: CoverageOut
    values: list[ValueOut]


class FiguresOut(Schema):
    """The figures of the days [from, to) in Shanghai, grouped."""

    from_: Annotated[dt.date, Field(serialization_alias="from")]
    to: dt.date
    by: By
    figures: list[FigureOut]
