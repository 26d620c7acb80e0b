"""What one line asks for: cells become a booking's wish, or faults that name their column."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import TypeVar
from zoneinfo import ZoneInfo

from base_ops.core.errors import FieldFault
from base_ops.core.spans import Span
from base_ops.core.tables.files import Cell, Line

T = TypeVar("T")
ZONE = ZoneInfo("Asia/Shanghai")
FIRST_YEAR, LAST_YEAR = 2000, 2100
MAX_TITLE, MAX_COUNT, MAX_SERVICES = 120, 1000, 20
DEFAULT_PURPOSE = "live_sales"
NO_SERVICES: tuple[tuple[str, Decimal], ...] = ()
PURPOSES = MappingProxyType(
    {
        "直播": "live_sales", "直播带货": "live_sales", "带货": "live_sales",
        "首发": "launch", "新品发布": "launch", "会议": "meeting", "培训": "training",
        "参观": "visit", "共建": "co_building",
    }
)  # fmt: skip

_DATE = r"([0-9]{4})\s*[-/.年]\s*([0-9]{1,2})\s*[-/.月]\s*([0-9]{1,2})\s*日?"
_TIME = r"([0-9]{1,2})\s*[:时点]\s*(?:([0-9]{1,2})\s*分?)?(?::([0-9]{2})(?:\.0+)?)?"
_ZONE = r"(Z|[+-][0-9]{2}:?[0-9]{2})"
_IS_DATE = re.compile(_DATE)
_IS_TIME = re.compile(_TIME)
_IS_INSTANT = re.compile(rf"{_DATE}(?:T|\s+|(?<=日)){_TIME}\s*{_ZONE}?", re.IGNORECASE)
_PURPOSE = re.compile(r"[a-z][a-z_]{1,31}")
_SERVICE = re.compile(r"([A-Za-z0-9-]{1,16})(?:\s*[*x×]\s*([0-9]{1,4}(?:\.[0-9]{1,2})?))?")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A booking as a file asks for it; `space` is a code or a name, still to be found."""

    space: str
    span: Span
    title: str = ""
    purpose: str = DEFAULT_PURPOSE
    headcount: int = 1
    units: int = 1
    services: Sequence[tuple[str, Decimal]] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a file: what it asks for, or why it asks for nothing that can be."""

    number: int
    wanted: Wanted | None = None
    faults: Sequence[FieldFault] = ()


class Unreadable(Exception):
    """A cell that means nothing here."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


@dataclass(slots=True)
class _Reading:
    """Reads the cells of one line and collects what is wrong with them."""

    line: Line
    faults: list[FieldFault] = field(default_factory=list)

    def take(self, column: str, read: Callable[[Cell], T], default: T) -> T:
        cell = self.line.cells.get(column)
        if cell is None or (isinstance(cell, str) and not cell.strip()):
            return default
        try:
            return read(cell)
        except Unreadable as exc:
            self.faults.append(FieldFault(column, exc.zh, exc.en))
            return default

    def need(self, column: str, value: object) -> None:
        named = {fault.name for fault in (*self.faults, *self.line.faults)}
        if value in (None, "") and column not in named:
            self.faults.append(FieldFault(column, "不能为空", "must not be empty"))


def read(line: Line) -> Row:
    """What the line asks for, or every fault of it."""
    reading = _Reading(line)
    space = reading.take("space", _text, "")
    reading.need("space", space)
    span = _span(reading)
    wish = {
        "title": reading.take("title", title, ""),
        "purpose": reading.take("purpose", _purpose, DEFAULT_PURPOSE),
        "headcount": reading.take("headcount", _count, 1),
        "units": reading.take("units", _count, 1),
        "services": reading.take("services", _services, NO_SERVICES),
    }
    faults = (*line.faults, *reading.faults)
    if faults or span is None:
        return Row(line.number, None, faults)
    return Row(line.number, Wanted(space=space, span=span, **wish))  # type: ignore[arg-type]


def _span(reading: _Reading) -> Span | None:
    """Start and end; a time alone is on the date, or for an end on the next day it fits."""
    day = reading.take("date", _day, None)
    start = reading.take("starts_at", _moment, None)
    end = reading.take("ends_at", _moment, None)
    reading.need("starts_at", start)
    reading.need("ends_at", end)
    if start is None or end is None:
        return None
    if isinstance(start, timedelta):
        if day is None:
            reading.need("date", None)
            return None
        start = _midnight(day) + start
    if isinstance(end, timedelta):
        end = _midnight(start.astimezone(ZONE).date()) + end
        end += timedelta(days=1) if end <= start else timedelta(0)
    if end <= start:
        reading.faults.append(FieldFault("ends_at", "须晚于开始", "must be after the start"))
        return None
    return Span(start, end)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), ZONE)


def _text(cell: Cell) -> str:
    if isinstance(cell, bool) or not isinstance(cell, str | int):
        raise Unreadable("须为文字", "must be a text")
    return str(cell).strip()


