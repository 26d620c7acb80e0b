"""Chinese working days: which days are worked, and whether anybody has announced it yet.

The State Council announces a year's breaks and make-up working days (调休) in the November before.
Until then the weekday rule is only a presumption: "not announced" is not "no holiday".
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from base_ops.core.errors import FieldFault, Invalid

LONGEST_BREAK_DAYS = 31
SATURDAY = 5


class DayKind(StrEnum):
    """Why a day is worked, or not."""

    WORKDAY = "workday"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    MAKE_UP = "make_up"


class BadYear(Invalid):
    """Breaks or make-up days that contradict each other or the calendar; names each."""

    code, title_zh, title_en = "bad_work_year", "放假安排有误", "Not a sound list of holidays"


@dataclass(frozen=True, slots=True)
class Break:
    """Days off in a row, both ends included, weekends inside too."""

    first: date
    last: date
    zh: str
    en: str = ""

    def covers(self, day: date) -> bool:
        """Whether the day lies in the break."""
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class MakeUpDay:
    """A Saturday or Sunday that is worked, for the break it makes up for."""

    day: date
    zh: str
    en: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """What is known of one day.

    `holiday` is None while the year is not announced: then `worked` is the weekday rule's
    presumption, which the announcement may change.
    """

    day: date
    kind: DayKind
    announced: bool
    zh: str = ""
    en: str = ""

    @property
    def worked(self) -> bool:
        """Whether the day is worked, or presumed to be."""
        return self.kind in (DayKind.WORKDAY, DayKind.MAKE_UP)

    @property
    def holiday(self) -> bool | None:
        """Whether the day belongs to a break; None: not announced yet."""
        return self.kind is DayKind.HOLIDAY if self.announced else None


@dataclass(frozen=True, slots=True)
class Year:
    """One year, announced or not.

    Raises:
        BadYear: naming every fault, by field.
    """

    year: int
    announced: bool = False
    breaks: tuple[Break, ...] = ()
    make_up_days: tuple[MakeUpDay, ...] = ()
    source: str = ""

    def __post_init__(self) -> None:
        if faults := list(_faults(self)):
            raise BadYear(f"{len(faults)} faults in {self.year}", fields=faults)

    def day(self, day: date) -> Day:
        """What is known of a day of this year.

        Raises:
            ValueError: a day of another year.
        """
        if day.year != self.year:
            raise ValueError(f"{day} is not in {self.year}")
        for made in self.make_up_days:
            if made.day == day:
                return Day(day, DayKind.MAKE_UP, self.announced, made.zh, made.en)
        for off in self.breaks:
            if off.covers(day):
                return Day(day, DayKind.HOLIDAY, self.announced, off.zh, off.en)
        return Day(day, DayKind.WEEKEND if is_weekend(day) else DayKind.WORKDAY, self.announced)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Several years; one that is missing is not announced."""

    years: Mapping[int, Year] = field(default_factory=dict)

    def day(self, day: date) -> Day:
        """What is known of the day."""
        return (self.years.get(day.year) or Year(day.year)).day(day)

    def days(self, first: date, last: date) -> Iterator[Day]:
        """Every day from `first` to `last`, both included."""
        for n in range((last - first).days + 1):
            yield self.day(first + timedelta(days=n))


def is_weekend(day: date) -> bool:
    """Saturday or Sunday."""
    return day.weekday() >= SATURDAY


def _faults(year: Year) -> Iterator[FieldFault]:
    if not year.announced and (year.breaks or year.make_up_days):
        yield FieldFault(
            "announced", "未公布的年份没有放假安排", "a year not announced has no breaks"
        )
    for n, off in enumerate(year.breaks):
        yield from _break_faults(f"breaks.{n}", off, year)
    for n, made in enumerate(year.make_up_days):
        yield from _make_up_faults(f"make_up_days.{n}", made, year)
    yield from _repeated(year)


def _break_faults(name: str, off: Break, year: Year) -> Iterator[FieldFault]:
    if not off.first.year == off.last.year == year.year:
        yield FieldFault(name, f"须在 {year.year} 年内", f"must lie in {year.year}")
    if not 0 <= (off.last - off.first).days < LONGEST_BREAK_DAYS:
        yield FieldFault(
            name, f"须为 1 至 {LONGEST_BREAK_DAYS} 天", f"must last 1 to {LONGEST_BREAK_DAYS} days"
        )


def _make_up_faults(name: str, made: MakeUpDay, year: Year) -> Iterator[FieldFault]:
    if made.day.year != year.year:
        yield FieldFault(name, f"须在 {year.year} 年内", f"must lie in {year.year}")
    if not is_weekend(made.day):
        yield FieldFault(name, "调休上班日须为周末", "a make-up day is a Saturday or Sunday")
    if any(off.covers(made.day) for off in year.breaks):
        yield FieldFault(name, "与放假日重复", "lies inside a break")


def _repeated(year: Year) -> Iterator[FieldFault]:
    """Breaks that overlap, and make-up days given twice."""
    order = sorted(range(len(year.breaks)), key=lambda n: year.breaks[n].first)
    for before, after in itertools.pairwise(order):
        if year.breaks[after].first <= year.breaks[before].last:
            yield FieldFault(f"breaks.{after}", "与其他放假日重叠", "overlaps another break")
    seen: set[date] = set()
    for n, made in enumerate(year.make_up_days):
        if made.day in seen:
            yield FieldFault(f"make_up_days.{n}", "重复", "given twice")
        seen.add(made.day)
