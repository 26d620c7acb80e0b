"""Reads the events of an ICS file; series become one row for each instance."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
from icalendar.prop import vBroken

from base_ops.core.errors import FieldFault, Invalid
from base_ops.core.spans import Span
from base_ops.core.tables.columns import has_controls
from base_ops.core.tables.files import MAX_CELL, MAX_ROWS, FileRefused, check_size, too_many_rows
from booking.domain import recurrence
from booking.domain.tables import wanted
from booking.domain.tables.wanted import DEFAULT_PURPOSE, PURPOSES, ZONE, Row, Unreadable, Wanted

MAX_COMPONENTS = 3 * MAX_ROWS
MAX_DEPTH = 8
MAX_LINE = 20_000
_CODE = re.compile(r"[((]([A-Za-z0-9][A-Za-z0-9-]{0,31})[))]")
_BROKEN = (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError)
_SERIES = ("RRULE", "RDATE", "EXDATE")


def read(data: bytes) -> list[Row]:
    """What the events ask for, in their order.

    Raises:
        FileRefused, FileTooLarge: and nothing else, whatever the bytes are.
    """
    check_size(data)
    events = _events(_text(data))
    changed = _changed(events)
    rows: list[Row] = []
    for number, event in enumerate(events, start=1):
        for row in _rows(number, event, changed):
            if len(rows) == MAX_ROWS:
                raise too_many_rows()
            rows.append(row)
    if not rows:
        raise FileRefused("no_rows", "没有日历事件", "there are no events in the file")
    return rows


def _text(data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise FileRefused(
            "encoding", "ICS 的编码须为 UTF-8", "an ICS file is encoded in UTF-8"
        ) from exc
    if "\x00" in text or not text.lstrip().upper().startswith("BEGIN:VCALENDAR"):
        raise _broken()
    _check_shape(text)
    return text


def _check_shape(text: str) -> None:
    """Bound what the parser will do: components, how deep they lie, and long lines."""
    depth = components = length = 0
    for line in text.splitlines():
        length = length + len(line) if line[:1] in (" ", "\t") else len(line)
        if line[:6].upper() == "BEGIN:":
            depth, components = depth + 1, components + 1
        elif line[:4].upper() == "END:":
            depth -= 1
        if depth > MAX_DEPTH or components > MAX_COMPONENTS or length > MAX_LINE:
            raise FileRefused(
                "too_complex", "日历文件过于复杂", "there is too much in this calendar"
            )
    if depth != 0:
        raise _broken()


def _broken() -> FileRefused:
    return FileRefused("not_ics", "不是有效的 ICS 文件", "this is not a sound ICS file")


def _events(text: str) -> list[Any]:
    try:
        calendars: Any = icalendar.Calendar.from_ical(text, multiple=True)
        method = {str(c["METHOD"]).upper() for c in calendars if "METHOD" in c}
        events = [event for calendar in calendars for event in calendar.walk("VEVENT")]
    except _BROKEN as exc:  # what icalendar raises on broken lines
        raise _broken() from exc
    if method - {"PUBLISH", "REQUEST"}:
        raise FileRefused(
            "ics_method", "只能导入日程,不能导入取消或回复",
            "only events can be imported, no cancellations or replies",
        )  # fmt: skip
    return events


Changed = Mapping[str, Sequence[Any]]


def _changed(events: Sequence[Any]) -> Changed:
    """The events that stand for one instance of a series, by its UID."""
    found: dict[str, list[Any]] = defaultdict(list)
    for event in events:
        if "RECURRENCE-ID" in event:
            found[str(event.get("UID", ""))].append(event)
    return found


def _rows(number: int, event: Any, changed: Changed) -> Iterator[Row]:
    """One row for each instance, or one that says why there is none."""
    try:
        wish = _wanted(event)
        starts = _starts(event, wish.span, changed)
    except _Faulty as exc:
        yield Row(number, None, exc.faults)
        return
    for start in starts:
        yield Row(
            number,
            Wanted(
                space=wish.space,
                span=Span(start, start + wish.span.length),
                title=wish.title,
                purpose=wish.purpose,
            ),
        )


class _Faulty(Exception):
    """An event that cannot become a booking."""

    def __init__(self, *faults: FieldFault) -> None:
        super().__init__()
        self.faults = faults


def _faulty(name: str, zh: str, en: str) -> _Faulty:
    return _Faulty(FieldFault(name, zh, en))


def _wanted(event: Any) -> Wanted:
    if _word(event, "STATUS").upper() == "CANCELLED":
        raise _faulty("STATUS", "已取消的事件不导入", "a cancelled event is not imported")
    span = _span(event)
    try:
        title = wanted.title(_word(event, "SUMMARY"))
    except Unreadable as exc:
        raise _faulty("SUMMARY", exc.zh, exc.en) from exc
    place = _word(event, "LOCATION").strip()
    if not place:
        raise _faulty("LOCATION", "须写明空间", "must name the space")
    code = _CODE.search(place)
    return Wanted(
        space=code[1] if code else place, span=span, title=title, purpose=_purpose(event)
    )


def _word(event: Any, name: str) -> str:
    """A text of the event, "" when there is none."""
    value = event.get(name, "")
    if isinstance(value, list):
        raise _faulty(name, "出现多次", "is given more than once")
    text = str(value)
    if len(text) > MAX_CELL:
        raise _faulty(name, f"最多 {MAX_CELL} 字", f"at most {MAX_CELL} characters")
    if has_controls(text):
        raise _faulty(name, "含控制字符", "contains control characters")
    return text


def _purpose(event: Any) -> str:
    """The first category that is a purpose of ours."""
    values = event.get("CATEGORIES", [])
    for value in values if isinstance(values, list) else [values]:
        for name in map(str, _plain(value, "cats") or ()):
            if name in PURPOSES or name in PURPOSES.values():
                return PURPOSES.get(name, name)
    return DEFAULT_PURPOSE


def _span(event: Any) -> Span:
    start = _instant(event, "DTSTART")
    if "DTEND" in event:
        end = _instant(event, "DTEND")
    elif "DURATION" in event:
        end = start + _duration(event)
    else:
        raise _faulty("DTEND", "须有结束时间或时长", "an end or a duration is needed")
    if end <= start:
        raise _faulty("DTEND", "须晚于开始", "must be after the start")
    return Span(start, end)


def _duration(event: Any) -> timedelta:
    length = _plain(event["DURATION"], "dt")
    if not isinstance(length, timedelta) or abs(length) > timedelta(days=366):
        raise _faulty("DURATION", "不是时长", "is not a duration")
    return length


def _instant(event: Any, name: str) -> datetime:
    value = event.get(name)
    if value is None:
        raise _faulty(name, "不能为空", "must not be empty")
    return _moment(value, name)


def _plain(value: Any, name: str) -> Any:
    """What the parser made of a property; None when it is not what its name says."""
    return None if isinstance(value, vBroken) else getattr(value, name, None)


def _moment(value: Any, name: str) -> datetime:
    """An instant; a floating time, which is meant where it is read, is Guangzhou's."""
    at = _plain(value, "dt")
    if not isinstance(at, datetime):
        if isinstance(at, date):
            raise _faulty(name, "不支持全天事件", "events of whole days are not supported")
        raise _faulty(name, "不是时间", "is not a time")
    if at.tzinfo is None and "TZID" in getattr(value, "params", {}):
        raise _faulty(name, "时区未知", "the time zone is unknown")
    if not wanted.FIRST_YEAR <= at.year <= wanted.LAST_YEAR:
        raise _faulty(name, "须在 2000 至 2100 年", "must be in the years 2000 to 2100")
    return at.replace(tzinfo=ZONE) if at.tzinfo is None else at