def title(cell: Cell) -> str:
    """A title on one line.

    Raises:
        Unreadable: too long, or no text.
    """
    text = " ".join((str(cell) if isinstance(cell, int | float) else _text(cell)).split())
    if len(text) > MAX_TITLE:
        raise Unreadable(f"最多 {MAX_TITLE} 字", f"at most {MAX_TITLE} characters")
    return text


def _purpose(cell: Cell) -> str:
    text = _text(cell)
    text = PURPOSES.get(text, text)
    if not _PURPOSE.fullmatch(text):
        known = "、".join(PURPOSES)
        raise Unreadable(f"须为用途代码或:{known}", "must be the code of a purpose")
    return text


def _count(cell: Cell) -> int:
    whole = f"须为 1 至 {MAX_COUNT} 的整数", f"must be a whole number from 1 to {MAX_COUNT}"
    text = plain(str(cell))
    number = text.removesuffix(".0") if isinstance(cell, float) else text
    if isinstance(cell, bool) or not re.fullmatch("[0-9]{1,4}", number):
        raise Unreadable(*whole)
    if not 1 <= int(number) <= MAX_COUNT:
        raise Unreadable(*whole)
    return int(number)


def _services(cell: Cell) -> tuple[tuple[str, Decimal], ...]:
    found: list[tuple[str, Decimal]] = []
    for part in re.split(r"[;,、\n]", plain(_text(cell))):
        if not part.strip():
            continue
        match = _SERVICE.fullmatch(part.strip())
        if match is None or len(found) == MAX_SERVICES:
            raise Unreadable(
                "形如 SV-01*2; SV-02,最多 20 项", "written as SV-01*2; SV-02, at most 20"
            )
        found.append((match[1], _quantity(match[2])))
    return tuple(found)


def _quantity(text: str | None) -> Decimal:
    try:
        quantity = Decimal(text or 1)
    except InvalidOperation as exc:
        raise Unreadable("数量有误", "not a quantity") from exc
    if not 0 < quantity <= MAX_COUNT:
        raise Unreadable("数量有误", "not a quantity")
    return quantity


def _day(cell: Cell) -> date:
    unreadable = "日期形如 2026-11-25", "a date is written as 2026-11-25"
    if isinstance(cell, datetime):
        return _in_our_time(cell.date())
    if isinstance(cell, date):
        return _in_our_time(cell)
    match = _IS_DATE.fullmatch(plain(cell)) if isinstance(cell, str) else None
    if match is None:
        raise Unreadable(*unreadable)
    return _date_of(match.groups())


def _moment(cell: Cell) -> datetime | timedelta:
    """An instant, or only a time of day as what has passed since midnight."""
    match cell:
        case datetime():
            _in_our_time(cell.date())
            return cell.replace(tzinfo=ZONE) if cell.tzinfo is None else cell
        case time():
            return timedelta(hours=cell.hour, minutes=cell.minute, seconds=cell.second)
        case timedelta() if timedelta(0) <= cell <= timedelta(days=1):
            return cell
        case str():
            return _written_moment(plain(cell))
        case _:
            raise Unreadable(*_HOW)


_HOW = (
    "时间形如 2026-11-25 14:00 或 14:00",
    "a time is written as 2026-11-25 14:00, or 14:00 beside a date",
)


def _written_moment(text: str) -> datetime | timedelta:
    if match := _IS_TIME.fullmatch(text):
        return _since_midnight(match.groups())
    match = _IS_INSTANT.fullmatch(text)
    if match is None:
        raise Unreadable(*_HOW)
    parts = match.groups()
    local = _midnight(_date_of(parts[:3])) + _since_midnight(parts[3:6])
    return local if parts[6] is None else _moved(local, parts[6])


def _moved(local: datetime, offset: str) -> datetime:
    """The same wall time at another offset."""
    sign = offset.upper().replace("Z", "+00:00").replace(":", "")
    return datetime.strptime(f"{local:%Y%m%d%H%M%S}{sign}", "%Y%m%d%H%M%S%z").astimezone(ZONE)


def _since_midnight(parts: Sequence[str | None]) -> timedelta:
    hour, minute, second = (int(part or 0) for part in parts)
    since = timedelta(hours=hour, minutes=minute, seconds=second)
    if minute > 59 or second > 59 or since > timedelta(days=1):
        raise Unreadable(*_HOW)
    return since


def _date_of(parts: Sequence[str | None]) -> date:
    year, month, day = (int(part or 0) for part in parts)
    try:
        return _in_our_time(date(year, month, day))
    except ValueError as exc:
        raise Unreadable("没有这一天", "there is no such day") from exc


def _in_our_time(day: date) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Unreadable("须在 2000 至 2100 年", "must be in the years 2000 to 2100")
    return day


def plain(text: str) -> str:
    """The text without full-width forms and outer gaps."""
    return unicodedata.normalize("NFKC", text).strip()
