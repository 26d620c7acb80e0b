"""Workbooks as people and attackers make them, read as tables of bookings."""

import datetime as dt
import time

import pytest

from base_ops.core.spans import Span
from tests.booking import sheets
from tests.booking.test_imports_files import at, faults, reason, rows


def test_xlsx_cells_of_every_kind_mean_the_same() -> None:
    day, moment = dt.date(2026, 11, 25), at(25, 14).replace(tzinfo=None)
    data = sheets.xlsx(
        [
            ["S1", day, dt.time(14), dt.time(16, 30), "预热", 3],
            ["S1", "2026-11-25", "14:00", "16:30", "预热", "3"],
            ["S1", None, moment, moment + dt.timedelta(minutes=150), "预热", 3.0],
            [None] * 6,
            ["S1", moment, dt.timedelta(hours=14), dt.time(16, 30), "预热", 3],
        ]
    )

    found = rows(data, "xlsx")

    assert [row.number for row in found] == [2, 3, 4, 6]
    assert {(r.wanted.span, r.wanted.headcount) for r in found if r.wanted} == {
        (Span(at(25, 14), at(25, 16, 30)), 3)
    }
    assert not any(row.faults for row in found)


def test_a_formula_in_a_cell_is_refused_by_column() -> None:
    data = sheets.xlsx([["S1", "2026-11-25", "14:00", "15:00", "=HYPERLINK(A1)", "=1+1"]])

    assert faults(data, "xlsx") == ["title", "headcount"]


BOMB = b"<a>" + b" " * (4 * 1024 * 1024) + b"</a>"
LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">%s]>
<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">&z;</sst>""" % b"".join(
    b'<!ENTITY %c "&%c;&%c;&%c;&%c;&%c;&%c;&%c;&%c;">' % (n, *[n - 1] * 8)
    for n in range(ord("b"), ord("z") + 1)
)
SOUND = sheets.shared(sheets.xlsx([["S1", "2026-11-25", "14:00", "15:00", "t", 1]]))


def replaced(name: str, content: bytes | None) -> bytes:
    return sheets.repacked(SOUND, lambda n, old: content if n == name else old)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "empty"),
        (b"not a zip", "not_xlsx"),
        (sheets.csv("S1"), "not_xlsx"),
        (SOUND[: len(SOUND) // 2], "not_xlsx"),
        (SOUND[:-30], "not_xlsx"),
        (replaced("xl/workbook.xml", None), "not_xlsx"),
        (replaced("xl/workbook.xml", b"<broken"), "not_xlsx"),
        (replaced("xl/worksheets/sheet1.xml", b"<broken"), "not_xlsx"),
        (replaced("xl/worksheets/sheet1.xml", LAUGHS), "not_xlsx"),
        (replaced("xl/sharedStrings.xml", LAUGHS), "not_xlsx"),
        (replaced("xl/workbook.xml", LAUGHS), "not_xlsx"),
        (replaced("xl/sharedStrings.xml", BOMB), "zip_bomb"),
        (sheets.repacked(SOUND, lambda _, old: old, xl__media__a=BOMB), "zip_bomb"),
        (sheets.repacked(SOUND, lambda _, old: old, **{f"x{n}": b"" for n in range(200)}),
         "zip_bomb"),
        (sheets.repacked(SOUND, lambda _, old: old, **{"xl__vbaProject.bin": b"x"}),
         "active_content"),
        (sheets.repacked(SOUND, lambda _, old: old, **{"xl__externalLinks__e.xml": b"x"}),
         "active_content"),
        (sheets.xlsx([["x"] * 6] * 501), "too_many_rows"),
        (sheets.xlsx([], header=["a"] * 70), "too_many_columns"),
        (sheets.xlsx([["x"] * 6], header=["空间", "room", *sheets.HEADER[1:5]]),
         "duplicate_columns"),
        (sheets.xlsx([]), "no_rows"),
    ],
)  # fmt: skip
def test_a_workbook_that_is_not_a_table_is_refused_by_name(data: bytes, expected: str) -> None:
    started = time.perf_counter()

    assert reason(data, "xlsx") == expected
    assert time.perf_counter() - started < 20  # no limit of speed: a bomb would never end


def test_a_sheet_that_lies_about_its_size_is_read_as_it_is() -> None:
    def wider(name: str, old: bytes) -> bytes:
        if name != "xl/worksheets/sheet1.xml":
            return old
        assert b'ref="A1:F2"' in old
        return old.replace(b'ref="A1:F2"', b'ref="A1:XFD1048576"')

    (row,) = rows(sheets.repacked(SOUND, wider), "xlsx")

    assert row.wanted is not None


def test_a_cell_in_the_last_column_and_row_of_a_sheet_is_not_walked_to() -> None:
    def far(name: str, old: bytes) -> bytes:
        if name != "xl/worksheets/sheet1.xml":
            return old
        cell = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
        return old.replace(b"</sheetData>", cell)

    assert reason(sheets.repacked(SOUND, far), "xlsx") == "too_many_rows"


def test_an_entry_that_lies_about_its_size_unpacks_no_further() -> None:
    content = b"<a>" + b" " * (64 * 1024 * 1024) + b"</a>"
    honest = replaced("xl/sharedStrings.xml", content)
    size = len(content).to_bytes(4, "little")
    assert size in honest
    lying = honest.replace(size, (900).to_bytes(4, "little"))

    assert (reason(honest, "xlsx"), reason(lying, "xlsx")) == ("zip_bomb", "not_xlsx")
