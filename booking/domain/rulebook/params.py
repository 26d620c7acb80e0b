"""Readers of a rule's parameters: each returns the value it understood, or says why not."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

OWN: Final = "own"
"""The space's own figure, or that of its type, instead of one in the book."""

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
DAY_MIN = 24 * 60
YEAR_MIN = 366 * DAY_MIN
_CLOCK = re.compile(r"([0-4]?\d):([0-5]\d)")
_CODE = re.compile(r"[\w.:-]{1,64}")

Reader = Callable[[Any], Any]


class Unfit(ValueError):
    """The value cannot be used; `path` leads to the part at fault."""

    def __init__(self, zh: str, en: str, path: str = "") -> None:
        super().__init__(en)
        self.zh = zh
        self.en = en
        self.path = path


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter: how it is read, and what it is when it is left out (... = it may not be)."""

    name: str
    read: Reader
    default: Any = ...


def whole(low: int, high: int, *, null: bool = False, own: bool = False) -> Reader:
    """An integer; with `null` also null (no limit), with `own` also "own"."""

    def read(value: Any) -> Any:
        if (null and value is None) or (own and value == OWN):
            return value
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            extra = [word for word, can in (("null", null), (f'"{OWN}"', own)) if can]
            also = "".join(f", {word}" for word in extra)
            raise Unfit(f"须为 {low} 至 {high} 的整数{also}", f"An integer {low}..{high}{also}")
        return value

    return read


def step(value: Any) -> Any:
    """Minutes that divide a day, or "own"."""
    minutes = whole(1, DAY_MIN, own=True)(value)
    if minutes != OWN and DAY_MIN % minutes:
        raise Unfit("步长须能整除一天(1440 分钟)", "The step must divide a day (1440 minutes)")
    return minutes


def flag(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise Unfit("须为 true 或 false", "true or false")
    return value


def choice(*known: str) -> Reader:
    """One of these words."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in known:
            words = ", ".join(known)
            raise Unfit(f"须为其中之一:{words}", f"One of: {words}")
        return value

    return read


def words(
    known: Collection[str] | None = None, *, least: int = 0, most: int = 500
) -> Callable[[Any], tuple[str, ...]]:
    """A list of different codes, of known ones if `known` says which."""

    def read(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or not least <= len(value) <= most:
            raise Unfit(f"须为 {least} 至 {most} 项的列表", f"A list of {least}..{most} items")
        for index, word in enumerate(value):
            if not isinstance(word, str) or not _CODE.fullmatch(word):
                raise Unfit("须为代码", "A code is expected", f"[{index}]")
            if known is not None and word not in known:
                names = ", ".join(known)
                raise Unfit(f"须为其中之一:{names}", f"One of: {names}", f"[{index}]")
            if word in value[:index]:
                raise Unfit("重复", "Named twice", f"[{index}]")
        return tuple(value)

    return read


def clock(value: Any, *, most: int = DAY_MIN) -> int:
    """Minutes since midnight of "HH:MM"; the hour may pass 24 up to `most` minutes."""
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if match is None or (minutes := int(match[1]) * 60 + int(match[2])) > most:
        raise Unfit(
            f'须为 "HH:MM",至 {most // 60}:00', f'"HH:MM" up to {most // 60}:00 is expected'
        )
    return minutes


def between(value: Any) -> tuple[tuple[int, int], ...] | None:
    """The counted parts of a day, from ["HH:MM", "HH:MM"]; past midnight makes two parts."""
    if value is None:
        return None
    start, end = _pair(value)
    if start == end:
        raise Unfit("时段为空", "The hours are empty")
    if start < end:
        return ((start, end),)
    return tuple(part for part in ((0, end), (start, DAY_MIN)) if part[0] < part[1])


def _pair(value: Any, *, most: int = DAY_MIN) -> tuple[int, int]:
    if not isinstance(value, list) or len(value) != 2:
        raise Unfit('须为 ["HH:MM", "HH:MM"]', '["HH:MM", "HH:MM"] is expected')
    return clock(value[0], most=most), clock(value[1], most=most)


@dataclass(frozen=True, slots=True)
class Hours:
    """When a place is open: minutes since midnight, by weekday (Monday first) and by date.

    An opening belongs to the day it begins on and may end on the next one (up to 48:00).
    """

    week: tuple[tuple[tuple[int, int], ...], ...]
    dates: Mapping[date, tuple[tuple[int, int], ...]]

    @property
    def always(self) -> bool:
        """Whether there is no closed minute."""
        return not self.dates and all(day == ((0, DAY_MIN),) for day in self.week)


def week(value: Any) -> tuple[tuple[tuple[int, int], ...], ...]:
    """Openings by weekday code; a day that is not named is closed."""
    if not isinstance(value, dict):
        raise Unfit("须为按星期列出的对象", "An object by weekday is expected")
    for key in value:
        if key not in WEEKDAYS:
            raise Unfit("星期须为 MO…SU", "Weekdays are MO…SU", f".{key}")
    found = tuple(_openings(value.get(day, []), f".{day}") for day in WEEKDAYS)
    if not any(found):
        raise Unfit("从不开放", "Never open")
    return found


def dates(value: Any) -> dict[date, tuple[tuple[int, int], ...]]:
    """Openings of single days, which replace those of their weekday."""
    if not isinstance(value, dict):
        raise Unfit("须为按日期列出的对象", "An object by date is expected")
    found: dict[date, tuple[tuple[int, int], ...]] = {}
    for key, openings in value.items():
        try:
            day = date.fromisoformat(key)
        except ValueError as exc:
            raise Unfit("日期须为 YYYY-MM-DD", "Dates are YYYY-MM-DD", f".{key}") from exc
        found[day] = _openings(openings, f".{key}")
    return found


def _openings(value: Any, path: str) -> tuple[tuple[int, int], ...]:
    if not isinstance(value, list):
        raise Unfit("须为时段列表", "A list of openings is expected", path)
    found: list[tuple[int, int]] = []
    for index, item in enumerate(value):
        here = f"{path}[{index}]"
        try:
            start, end = _pair(item, most=2 * DAY_MIN)
        except Unfit as exc:
            raise Unfit(exc.zh, exc.en, here) from exc
        if not start < end or start >= DAY_MIN:
            raise Unfit(
                "须在当天开始,且结束晚于开始", "It must begin on its day and end later", here
            )
        if found and start < found[-1][1]:
            raise Unfit("与前一时段重叠", "Overlaps the one before", here)
        found.append((start, end))
    return tuple(found)
