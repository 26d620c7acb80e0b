"""What a booking takes beside its room for a time of its own counts for that time."""

from datetime import datetime, timedelta

import pytest

from base_ops.core.models import Space
from base_ops.core.spans import Span
from booking import selectors, services
from booking.domain.rulebook import Used, compile_book
from booking.models import Booking
from booking.services import Extra
from tests import make
from tests.booking import series_world, world
from tests.booking.rulings import document, rule
from tests.booking.test_rulebook_usage import case

pytestmark = pytest.mark.usefixtures("prices")
HOUR = timedelta(hours=1)


@pytest.fixture
def booking(now: datetime) -> Booking:
    """Two hours in a room, and the hour before in another one, for make-up."""
    day = timedelta(days=2)
    before = world.studio()
    start = now + day
    return world.booked(
        now=now, start_min=48 * 60, minutes=120,
        extras=(Extra(space=before, span=Span(start - HOUR, start)),),
    )  # fmt: skip


def used(booking: Booking, now: datetime, *, only: Space | None = None) -> Used:
    """What is used of a quota of all rooms, or of one."""
    scope = {"spaces": [only.code]} if only else {}
    rules = compile_book(document(rule("hours_quota", period="week", minutes=60, scope=scope)))
    asked = case(booking.tenant, booking.span, only or booking.space, now=now)
    needs = rules.hearing(asked).needs
    usage = selectors.usage(needs=needs, tenant=booking.tenant, now=now)
    return usage.of(needs.asks[0])


def test_hours_are_those_of_the_spaces_that_a_quota_means(booking: Booking, now: datetime) -> None:
    beside = booking.parts.get().space
    assert beside is not None

    assert used(booking, now, only=beside) == Used(3600, 1)
    assert used(booking, now, only=booking.space) == Used(7200, 1)
    assert used(booking, now) == Used(10_800, 1)


@pytest.mark.parametrize("kind", ["concurrent", "venue_concurrent"])
def test_one_is_there_while_the_part_lasts_and_no_longer(
    booking: Booking, now: datetime, kind: str
) -> None:
    beside = booking.parts.get().space
    assert beside is not None
    scope = {"spaces": [beside.code, make.space().code]}
    rules = compile_book(document(rule(kind, most=1, scope=scope)))

    def around(span: Span) -> list[Span]:
        needs = rules.hearing(case(booking.tenant, span, beside, now=now)).needs
        usage = selectors.usage(needs=needs, tenant=booking.tenant, now=now)
        return list(usage.around[needs.crowds[0]])

    part = Span(booking.starts_at - HOUR, booking.starts_at)
    assert around(part) == [part]
    assert around(booking.span) == []


def test_a_series_counts_the_parts_of_other_bookings_too(booking: Booking, now: datetime) -> None:
    services.publish_rules(
        document=document(rule("concurrent", code="one_at_once", most=1)), actor=world.STAFF,
        now=now,
    )  # fmt: skip
    first = booking.starts_at - HOUR - timedelta(days=1)
    asked = series_world.wish(world.studio(), booking.tenant, first, rrule="FREQ=DAILY;COUNT=3")

    made = series_world.create(asked, now, mode="skip")

    assert [skip.recurrence_id for skip in made.skips] == [booking.starts_at - HOUR]
