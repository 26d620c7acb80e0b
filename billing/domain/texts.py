"""Texts in both languages that appear on quotes, traces and invoices."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
"""China has had one fixed offset since 1991; integer arithmetic needs no zone file."""

UNITS = {
    "hour": ("小时", "h"),
    "look": ("套", "look"),
    "once": ("次", "time"),
    "kWh": (" kWh", "kWh"),
    "month": ("个月", "month"),
    "display_bay": ("个陈列位", "display bays"),
    "desk": ("个工位", "desks"),
    "rack_cell": ("个货位", "rack cells"),
    "seat": ("位", "seats"),
    "item": ("件", "items"),
}


@dataclass(frozen=True, slots=True)
class Bi:
    """One text in Chinese and in English."""

    zh: str
    en: str


def local(instant: datetime) -> datetime:
    """The instant on a Shanghai clock."""
    return instant.astimezone(SHANGHAI)


def local_day(instant: datetime) -> date:
    """The Shanghai calendar day of the instant."""
    return local(instant).date()


def when(start: datetime, end: datetime) -> str:
    """E.g. "11-16 22:00-00:00"."""
    return f"{local(start):%m-%d %H:%M}-{local(end):%H:%M}"


def hours_text(half_hours: int) -> str:
    """Half-hours as hours, e.g. 3 -> "1.5"."""
    return f"{half_hours // 2}.5" if half_hours % 2 else str(half_hours // 2)


def percent_text(basis_points: int) -> str:
    """Hundredths of a percent as percent, e.g. 1250 -> "12.5"."""
    whole, rest = divmod(basis_points, 100)
    return f"{whole}.{rest:02d}".rstrip("0") if rest else str(whole)
