"""What a space shows, for each moment of a booking's life."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from base_ops.core.spans import Span
from booking.domain.occupancy import Block, Health, Occupied, Place, Show, Who, project

START = datetime(2026, 9, 15, 8, 0, tzinfo=UTC)
STUDIO = Place("S1", streams=True)
OURS = Who("T1", "一", "One")
THEIRS = Who("T2", "二", "Two")


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def span(start: float, end: float) -> Span:
    return Span(at(start), at(end))


SHOW = Show("BK1", OURS, "首播", span(0, 120), "confirmed")
BLOCK = Block(span(-15, 135), "booking", SHOW)
ON_AIR = Health(total=3, online=3, on_air=True, on_air_since=at(1))


def of(status: str, **changes: object) -> Block:
    return replace(BLOCK, show=replace(SHOW, status=status, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("minute", "block", "health", "expected"),
    [
        (-120, BLOCK, Health(), Occupied.FREE),
        (-40, BLOCK, Health(), Occupied.BOOKED),
        (-40, of("held"), Health(), Occupied.FREE),
        (-40, of("confirmed", prepared=True), Health(), Occupied.SETUP),
        (-10, BLOCK, Health(), Occupied.SETUP),
        (5, BLOCK, Health(), Occupied.BOOKED),
        (-5, of("checked_in"), Health(), Occupied.SETUP),
        (5, of("checked_in"), Health(), Occupied.SETUP),
        (5, of("checked_in"), ON_AIR, Occupied.LIVE),
        (115, of("checked_in"), ON_AIR, Occupied.ENDING),
        (116, of("checked_in"), Health(), Occupied.ENDING),
        (121, of("checked_in"), ON_AIR, Occupied.ENDING),
        (30, of("checked_in"), Health(link_known=False), Occupied.UNKNOWN),
        (30, of("confirmed"), Health(link_known=False), Occupied.BOOKED),
        (125, of("completed"), Health(), Occupied.TURNOVER),
        (136, of("completed"), Health(), Occupied.FREE),
        (0, Block(span(-30, 30), "blackout"), Health(), Occupied.BLOCKED),
        (0, Block(span(-30, 30), "lease", tenant=OURS), Health(), Occupied.BOOKED),
        (0, Block(span(-30, 30), "lease", tenant=OURS), ON_AIR, Occupied.LIVE),
    ],
)
def test_status(minute: float, block: Block, health: Health, expected: Occupied) -> None:
    assert project(STUDIO, [block], health, at(minute)).status is expected


def test_a_classroom_in_use_is_booked_not_being_set_up() -> None:
    occ = project(Place("C1"), [of("checked_in")], Health(), at(30))

    assert occ.status is Occupied.BOOKED


def test_units_show_how_many_are_taken() -> None:
    place = Place("MU", unit_count=2)
    one, two = (Block(span(0, 60), "booking", SHOW, unit=n) for n in (1, 2))

    half, full = (project(place, blocks, Health(), at(5)) for blocks in ([one], [one, two]))

    assert (half.status, half.units) == (Occupied.FREE, (1, 2))
    assert (full.status, full.units) == (Occupied.BOOKED, (2, 2))


def test_only_the_base_and_the_tenant_learn_whose_it_is() -> None:
    occ = project(STUDIO, [of("checked_in")], ON_AIR, at(30))

    assert occ.full()["tenant"]["code"] == "T1"
    assert occ.seen_by("T1")["booking"] == "BK1"
    for value in (occ.public(), occ.seen_by("T2")):
        assert value == {
            "status": "live",
            "since": at(1).isoformat(),
            "until": at(120).isoformat(),
            "on_air": True,
        }


def test_the_next_booking_is_shown_to_its_tenant_only() -> None:
    later = Block(span(165, 315), "booking", Show("BK2", THEIRS, "", span(180, 300), "confirmed"))

    occ = project(STUDIO, [of("checked_in"), later], ON_AIR, at(30))

    assert occ.full()["next"]["booking"] == "BK2"
    assert "next" not in occ.seen_by("T1")
    assert occ.seen_by("T2")["next"]["booking"] == "BK2"
    assert "booking" not in occ.seen_by("T2")
    assert occ.tenant_codes == {"T1", "T2"}
