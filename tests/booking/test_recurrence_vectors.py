"""Other projects' rules: what all agree on is exact, the rest agrees or is refused."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from base_ops.core.errors import DomainError
from booking.domain import overrides, recurrence
from booking.domain.overrides import Change
from booking.domain.recurrence import Limits

FOLDER = Path(__file__).parent.parent / "vectors" / "booking"
WIDE = Limits(instances=400, years=80)  # one vector waits 66 years for its only date
UTC_ZONE = ZoneInfo("UTC")
REFUSALS = {"rrule_invalid", "rrule_contested", "rrule_endless", "rrule_empty"}
# Vectors whose stated outcome we judge wrong, with the reason: none.
WRONG: dict[str, str] = {}


def vectors(name: str) -> list[Any]:
    found = json.loads((FOLDER / f"{name}.json").read_text())["vectors"]
    assert found
    return [pytest.param(v, id=v["id"]) for v in found if v["id"] not in WRONG]


def instant(text: str, zone: ZoneInfo) -> datetime:
    """A date is its midnight; what names no zone is wall time of `zone`."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=zone)


def zone_of(vector: Any) -> ZoneInfo:
    return ZoneInfo(vector.get("tzid", "UTC"))


def wanted(vector: Any) -> list[datetime]:
    return [instant(text, zone_of(vector)) for text in vector["occurrences"]]


@pytest.mark.parametrize("vector", vectors("rrule_consensus"))
def test_what_all_agree_on_is_expanded_exactly(vector: Any) -> None:
    zone = zone_of(vector)
    ended = vector["rrule"]
    if not vector["complete"]:  # its first occurrences
        ended += f";COUNT={len(vector['occurrences'])}"

    found = recurrence.starts(ended, instant(vector["dtstart"], zone), zone=zone, limits=WIDE)

    assert found == wanted(vector)


@pytest.mark.parametrize("vector", vectors("rrule_contested"))
def test_what_is_contested_agrees_or_is_refused_by_name(vector: Any) -> None:
    zone = zone_of(vector)
    start = instant(vector["dtstart"], zone)
    refusal: DomainError | None = None

    try:
        found = recurrence.starts(vector["rrule"], start, zone=zone, limits=WIDE)
    except DomainError as refused:
        found, refusal = [], refused
    if refusal is not None:
        assert refusal.code in REFUSALS
        assert refusal.fields
        assert all(f.reason_zh and f.reason_en for f in refusal.fields)
    else:
        assert "expect" not in vector
        assert found == wanted(vector)


@pytest.mark.parametrize("vector", vectors("repeat_librebooking"))
def test_repeat_options(vector: Any) -> None:
    name = vector["tzid"].split(" ")[0]
    zone = ZoneInfo(name)
    start = instant(vector["start"], zone)

    found = recurrence.starts(vector["rrule"], start, zone=zone, limits=WIDE)

    after_first = [at for at in found if at > start]
    if vector["repeats_after_first"] is not None:
        assert len(after_first) == vector["repeats_after_first"]
    for place, text in vector["checks"].items():
        assert after_first[int(place)] == instant(text, zone)
    assert {at.time() for at in found} == {start.time()}


@pytest.mark.parametrize("vector", vectors("series_overrides_rie"))
def test_overrides(vector: Any) -> None:
    spans = list(calendar(vector["events"]))

    expect = vector["expect"]
    assert len(spans) == expect.get("total", len(spans))
    days = [start.date().isoformat() for start, _ in spans]
    if "dates" in expect:
        assert days == expect["dates"]
    for day, wish in expect.get("at", {}).items():
        assert [
            (end - start) / timedelta(minutes=1)
            for start, end in spans
            if start.date().isoformat() == day
        ] == [wish["minutes"]]
    for month, number in expect.get("in_month", {}).items():
        assert sum(day.startswith(month) for day in days) == number
    assert not set(days) & set(expect.get("none_on", ()))
    assert all(days.count(day) == 1 for day in expect.get("one_on", ()))


def calendar(events: list[list[str]]) -> Iterator[tuple[datetime, datetime]]:
    """Every instance of a calendar's series, in local time and order."""
    read = [properties(lines) for lines in events]
    spans = []
    for master in (e for e in read if "RECURRENCE-ID" not in e):
        zone = master["DTSTART"][0].tzinfo
        start, end = master["DTSTART"][0], master["DTEND"][0]
        starts = recurrence.starts(
            master["RRULE"], start, exdates=master.get("EXDATE", ()), zone=zone, limits=WIDE
        )
        changes = {
            e["RECURRENCE-ID"][0]: Change(e["DTSTART"][0], e["DTEND"][0])
            for e in read
            if "RECURRENCE-ID" in e and e["UID"] == master["UID"]
        }
        found = overrides.instances(starts, length=end - start, changes=changes)
        spans += [(i.start.astimezone(zone), i.end.astimezone(zone)) for i in found]
    yield from sorted(spans)


def properties(lines: list[str]) -> dict[str, Any]:
    """The properties that matter; DTEND also where DURATION says it."""
    found: dict[str, Any] = {}
    zone = next(
        (ZoneInfo(line.split("TZID=")[1].split(":")[0]) for line in lines if "TZID=" in line),
        UTC_ZONE,
    )
    for line in lines:
        head, _, value = line.partition(":")
        name = head.split(";")[0]
        if name in ("DTSTART", "DTEND", "RECURRENCE-ID", "EXDATE"):
            found[name] = [ical_instant(text, zone) for text in value.split(",")]
        elif name == "DURATION" and "DTEND" not in found:
            assert value == "PT1H30M"
            found["DTEND"] = [found["DTSTART"][0] + timedelta(minutes=90)]
        else:
            found[name] = value
    return found


def ical_instant(text: str, zone: ZoneInfo) -> datetime:
    if len(text) == 8:
        return datetime.combine(date.fromisoformat(text), time(), zone)
    return datetime.fromisoformat(text[:15]).replace(tzinfo=UTC if text[15:] == "Z" else zone)