def _starts(event: Any, span: Span, changed: Changed) -> list[datetime]:
    """The starts of an event: one, or those of its series without the instances told apart."""
    if "EXRULE" in event:
        raise _faulty("EXRULE", "不支持 EXRULE", "EXRULE is not supported")
    if "RECURRENCE-ID" in event:
        return _changed_one(event, span)
    if not any(name in event for name in _SERIES):
        return [span.start]
    try:
        starts = recurrence.starts(
            _rule(event),
            span.start,
            exdates=_dates(event, "EXDATE"),
            rdates=_dates(event, "RDATE"),
            zone=_zone(span.start),
        )
    except Invalid as exc:
        raise _Faulty(*(exc.fields or [_of("RRULE", exc)])) from exc
    apart = [_instant(e, "RECURRENCE-ID") for e in changed.get(str(event.get("UID", "")), ())]
    if strangers := [at for at in apart if at not in starts]:
        at = strangers[0].isoformat()
        raise _faulty("RECURRENCE-ID", f"系列中没有 {at}", f"the series has no {at}")
    return [at for at in starts if at not in apart]


def _of(name: str, exc: Invalid) -> FieldFault:
    return FieldFault(name, exc.title_zh, exc.title_en)


def _changed_one(event: Any, span: Span) -> list[datetime]:
    if "RANGE" in getattr(event["RECURRENCE-ID"], "params", {}):
        raise _faulty(
            "RECURRENCE-ID",
            "不支持“此后全部”的修改",
            "changes of all that follow are not supported",
        )
    return [span.start]


def _rule(event: Any) -> str:
    rule = event.get("RRULE", "")
    if isinstance(rule, list):
        raise _faulty("RRULE", "只能有一条重复规则", "only one rule is supported")
    if "RRULE" not in event:
        return ""
    text = "" if isinstance(rule, vBroken) else rule.to_ical().decode()
    if not text:
        raise _faulty("RRULE", "重复规则有误", "the rule is not valid")
    return str(text)


def _dates(event: Any, name: str) -> list[datetime]:
    values = event.get(name, [])
    found: list[datetime] = []
    for value in values if isinstance(values, list) else [values]:
        dates = _plain(value, "dts")
        if dates is None:
            raise _faulty(name, "不是时间", "is not a list of times")
        found += [_moment(one, name) for one in dates]
    if len(found) > MAX_ROWS:
        raise _faulty(name, f"最多 {MAX_ROWS} 个", f"at most {MAX_ROWS}")
    return found


def _zone(start: datetime) -> ZoneInfo:
    """The zone whose wall time a series repeats."""
    if isinstance(start.tzinfo, ZoneInfo):
        return start.tzinfo
    if start.utcoffset() == timedelta(hours=8):
        return ZONE
    raise _faulty("DTSTART", "重复事件须用已知时区", "a series needs a known time zone")
