"""Files of bookings as they really come: read by meaning, or refused by name."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from base_ops.core.spans import Span
from base_ops.core.tables import csv_file, xlsx_file
from base_ops.core.tables.files import FileRefused
from booking.domain.tables import ics_file, wanted
from booking.domain.tables.columns import COLUMNS
from booking.domain.tables.wanted import Row
from tests.booking import sheets

ZONE = ZoneInfo("Asia/Shanghai")
READERS: dict[str, Callable[[bytes], Any]] = {
    "csv": partial(csv_file.read, wanted=COLUMNS),
    "xlsx": partial(xlsx_file.read, wanted=COLUMNS),
    "ics": ics_file.read,
}


def at(day: int, hour: int, minute: int = 0) -> dt.datetime:
    return dt.datetime(2026, 11, day, hour, minute, tzinfo=ZONE)


def rows(data: bytes, kind: str = "csv") -> list[Row]:
    return [wanted.read(line) for line in READERS[kind](data).lines]


def faults(data: bytes, kind: str = "csv") -> list[str]:
    return [fault.name for row in rows(data, kind) for fault in row.faults]


def reason(data: bytes, kind: str) -> str:
    with pytest.raises(FileRefused) as caught:
        READERS[kind](data)
    assert caught.value.fields[0].reason_zh
    assert caught.value.fields[0].reason_en
    return str(caught.value.context["reason"])


# --- CSV --------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_is_read_in_every_usual_dress(encoding: str, delimiter: str) -> None:
    text = "空间,日期,开始,结束,标题,人数\r\nS1,2026-11-25,14:00,16:30,预热①,3\r\n"

    (row,) = rows(text.replace(",", delimiter).encode(encoding))

    assert row.wanted is not None
    assert row.wanted.span == Span(at(25, 14), at(25, 16, 30))
    assert (row.wanted.space, row.wanted.title, row.wanted.headcount) == ("S1", "预热①", 3)


def test_english_names_and_full_instants_do_as_well() -> None:
    (row,) = rows(
        b"Room,Start time,END_TIME,Purpose,Services\n"
        b"S1,2026-11-25T14:00:00Z,2026-11-26 00:30 +0800,training,SV-01*2; sv-02\n"
    )

    assert row.wanted is not None
    assert row.wanted.span == Span(at(25, 22), at(26, 0, 30))
    assert row.wanted.purpose == "training"
    assert row.wanted.services == (("SV-01", Decimal(2)), ("sv-02", Decimal(1)))


@pytest.mark.parametrize(
    ("start", "end", "span"),
    [
        ("22:00", "02:00", Span(at(25, 22), at(26, 2))),
        ("22:00", "24:00", Span(at(25, 22), at(26, 0))),
        ("9:00", "９：３０", Span(at(25, 9), at(25, 9, 30))),
        ("14时30分", "16点", Span(at(25, 14, 30), at(25, 16))),
        ("2026年11月26日 14:00", "15:00", Span(at(26, 14), at(26, 15))),
        ("2026/11/26 23:00:00", "2026.11.27 1:00", Span(at(26, 23), at(27, 1))),
    ],
)
def test_times_as_people_write_them(start: str, end: str, span: Span) -> None:
    (row,) = rows(sheets.csv(f"S1,2026年11月25日,{start},{end},,"))

    assert row.wanted is not None, row.faults
    assert row.wanted.span == span


def test_quoted_line_breaks_keep_the_numbers_of_the_lines_right() -> None:
    data = sheets.csv('S1,2026-11-25,14:00,15:00,"a\r\nb",1', "", "S1,x,14:00,15:00,c,1")

    first, second = rows(data)

    assert first.wanted is not None
    assert (first.number, first.wanted.title) == (2, "a b")
    assert (second.number, [f.name for f in second.faults]) == (5, ["date"])


@pytest.mark.parametrize(
    ("line", "columns"),
    [
        (",2026-11-25,14:00,15:00,t,1", ["space"]),
        ("S1,2026-02-30,14:00,15:00,t,1", ["date"]),
        ("S1,1999-12-31,14:00,15:00,t,1", ["date"]),
        ("S1,,14:00,15:00,t,1", ["date"]),
        ("S1,2026-11-25,25:00,15:00,t,1", ["starts_at"]),
        ("S1,2026-11-25,14:60,15:00,t,1", ["starts_at"]),
        ("S1,2026-11-25,,,t,1", ["starts_at", "ends_at"]),
        ("S1,2026-11-25,14:00,2026-11-25 13:00,t,1", ["ends_at"]),
        ("S1,2026-11-25,14:00,15:00,t,0", ["headcount"]),
        ("S1,2026-11-25,14:00,15:00,t,1.5", ["headcount"]),
        ("S1,2026-11-25,14:00,15:00,t,٣", ["headcount"]),
        ("S1,2026-11-25,14:00,15:00,=1+1,1", ["title"]),
        ('S1,2026-11-25,14:00,15:00,"@SUM(A1,A2)",1', ["title"]),
        ("S1,2026-11-25,14:00,15:00,+cmd|' /C calc'!A0,1", ["title"]),
        ("S1,2026-11-25,14:00,15:00,a\x07b,1", ["title"]),
        (f"S1,2026-11-25,14:00,15:00,{'长' * 121},1", ["title"]),
        (f"S1,2026-11-25,14:00,15:00,{'长' * 501},1", ["title"]),
        ("S1,2026-11-25,14:00,15:00,t,1,extra", [""]),
        (",x,y,z,=t,many", ["title", "date", "starts_at", "ends_at", "headcount", "space"]),
    ],
)  # fmt: skip
def test_every_fault_of_a_line_names_its_column(line: str, columns: list[str]) -> None:
    assert sorted(faults(sheets.csv(line))) == sorted(columns)


@pytest.mark.parametrize("title", ["-5 ℃ 冷链专场", "@主播小美", "+1 场"])
def test_text_that_only_looks_like_a_formula_is_text(title: str) -> None:
    (row,) = rows(sheets.csv(f"S1,2026-11-25,14:00,15:00,{title},1"))

    assert row.wanted is not None
    assert row.wanted.title == title


def test_unknown_columns_are_told_and_not_read() -> None:
    found = csv_file.read(
        sheets.csv("S1,2026-11-25,14:00,15:00,x", header="空间,日期,开始,结束,备注"), COLUMNS
    )

    assert found.ignored == ["备注"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "empty"),
        (b"\r\n\r\n", "no_header"),
        (sheets.csv(), "no_rows"),
        (b"a,b\n1,2\n", "missing_columns"),
        (sheets.csv("x", header="空间,space,日期,开始,结束"), "duplicate_columns"),
        (sheets.csv(*["S1,2026-11-25,14:00,15:00,t,1"] * 501), "too_many_rows"),
        (b",".join([b"a"] * 10**6) + b"\n1\n", "too_many_columns"),
        (sheets.csv('S1,2026-11-25,14:00,15:00,"open'), "not_csv"),
        (sheets.csv("S1,\x00"), "not_text"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not_text"),
        ("空间,开始\r\n".encode("utf-16"), "encoding"),
        (b"\xff\xff\x80\n", "encoding"),
        (sheets.csv(f"S1,{'x' * 200_000}"), "not_csv"),
    ],
)
def test_a_file_that_is_no_table_is_refused_by_name(data: bytes, expected: str) -> None:
    assert reason(data, "csv") == expected


# --- ICS --------------------------------------------------------------------------------------

ONE = "SUMMARY:预热\nLOCATION:直播间1 (S1)\\, 1层\nDTSTART;TZID=Asia/Shanghai:20261125T140000"


def test_events_are_read_with_place_time_and_purpose() -> None:
    (row,) = ics_file.read(sheets.ics(f"{ONE}\nDURATION:PT2H30M\nCATEGORIES:别的,training"))

    assert row.wanted == wanted.Wanted(
        space="S1", span=Span(at(25, 14), at(25, 16, 30)), title="预热", purpose="training"
    )


@pytest.mark.parametrize(
    "start",
    [
        "DTSTART:20261125T140000",
        "DTSTART:20261125T060000Z",
        "DTSTART;TZID=China Standard Time:20261125T140000",
    ],
)
def test_times_of_every_kind_mean_the_same_instant(start: str) -> None:
    (row,) = ics_file.read(sheets.ics(f"LOCATION:S1\n{start}\nDURATION:PT1H"))

    assert row.wanted is not None
    assert row.wanted.span == Span(at(25, 14), at(25, 15))


def test_a_series_becomes_its_instances_with_what_was_left_out_and_moved() -> None:
    data = sheets.ics(
        f"{ONE}\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=4\n"
        "EXDATE;TZID=Asia/Shanghai:20261126T140000",
        "LOCATION:S2\nRECURRENCE-ID;TZID=Asia/Shanghai:20261127T140000\n"
        "DTSTART;TZID=Asia/Shanghai:20261127T190000\nDURATION:PT2H",
    ).replace(b"UID:e1", b"UID:e0")

    found = ics_file.read(data)

    assert [(r.number, r.wanted.space, r.wanted.span.start) for r in found if r.wanted] == [
        (1, "S1", at(25, 14)), (1, "S1", at(28, 14)), (2, "S2", at(27, 19))
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("event", "names"),
    [
        (f"{ONE}\nDTEND;VALUE=DATE:20261126", ["DTEND"]),
        ("LOCATION:S1\nDTSTART;VALUE=DATE:20261125", ["DTSTART"]),
        ("LOCATION:S1\nDTSTART;TZID=Mars/Base:20261125T140000\nDURATION:PT1H", ["DTSTART"]),
        ("LOCATION:S1\nDTSTART:2026\nDURATION:PT1H", ["DTSTART"]),
        ("LOCATION:S1\nDTSTART:99991125T140000\nDURATION:PT1H", ["DTSTART"]),
        (f"{ONE}\n{ONE}\nDURATION:PT1H", ["LOCATION", "SUMMARY", "DTSTART"]),
        (ONE, ["DTEND"]),
        (f"{ONE}\nDURATION:-PT1H", ["DTEND"]),
        (f"{ONE}\nDURATION:P99999999999W", ["DURATION"]),
        (f"{ONE}\nDURATION:PT1H\nSTATUS:CANCELLED", ["STATUS"]),
        ("DTSTART:20261125T140000\nDURATION:PT1H", ["LOCATION"]),
        (f"{ONE}\nDURATION:PT1H".replace("预热", "长" * 130), ["SUMMARY"]),
        (f"{ONE}\nDURATION:PT1H\nRRULE:FREQ=DAILY", ["rrule"]),
        (f"{ONE}\nDURATION:PT1H\nRRULE:FREQ=SECONDLY;COUNT=999999999", ["rrule", "rrule"]),
        (f"{ONE}\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=9999", ["rrule"]),
        (f"{ONE}\nDURATION:PT1H\nRRULE:NONSENSE", ["RRULE"]),
        (f"{ONE}\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=2\nRRULE:FREQ=DAILY;COUNT=2", ["RRULE"]),
        (f"{ONE}\nDURATION:PT1H\nEXRULE:FREQ=DAILY;COUNT=2", ["EXRULE"]),
        (f"{ONE}\nDURATION:PT1H\nRDATE;VALUE=PERIOD:20261127T100000Z/PT1H", ["RDATE"]),
        (f"{ONE}\nDURATION:PT1H\nRECURRENCE-ID;RANGE=THISANDFUTURE:20261125T140000",
         ["RECURRENCE-ID"]),
    ],
)  # fmt: skip
def test_an_event_that_cannot_be_booked_says_which_property_is_why(
    event: str, names: list[str]
) -> None:
    (row,) = ics_file.read(sheets.ics(event))

    assert row.wanted is None
    assert {f.name for f in row.faults} <= set(names)
    assert row.faults
    assert all(f.reason_zh and f.reason_en for f in row.faults)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "empty"),
        (b"not a calendar", "not_ics"),
        (sheets.xlsx([]), "encoding"),
        (sheets.ics(ONE)[:-40], "not_ics"),
        (b"BEGIN:VCALENDAR\r\nSUMMARY:\x00\r\nEND:VCALENDAR\r\n", "not_ics"),
        (sheets.ics(), "no_rows"),
        (sheets.ics(ONE, head="METHOD:CANCEL\r\n"), "ics_method"),
        (sheets.ics(*[f"{ONE}\nDURATION:PT1H"] * 501), "too_many_rows"),
        (sheets.ics(*[f"{ONE}\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=300"] * 2), "too_many_rows"),
        (b"BEGIN:VCALENDAR\r\n" * 10_000, "too_complex"),
        (sheets.ics(ONE + "\nX-LONG:" + "x" * 30_000), "too_complex"),
    ],
)
def test_a_file_that_is_no_calendar_is_refused_by_name(data: bytes, expected: str) -> None:
    assert reason(data, "ics") == expected
