"""What the screens on the wall are told, and how they are managed."""

from datetime import datetime
from typing import Any

from ninja import Schema

from base_ops.core.schemas import FloorOut


class WallOut(Schema):
    """The floors to draw; they hardly ever change."""

    floors: list[FloorOut]


class WallNowOut(Schema):
    """Every space as anybody may know it, at the server's time `at`."""

    at: datetime
    spaces: dict[str, dict[str, Any]]
