"""Overlaps, pools and published policies: outside facts against peaks, rules and the door.

Judged wrong: lb-ov-06 lets administrators ignore the buffers, which nobody may here, for the block
with its buffers is what the exclusion constraint keeps apart. lb-ac-5 is followed as its note says
(the peak fits), not LibreBooking's sum per day. Of the published policies those about time are
run here; tiers of cancelling, prices of overrun and deposits are terms of the price book.
"""

from datetime import datetime, timedelta
from typing import Any

import pytest

from base_ops.core.spans import Span
from booking.domain import peaks
from booking.domain.rulebook import door
from tests.booking.rulings import HOUR, NOW, book, broken, case, local, rule
from tests.booking.vectors import cases

WRONG = {"lb-ov-06"}


def span(row: Any) -> Span:
    return Span(datetime.fromisoformat(row[0]), datetime.fromisoformat(row[1]))


def blocked(span_: Span, gap_min: int) -> Span:
    """One shared gap after each booking keeps two of them apart."""
    return span_.widened(before=timedelta(), after=timedelta(minutes=gap_min))


def instances(request: dict[str, Any]) -> list[Span]:
    return [
        span(row) for row in request.get("instances", [(request.get("start"), request.get("end"))])
    ]


def fits(vector: dict[str, Any], wish: Span) -> bool:
    request = vector["request"]
    for code in request["resources"]:
        resource = vector["resources"][code]
        gap = resource["buffer_minutes"]
        taken = [
            (blocked(span((row["start"], row["end"])), gap), 1)
            for row in vector["existing"]
            if row["resource"] == code and row["ref"] != request.get("updates")
        ]
        if not peaks.fits(blocked(wish, gap), taken, wanted=1, available=resource["capacity"]):
            return False
    return True


@pytest.mark.parametrize("vector", cases("overlap_librebooking"))
def test_overlaps(vector: dict[str, Any]) -> None:
    kept = [fits(vector, wish) for wish in instances(vector["request"])]

    if vector["request"].get("on_conflict") == "skip":
        assert sum(kept) == vector["instances_kept"]
    else:
        follows = vector["expect"] == "accept" and vector["id"] not in WRONG
        assert all(kept) is follows


@pytest.mark.parametrize("vector", cases("equipment_pool_librebooking"))
def test_pools(vector: dict[str, Any]) -> None:
    request = vector["request"]
    rows = {row[3] if len(row) > 3 else index: row for index, row in enumerate(vector["existing"])}
    taken = [(span(row), row[2]) for row in rows.values()]

    ok = all(
        peaks.fits(wish, taken, wanted=request["quantity"], available=vector["available"])
        for wish in instances(request)
    )

    assert ok is (vector["expect"] == "accept")


POLICIES = {param.values[0]["id"]: param.values[0] for param in cases("policies_published")}


@pytest.mark.parametrize("row", POLICIES["window-skedda"]["cases"])
def test_skeddas_booking_window(row: dict[str, Any]) -> None:
    days = {"Mon": "2026-09-14", "Thu": "2026-09-17", "Fri": "2026-09-18"}
    now, start = (
        local(f"{days[text.split()[0]]}T{text.split()[1]}") for text in (row["now"], row["start"])
    )
    count = "calendar" if row["mode"] == "calendar days" else "exact"
    rules = book(rule("horizon", days=POLICIES["window-skedda"]["policy"]["days"], count=count))

    found = broken(rules, case(Span(start, start + HOUR), now=now))

    assert (found == []) is (row["expect"] == "accept")


@pytest.mark.parametrize(
    "row", [c for c in POLICIES["minimum-convertr"]["cases"] if "duration_hours" in c]
)
def test_convertrs_minimum_and_notice(row: dict[str, Any]) -> None:
    policy = POLICIES["minimum-convertr"]["policy"]
    rules = book(
        rule("min_length", minutes=policy["min_hours"] * 60),
        rule("min_notice", minutes=policy["min_notice_hours"] * 60),
    )
    start = NOW + row.get("notice_hours", 24) * HOUR

    found = broken(rules, case(Span(start, start + row["duration_hours"] * HOUR)))

    assert (found == []) is (row["expect"] == "accept")


@pytest.mark.parametrize("row", POLICIES["invoiced-nexudus"]["cases"])
def test_nexudus_check_in(row: dict[str, Any]) -> None:
    policy = POLICIES["invoiced-nexudus"]["policy"]
    grace = policy["release_minutes_after_start"]
    rules = door.Door(opens=timedelta(), grace=timedelta(minutes=grace))
    stay = Span(NOW, NOW + HOUR)
    at = NOW + timedelta(minutes=row.get("check_in_minutes", grace))
    kept = row["state"] == policy["never_release_if"]

    given_away = door.given_away(rules, stay, kept=kept, now=at)
    refusal = door.refusal(rules, stay, setup=timedelta(), kept=kept, now=at)

    expected = {
        "cancelled at +15": (True, None),
        "kept": (False, None),
        "too early": (False, door.Refusal.TOO_EARLY),
    }
    assert (given_away, refusal) == expected[row["expect"]]
