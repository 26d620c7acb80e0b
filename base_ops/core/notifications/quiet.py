"""Quiet hours: at which instant somebody may be disturbed, in the base's time zone."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

BASE_ZONE = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `start` to before `end`, every day; over midnight when `end` is earlier.

    The same time twice means no quiet hours.
    """

    start: time
    end: time

    def over_at(self, instant: datetime) -> datetime:
        """The instant itself when it is not quiet then, else the end of these quiet hours."""
        local = instant.astimezone(BASE_ZONE)
        today = local.replace(hour=0, minute=0, second=0, microsecond=0)
        start, end = _since_midnight(self.start), _since_midnight(self.end)
        passed = local - today
        if start <= end:
            return today + end if start <= passed < end else instant
        if passed < end:
            return today + end
        return today + timedelta(days=1) + end if passed >= start else instant


def _since_midnight(at: time) -> timedelta:
    return timedelta(hours=at.hour, minutes=at.minute, seconds=at.second)
