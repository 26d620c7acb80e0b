"""What the API says about measurements."""

from datetime import datetime
from typing import Annotated

from ninja import Schema
from pydantic import Field

from devices.domain import rollups
from devices.selectors import Measured


class Point(Schema):
    """One measurement, or what those of a bin come to; `value` is their mean.

    `difference` is a counter's growth from the point before this one to its own end; null for what
    is no counter.
    """

    at: datetime
    value: float
    min: float | None = None
    max: float | None = None
    last: float | None = None
    count: int = 1
    difference: float | None = None


class TelemetryOut(Schema):
    """One metric of a device over time; `from` is where what the caller may see begins."""

    device: str
    metric: str
    grain: str = Field(description="raw, minute or hour: where the points come from")
    width_s: int | None = Field(description="seconds that a point covers; null: single samples")
    from_: Annotated[
        datetime | None,
        Field(serialization_alias="from", description="null: nothing that you may see"),
    ]
    to: datetime
    points: list[Point]


def points_out(metric: str, measured: Measured) -> list[Point]:
    """Samples as they are; bins with all that is known of them."""
    counts = rollups.counts_up(metric)
    result: list[Point] = []
    before: rollups.Bucket | None = None
    for at, bucket in measured.points:
        grown = bucket.grown if before is None else rollups.growth(before, bucket)
        point = Point(at=at, value=bucket.mean, difference=grown if counts else None)
        if measured.width is not None:
            point.min, point.max, point.last = bucket.low, bucket.high, bucket.last
            point.count = bucket.count
        result.append(point)
        before = bucket
    return result
