"""Moves are judged by the rules in force, at the new price, and are frozen with them."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from booking import services
from booking.domain.rulebook import RulesBroken
from booking.models import Booking
from booking.services import Change, moving
from tests.booking import world
from tests.booking.rulings import document, rule

pytestmark = pytest.mark.usefixtures("prices")
HOUR = timedelta(hours=1)


def publish(now: datetime, *rules: dict[str, Any]) -> int:
    row = services.publish_rules(
        document=document(*rules), valid_from=None, actor=world.STAFF, now=now
    )
    return row.version


def longer(booking: Booking, now: datetime, *, by: Any) -> Booking:
    change = Change(ends_at=booking.ends_at + HOUR)
    return services.move(booking=booking, change=change, actor=by, now=now)


def test_a_move_that_newly_needs_approval_is_for_the_base(now: datetime) -> None:
    booking = world.booked(now=now, start_min=48 * 60)
    version = publish(now, rule("approval", code="long", over_minutes=90))

    with pytest.raises(moving.MoveNeedsApproval) as caught:
        longer(booking, now, by=world.actor(booking.tenant))
    moved = longer(booking, now, by=world.STAFF)

    assert caught.value.context["rules"] == ["long"]
    assert (moved.status, moved.rules_version, moved.approvals) == ("confirmed", version, ["long"])


def test_a_hold_moves_and_asks_for_approval_when_it_is_confirmed(now: datetime) -> None:
    booking = world.booked(now=now, start_min=48 * 60, hold=True)
    publish(now, rule("approval", code="long", over_minutes=90))
    by = world.actor(booking.tenant)

    moved = longer(booking, now, by=by)

    assert services.confirm(booking=moved, actor=by, now=now).status == "pending_approval"


def test_credit_is_judged_at_the_new_price(now: datetime) -> None:
    booking = world.booked(now=now, start_min=48 * 60)
    publish(now, rule("credit_limit", limit_fen=booking.price_fen))

    with pytest.raises(RulesBroken):
        longer(booking, now, by=world.actor(booking.tenant))


@pytest.mark.parametrize("renters", [1, 2])
def test_bookings_that_change_places_are_judged_where_both_will_be(
    now: datetime, renters: int
) -> None:
    one = world.booked(now=now, start_min=48 * 60)
    tenant = one.tenant if renters == 1 else None
    other = world.booked(now=now, start_min=49 * 60, tenant=tenant)
    publish(now, rule("concurrent", most=1), rule("venue_concurrent", most=1))

    swapped = services.swap(one=one, other=other, actor=world.STAFF, now=now)

    assert [row.starts_at for row in swapped] == [other.starts_at, one.starts_at]


def test_a_swap_that_would_make_them_meet_is_refused(now: datetime) -> None:
    """Three hours from where the short one was reach beyond where the long one began."""
    short = world.booked(now=now, start_min=48 * 60)
    long = world.booked(now=now, start_min=50 * 60, minutes=180, tenant=short.tenant)
    publish(now, rule("concurrent", code="one_at_once", most=1))

    with pytest.raises(RulesBroken) as caught:
        services.swap(one=short, other=long, actor=world.STAFF, now=now)

    assert caught.value.detail == "one_at_once"
