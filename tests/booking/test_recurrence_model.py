"""Rules that repeat, against a model that looks at every day, and against python-dateutil."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from dateutil import rrule as dateutil
from hypothesis import given, settings
from hypothesis import strategies as st

from base_ops.core.errors import DomainError
from booking.domain import recurrence
from booking.domain.recurrence import RruleEmpty, SeriesTooLong
from booking.domain.rrule import DAYS
from tests.booking.test_recurrence import DAY, REFUSALS, ZONE, local

rule_days = st.dates(date(2026, 1, 1), date(2028, 12, 31))
intervals = st.integers(1, 5)
weekdays = st.lists(st.sampled_from(range(7)), max_size=3, unique=True)
month_days = st.lists(st.integers(-31, 31).filter(bool), max_size=3, unique=True)
ordinals = st.lists(
    st.tuples(st.integers(-5, 5), st.sampled_from(range(7))), max_size=3, unique=True
)
months = st.lists(st.integers(1, 12), max_size=4, unique=True)


def monday_based(day: date, wkst: int) -> int:
    """The number of the week, weeks beginning on `wkst`."""
    return (day.toordinal() - 1 - wkst) // 7


def in_month(day: date) -> tuple[int, int]:
    """The day of the month from the start, and from the end as a negative."""
    following = (day.replace(day=28) + 4 * DAY).replace(day=1)
    return day.day, -(following - day).days


def named(day: date, wanted: list[tuple[int, int]]) -> bool:
    """Whether one of (n, weekday) names the day in its month."""
    first, last = (day.day - 1) // 7 + 1, -((-in_month(day)[1] - 1) // 7 + 1)
    return any(w == day.weekday() and n in (0, first, last) for n, w in wanted)


def modelled(start: date, count: int, holds: Any) -> list[date]:
    """The first `count` days from the start on, within six years, that the rule holds for."""
    end = date(start.year + 6, start.month, start.day - ((start.month, start.day) == (2, 29)))
    found: list[date] = []
    day = start
    while day <= end and len(found) < count:
        if holds(day):
            found.append(day)
        day += DAY
    return found


def agrees(text: str, start: date, count: int, holds: Any) -> None:
    """The rule gives what the model gives; too few, or none, are refused as such."""
    expected = modelled(start, count, holds)
    begin = datetime(start.year, start.month, start.day, 9, tzinfo=ZONE)
    try:
        found = recurrence.starts(f"{text};COUNT={count}", begin)
    except RruleEmpty:
        assert not expected
    except SeriesTooLong:
        assert len(expected) < count
    else:
        assert [at.date() for at in found] == expected
        assert {at.hour for at in found} == {9}


def listed(name: str, values: list[Any]) -> str:
    return f";{name}={','.join(map(str, values))}" if values else ""


@given(rule_days, intervals, weekdays, month_days, months, st.integers(1, 30))
def test_daily(
    start: date, n: int, on: list[int], at: list[int], within: list[int], count: int
) -> None:
    text = f"FREQ=DAILY;INTERVAL={n}" + listed("BYDAY", [DAYS[d] for d in on])
    text += listed("BYMONTHDAY", at) + listed("BYMONTH", within)

    agrees(text, start, count, lambda day: (
        (day - start).days % n == 0
        and (not on or day.weekday() in on)
        and (not at or bool({*in_month(day)} & {*at}))
        and (not within or day.month in within)
    ))  # fmt: skip


@given(rule_days, intervals, weekdays, st.integers(0, 6), months, st.integers(1, 30))
def test_weekly(
    start: date, n: int, on: list[int], wkst: int, within: list[int], count: int
) -> None:
    text = f"FREQ=WEEKLY;INTERVAL={n};WKST={DAYS[wkst]}"
    text += listed("BYDAY", [DAYS[d] for d in on]) + listed("BYMONTH", within)

    agrees(text, start, count, lambda day: (
        (monday_based(day, wkst) - monday_based(start, wkst)) % n == 0
        and day.weekday() in (on or [start.weekday()])
        and (not within or day.month in within)
    ))  # fmt: skip


@given(rule_days, intervals, ordinals, month_days, months, st.integers(1, 30))
def test_monthly(
    start: date, n: int, on: list[tuple[int, int]], at: list[int], within: list[int], count: int
) -> None:
    text = f"FREQ=MONTHLY;INTERVAL={n}"
    text += listed("BYDAY", [f"{k or ''}{DAYS[d]}" for k, d in on])
    text += listed("BYMONTHDAY", at) + listed("BYMONTH", within)
    by_start = not on and not at

    agrees(text, start, count, lambda day: (
        (day.year * 12 + day.month - start.year * 12 - start.month) % n == 0
        and (not on or named(day, on))
        and (not at or bool({*in_month(day)} & {*at}))
        and (not within or day.month in within)
        and (not by_start or day.day == start.day)
    ))  # fmt: skip


@given(rule_days, st.integers(1, 3), ordinals, month_days, months.filter(bool), st.integers(1, 12))
def test_yearly_within_named_months(
    start: date, n: int, on: list[tuple[int, int]], at: list[int], within: list[int], count: int
) -> None:
    text = f"FREQ=YEARLY;INTERVAL={n}" + listed("BYMONTH", within)
    text += listed("BYDAY", [f"{k or ''}{DAYS[d]}" for k, d in on]) + listed("BYMONTHDAY", at)
    by_start = not on and not at

    agrees(text, start, count, lambda day: (
        (day.year - start.year) % n == 0
        and day.month in within
        and (not on or named(day, on))
        and (not at or bool({*in_month(day)} & {*at}))
        and (not by_start or day.day == start.day)
    ))  # fmt: skip


@given(
    rule_days,
    st.sampled_from(["utc", "local"]),
    st.integers(-1440, 60 * 24 * 60),
    st.sets(st.integers(0, 60), max_size=8),
    st.sets(st.integers(0, 60 * 24), max_size=8),
)
def test_until_exdates_and_rdates(
    start: date, kind: str, minutes: int, out: set[int], more: set[int]
) -> None:
    begin = datetime(start.year, start.month, start.day, 9, tzinfo=ZONE)
    until = begin + timedelta(minutes=minutes)
    text = f"{until.astimezone(UTC):%Y%m%dT%H%M%SZ}" if kind == "utc" else f"{until:%Y%m%dT%H%M%S}"
    exdates = [(begin + n * DAY).astimezone(UTC) for n in out]
    rdates = [begin + timedelta(hours=n) for n in more]

    try:
        found = recurrence.starts(
            f"FREQ=DAILY;UNTIL={text}", begin, exdates=exdates, rdates=rdates
        )
    except RruleEmpty:
        found = list[datetime]()

    ruled = {begin + n * DAY for n in range(62) if begin + n * DAY <= until}
    expected = sorted((ruled | set(rdates)) - set(exdates)) if ruled else []
    assert found == expected


# --- against python-dateutil, and against anything --------------------------------------------

numbers = st.integers(-6, 60).map(str)
parts = st.dictionaries(
    st.sampled_from([
        "BYDAY", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS", "BYHOUR",
        "BYMINUTE", "INTERVAL", "WKST",
    ]),
    st.lists(st.one_of(numbers, st.sampled_from(DAYS)), min_size=1, max_size=3).map(",".join),
    max_size=4,
)  # fmt: skip


@settings(max_examples=400)
@given(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]), parts, rule_days)
def test_what_is_taken_is_read_alike_by_dateutil(
    freq: str, more: dict[str, str], start: date
) -> None:
    text = ";".join([f"FREQ={freq}", "COUNT=7", *(f"{k}={v}" for k, v in more.items())])
    begin = datetime(start.year, start.month, start.day, 9, 30)  # noqa: DTZ001

    try:
        found = recurrence.starts(text, begin.replace(tzinfo=ZONE))
    except DomainError as refused:
        assert refused.code in REFUSALS  # noqa: PT017 - one of two lawful outcomes
    else:
        assert [at.replace(tzinfo=None) for at in found] == list(
            dateutil.rrulestr(text, dtstart=begin)
        )


@settings(max_examples=300)
@given(st.one_of(
    st.text(max_size=60),
    st.lists(st.text(alphabet="FREQ=DAILYWKMONTHUBS;,-+0123456789Z", max_size=12), max_size=8)
    .map(";".join).map("FREQ=MONTHLY;COUNT=3;".__add__),
))  # fmt: skip
def test_any_text_is_a_series_or_a_refusal(text: str) -> None:
    try:
        found = recurrence.starts(text or "X", local(2026, 9, 15, 9))
    except DomainError as refused:
        assert refused.code in REFUSALS  # noqa: PT017 - one of two lawful outcomes
    else:
        assert found == sorted(set(found))
