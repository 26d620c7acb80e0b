"""Rules: all broken ones at once; only some may be overridden."""

from datetime import UTC, datetime, timedelta

import pytest

from base_ops.core.spans import Span
from booking.domain import rules
from booking.domain.rules import Renter, Room, Wish

NOW = datetime(2026, 9, 15, 7, 0, tzinfo=UTC)
ROOM = Room("S1", bookable=True, capacity=4, unit_count=None, slot_min=30, min_min=60)
GOOD = Renter("T1", "B", active=True)


def wish(start_min: int = 60, length_min: int = 60, headcount: int = 2, units: int = 1) -> Wish:
    start = NOW + timedelta(minutes=start_min)
    return Wish(Span(start, start + timedelta(minutes=length_min)), headcount, units)


def broken(asked: Wish, room: Room = ROOM, renter: Renter = GOOD) -> list[str]:
    return [b.code for b in rules.broken_rules(asked, room, renter, now=NOW)]


def test_a_good_wish_breaks_nothing() -> None:
    assert broken(wish()) == []


@pytest.mark.parametrize(
    ("asked", "codes"),
    [
        (wish(start_min=-30), ["not_in_past"]),
        (wish(start_min=65, length_min=55), ["slot_grid", "min_length"]),
        (wish(length_min=25 * 60), ["max_length"]),
        (wish(start_min=91 * 1440), ["horizon"]),
        (wish(headcount=5), ["capacity"]),
        (wish(headcount=0), ["capacity"]),
        (wish(units=2), ["units"]),
    ],
)
def test_each_rule(asked: Wish, codes: list[str]) -> None:
    assert broken(asked) == codes


def test_a_walk_in_may_take_the_slot_that_has_just_begun() -> None:
    just_begun = Wish(Span(NOW, NOW + timedelta(hours=1)), 1)
    a_little_later = NOW + timedelta(minutes=29)

    assert list(rules.broken_rules(just_begun, ROOM, GOOD, now=a_little_later)) == []


def test_rating_d_and_closed_accounts_are_suspended() -> None:
    assert broken(wish(), renter=Renter("T1", "D", active=True)) == ["suspended"]
    assert broken(wish(), renter=Renter("T1", "A", active=False)) == ["suspended"]


def test_a_refusal_names_every_broken_rule_with_its_field_and_limit() -> None:
    asked = wish(start_min=65, length_min=30, headcount=9)

    with pytest.raises(rules.RulesBroken) as caught:
        rules.check(asked, ROOM, GOOD, now=NOW)

    assert [f.name for f in caught.value.fields] == [
        "starts_at",
        "ends_at",
        "ends_at",
        "headcount",
    ]
    assert caught.value.context["broken"][-1] == {  # type: ignore[index]
        "rule": "capacity",
        "field": "headcount",
        "limit": 4,
        "accepted": 4,
        "overridable": False,
    }


def test_only_overridable_rules_can_be_overridden() -> None:
    off_grid, crowded = wish(start_min=65), wish(headcount=9)

    waived = rules.check(off_grid, ROOM, GOOD, now=NOW, override={"slot_grid"})

    assert {b.code for b in waived} == {"slot_grid"}
    with pytest.raises(rules.RulesBroken):
        rules.check(crowded, ROOM, GOOD, now=NOW, override={"capacity"})
