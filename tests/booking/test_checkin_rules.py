"""The rules say when a door opens, how long it waits, and whether anybody must check in."""

from datetime import datetime
from typing import Any

import pytest

from booking import services
from booking.domain.rulebook import standard
from booking.models import Booking
from booking.services.staying import NotNeeded, TooEarly, TooLate
from tests.booking import world
from tests.booking.stays import MIN, TICK, come_in

pytestmark = pytest.mark.usefixtures("prices")


def under(now: datetime, **params: Any) -> Booking:
    """A booking of a space whose check-in had rules of its own when it was made."""
    space = world.studio()
    document = standard.document()
    own = {"code": "own_door", "kind": "check_in", "scope": {"spaces": [space.code]}}
    document["rules"].append(own | {"params": params})
    services.publish_rules(document=document, actor=world.STAFF, now=now)
    return world.booked(now=now, space=space)


def test_the_door_opens_and_closes_as_the_rules_say(now: datetime) -> None:
    booking = under(now, opens_min=30, grace_min=5)

    with pytest.raises(TooEarly):
        come_in(booking, booking.starts_at - 30 * MIN - TICK)
    with pytest.raises(TooLate):
        come_in(booking, booking.starts_at + 5 * MIN + TICK)
    assert come_in(booking, booking.starts_at - 30 * MIN).status == "checked_in"


def test_a_room_is_given_away_after_the_grace_period_of_its_rules(now: datetime) -> None:
    booking = under(now, grace_min=5)

    released = [
        services.release_no_shows(now=at)
        for at in (booking.starts_at + 5 * MIN - TICK, booking.starts_at + 5 * MIN)
    ]

    assert released == [0, 1]


def test_without_a_grace_period_it_is_kept_to_the_end(now: datetime) -> None:
    booking = under(now, grace_min=None)

    released = [
        services.release_no_shows(now=at) for at in (booking.ends_at - TICK, booking.ends_at)
    ]

    booking.refresh_from_db()
    assert (released, booking.status) == ([0, 1], "no_show")


def test_where_no_check_in_is_needed_the_stay_begins_by_itself(now: datetime) -> None:
    booking = under(now, needed=False, grace_min=20)

    with pytest.raises(NotNeeded):
        come_in(booking, booking.starts_at)
    begun = [
        services.release_no_shows(now=at) for at in (booking.starts_at - TICK, booking.starts_at)
    ]

    booking.refresh_from_db()
    assert (begun, booking.status, booking.checked_in_at) == (
        [0, 1], "checked_in", booking.starts_at,
    )  # fmt: skip


def test_a_stay_that_nobody_looked_at_in_time_is_over_and_not_missed(now: datetime) -> None:
    booking = under(now, needed=False, grace_min=20)
    later = booking.ends_at + 5 * MIN

    services.release_no_shows(now=later)
    services.end_due(now=later)

    booking.refresh_from_db()
    assert (booking.status, booking.ended_at) == ("completed", booking.ends_at)
