"""Whatever the bytes of a file are, it is read or refused."""

import io
import zipfile
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from base_ops.core.tables import xlsx_file
from base_ops.core.tables.files import MAX_BYTES, FileRefused, FileTooLarge, Line
from booking.domain.tables import wanted
from booking.domain.tables.columns import COLUMNS
from tests.booking import sheets
from tests.booking.test_imports_files import ONE, READERS
from tests.booking.test_imports_workbooks import SOUND, replaced


@pytest.mark.parametrize("kind", READERS)
def test_no_kind_of_file_may_be_larger_than_the_limit(kind: str) -> None:
    with pytest.raises(FileTooLarge):
        READERS[kind](b"a" * (MAX_BYTES + 1))


SEEDS = {
    "csv": sheets.csv("S1,2026-11-25,14:00,15:00,t,1"),
    "xlsx": SOUND,
    "ics": sheets.ics(f"{ONE}\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE:20261126T140000"),
}


@pytest.mark.parametrize("kind", READERS)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_the_bytes_are_they_are_read_or_refused(kind: str, data: st.DataObject) -> None:
    spoilt = bytearray(SEEDS[kind])
    for _ in range(data.draw(st.integers(0, 8))):
        place = data.draw(st.integers(0, len(spoilt) - 1))
        spoilt[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))

    try:
        found = READERS[kind](bytes(spoilt))
    except (FileRefused, FileTooLarge):
        return

    if kind != "ics":
        [wanted.read(line) for line in found.lines]


@settings(max_examples=60, deadline=None)
@given(part=st.sampled_from(sorted(zipfile.ZipFile(io.BytesIO(SOUND)).namelist())), data=st.data())
def test_whatever_lies_inside_a_workbook_it_is_read_or_refused(
    part: str, data: st.DataObject
) -> None:
    spoilt = bytearray(zipfile.ZipFile(io.BytesIO(SOUND)).read(part))
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(spoilt) - 1))
        spoilt[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))

    try:
        found = xlsx_file.read(replaced(part, bytes(spoilt)), COLUMNS)
    except FileRefused:
        return

    [wanted.read(line) for line in found.lines]


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(
    st.sampled_from(["space", "date", "starts_at", "ends_at", "title", "purpose", "headcount",
                     "units", "services"]),
    st.one_of(
        st.text(max_size=30), st.integers(), st.floats(), st.booleans(), st.datetimes(),
        st.dates(), st.times(), st.timedeltas(), st.none(),
        st.from_regex(r"[0-9]{4}[-/年.][0-9]{1,3}[-/月.][0-9]{1,3}日? ?[0-9]{0,2}:?[0-9]{0,2}Z?"),
    ),
))  # fmt: skip
def test_whatever_the_cells_are_they_become_a_wish_or_faults(cells: Any) -> None:
    row = wanted.read(Line(2, cells))

    assert (row.wanted is None) == bool(row.faults)
