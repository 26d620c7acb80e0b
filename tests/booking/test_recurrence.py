"""Recurrence against its meaning: day by day, and against another program's reading."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from base_ops.core.errors import DomainError
from booking.domain import recurrence
from booking.domain.recurrence import Limits, RruleContested, RruleEmpty, SeriesTooLong
from booking.domain.rrule import RruleInvalid

ZONE = ZoneInfo("Asia/Shanghai")
DAY = timedelta(days=1)
REFUSALS = {
    "rrule_invalid", "rrule_contested", "rrule_endless", "rrule_empty", "series_too_long",
}  # fmt: skip


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=ZONE)  # type: ignore[misc,arg-type]


def days(text: str, start: datetime, **more: Any) -> list[str]:
    return [at.strftime("%m-%d %H:%M") for at in recurrence.starts(text, start, **more)]


TUESDAY = local(2026, 9, 15, 9)


def refusal(text: str, start: datetime = TUESDAY) -> DomainError:
    with pytest.raises(DomainError) as caught:
        recurrence.starts(text, start)
    return caught.value


# --- worked examples --------------------------------------------------------------------------


def test_a_weekly_series_keeps_its_wall_time() -> None:
    found = days("FREQ=WEEKLY;BYDAY=TU,FR;COUNT=4", local(2026, 9, 15, 9, 30))

    assert found == ["09-15 09:30", "09-18 09:30", "09-22 09:30", "09-25 09:30"]


def test_a_start_outside_the_rule_is_not_an_instance() -> None:
    assert days("FREQ=WEEKLY;BYDAY=FR;COUNT=2", local(2026, 9, 15, 9)) == [
        "09-18 09:00", "09-25 09:00",
    ]  # fmt: skip


def test_months_without_the_day_are_skipped() -> None:
    found = days("FREQ=MONTHLY;COUNT=3", local(2026, 10, 31, 9))

    assert found == ["10-31 09:00", "12-31 09:00", "01-31 09:00"]


@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("20260918T010000Z", "09-18 09:00"),  # 09:00 in Shanghai, inclusive
        ("20260918T005959Z", "09-17 09:00"),
        ("20260918T090000", "09-18 09:00"),  # local
        ("20260918T085959", "09-17 09:00"),
    ],
)
def test_until_is_the_last_instant(until: str, last: str) -> None:
    assert days(f"FREQ=DAILY;UNTIL={until}", local(2026, 9, 15, 9))[-1] == last


def test_until_as_a_date_is_taken_only_where_that_day_has_no_instance() -> None:
    every_tuesday = local(2026, 9, 15, 9)

    assert len(days("FREQ=WEEKLY;UNTIL=20260928", every_tuesday)) == 2
    refused = refusal("FREQ=WEEKLY;UNTIL=20260929", every_tuesday)
    assert isinstance(refused, RruleContested)
    assert "20260929T235959" in refused.fields[0].reason_en


def test_exdates_count_and_rdates_come_on_top_and_nothing_comes_twice() -> None:
    start = local(2026, 9, 15, 9)
    extra = local(2026, 9, 20, 14)

    found = days(
        "FREQ=DAILY;COUNT=3",
        start,
        exdates=[start + DAY, (start + DAY).astimezone(UTC), local(2026, 1, 1, 1)],
        rdates=[extra, extra.astimezone(UTC), start],
    )

    assert found == ["09-15 09:00", "09-17 09:00", "09-20 14:00"]


def test_dates_alone_make_a_series() -> None:
    start = local(2026, 9, 15, 9)

    assert days("", start, rdates=[start, start + 5 * DAY]) == ["09-15 09:00", "09-20 09:00"]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("FREQ=HOURLY;COUNT=3", "FREQ"),
        ("COUNT=3", "FREQ"),
        ("FREQ=DAILY;COUNT=0", "COUNT"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20270101", "COUNT"),
        ("FREQ=DAILY;INTERVAL=0;COUNT=3", "INTERVAL"),
        ("FREQ=DAILY;COUNT=3;COUNT=4", "COUNT"),
        ("FREQ=DAILY;UNTIL=20261301", "UNTIL"),
        ("FREQ=DAILY;COUNT=3;BYDAY=1MO", "BYDAY"),
        ("FREQ=MONTHLY;COUNT=3;BYDAY=0MO", "BYDAY"),
        ("FREQ=WEEKLY;COUNT=3;BYMONTHDAY=1", "BYMONTHDAY"),
        ("FREQ=MONTHLY;COUNT=3;BYWEEKNO=20", "BYWEEKNO"),
        ("FREQ=DAILY;COUNT=3;BYYEARDAY=1", "BYYEARDAY"),
        ("FREQ=YEARLY;COUNT=3;BYWEEKNO=20;BYDAY=1MO", "BYDAY"),
        ("FREQ=MONTHLY;COUNT=3;BYSETPOS=1", "BYSETPOS"),
        ("FREQ=DAILY;COUNT=3;BYHOUR=24", "BYHOUR"),
        ("FREQ=DAILY;COUNT=3;BYSECOND=60", "BYSECOND"),
        ("FREQ=DAILY;COUNT=٣", "COUNT"),
        ("FREQ=DAILY;COUNT=3;BYEASTER=0", "BYEASTER"),
        ("FREQ=DAILY;COUNT=3;SKIP=OMIT", "SKIP"),
        ("FREQ=DAILY;COUNT=3;WKST=XX", "WKST"),
        ("FREQ=DAILY;COUNT=3;", "RRULE"),
    ],
)
def test_what_is_not_a_rule_is_refused_by_part(text: str, part: str) -> None:
    refused = refusal(text)

    assert isinstance(refused, RruleInvalid)
    assert refused.context["parts"] == [part]
    assert refused.fields[0].reason_zh.startswith(f"{part}:")


def test_every_fault_is_named_at_once() -> None:
    refused = refusal("FREQ=MINUTELY;INTERVAL=-1;BYMONTH=13;FOO=1")

    assert refused.context["parts"] == ["BYMONTH", "FOO", "FREQ", "INTERVAL"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("FREQ=DAILY", "rrule_endless"),
        ("FREQ=DAILY;COUNT=401", "series_too_long"),
        ("FREQ=DAILY;UNTIL=20281231T000000Z", "series_too_long"),
        ("FREQ=WEEKLY;UNTIL=20330101T000000Z", "series_too_long"),
        ("FREQ=YEARLY;COUNT=8", "series_too_long"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=2", "rrule_empty"),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=2", "rrule_empty"),
        ("FREQ=MONTHLY;BYDAY=2TU;BYSETPOS=2;COUNT=2", "rrule_empty"),
        ("FREQ=DAILY;UNTIL=20260101T000000Z", "rrule_empty"),
        ("FREQ=YEARLY;BYMONTHDAY=15;COUNT=3", "rrule_contested"),
        ("FREQ=YEARLY;BYWEEKNO=38;COUNT=3", "rrule_contested"),
        ("FREQ=WEEKLY;BYDAY=MO,TU;BYSETPOS=1;COUNT=3", "rrule_contested"),
        ("FREQ=YEARLY;BYYEARDAY=300;COUNT=3", "rrule_contested"),
    ],
)
def test_a_rule_without_a_clear_end_or_meaning_is_refused(text: str, code: str) -> None:
    refused = refusal(text)

    assert refused.code == code
    assert refused.title_zh
    assert refused.title_en


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30,31;BYHOUR=0,1,2;BYSETPOS=-1;COUNT=400",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;BYSETPOS=1;COUNT=2",
        "FREQ=YEARLY;INTERVAL=999999;COUNT=2",
        "FREQ=WEEKLY;INTERVAL=999999;BYDAY=TU;BYSETPOS=1;COUNT=2",
        "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6;BYDAY=MO;COUNT=2",
        "FREQ=YEARLY;BYYEARDAY=366;COUNT=2",
    ],
)
def test_a_rule_that_hardly_ever_happens_is_answered_at_once(text: str) -> None:
    start = time.process_time()

    refusal(text)

    assert time.process_time() - start < 2.0  # without a bound: for ever, or to the year 9999


def test_dates_added_years_away_are_refused() -> None:
    start = local(2026, 9, 15, 9)

    with pytest.raises(recurrence.StartsUnclear):
        recurrence.starts("FREQ=DAILY;COUNT=2", start, rdates=[start + 2300 * DAY])


def test_a_start_within_a_second_is_refused() -> None:
    """A rule knows seconds only: such a start would silently not be one of its dates."""
    with pytest.raises(recurrence.StartsUnclear):
        recurrence.starts("FREQ=DAILY;COUNT=2", TUESDAY.replace(microsecond=1))


def test_leaving_out_every_date_leaves_no_series() -> None:
    start = local(2026, 9, 15, 9)

    with pytest.raises(RruleEmpty):
        recurrence.starts("FREQ=DAILY;COUNT=1", start, exdates=[start])


def test_the_cap_counts_added_dates() -> None:
    start = local(2026, 9, 15, 9)

    with pytest.raises(SeriesTooLong):
        recurrence.starts(
            "FREQ=DAILY;COUNT=3", start, rdates=[start + timedelta(hours=1)],
            limits=Limits(instances=3),
        )  # fmt: skip
