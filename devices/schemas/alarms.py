"""What the API says about alarms."""

from datetime import datetime
from typing import Any

from ninja import Schema


class AlarmOut(Schema):
    """One alarm; open while `cleared_at` is null."""

    id: int
    code: str
    title_zh: str
    title_en: str
    severity: str
    device: str | None
    space: str | None
    detail: dict[str, Any]
    raised_at: datetime
    cleared_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str
