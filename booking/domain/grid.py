"""The grid of starts and ends: instants counted in steps from local midnight."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")


def floor_to_grid(instant: datetime, step_min: int) -> datetime:
    """The last grid instant <= `instant`; the grid counts from local midnight."""
    local = instant.astimezone(ZONE)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    step = timedelta(minutes=step_min)
    return (midnight + (local - midnight) // step * step).astimezone(instant.tzinfo)


def ceil_to_grid(instant: datetime, step_min: int) -> datetime:
    """The first grid instant >= `instant`."""
    floor = floor_to_grid(instant, step_min)
    return floor if floor == instant else floor + timedelta(minutes=step_min)
