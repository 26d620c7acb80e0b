"""What the API says about measurements."""

from datetime import datetime

from ninja import Schema


class Point(Schema):
    """One measurement."""

    at: datetime
    value: float


class TelemetryOut(Schema):
    """One metric of a device over time."""

    device: str
    metric: str
    points: list[Point]
