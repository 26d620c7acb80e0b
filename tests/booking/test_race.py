"""64 rivals, one slot: exactly one wins. Without constraint and lock the test must see it fail."""

import os
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.db import connection

from billing import importers
from booking.models import Allocation, Booking
from tests import make
from tests.billing.data import demo
from tests.booking import rivals, world

pytestmark = pytest.mark.django_db(transaction=True)
RIVALS = 64


@pytest.fixture
def race(transactional_db: None, now: datetime) -> rivals.Race:
    """64 tenants who all want the same hour in the same room; an equal room stands by."""
    importers.load({**demo(), "tenants": [], "training_programmes": []})
    space, _ = world.studio(), world.studio()
    starts_at = now + timedelta(days=2)
    return rivals.Race(
        database_url=_url(),
        space=space.code,
        tenants=[make.tenant().code for _ in range(RIVALS)],
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=1),
        now=now,
    )


def _url() -> str:
    """The test's own database, as an address."""
    name = settings.DATABASES["default"]["NAME"]
    address, _, options = os.environ["DATABASE_URL"].partition("?")
    return f"{address.rpartition('/')[0]}/{name}" + (f"?{options}" if options else "")


@pytest.fixture
def without_constraint(transactional_db: None) -> Iterator[None]:
    """Take the exclusion constraint away, and put it back on an emptied table."""
    drop = "ALTER TABLE booking_allocation DROP CONSTRAINT allocation_no_overlap"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conname = 'allocation_no_overlap'"
        )
        definition = cursor.fetchone()[0]
        cursor.execute(drop)
    yield
    Booking.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE booking_allocation ADD CONSTRAINT allocation_no_overlap " + definition
        )


def overlaps() -> int:
    """Pairs of active allocations that share a resource and an instant."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM booking_allocation a JOIN booking_allocation b ON a.id < b.id"
            " AND a.space_id = b.space_id AND a.unit = b.unit AND a.block && b.block"
            " AND a.active AND b.active"
        )
        return int(cursor.fetchone()[0])


def test_exactly_one_of_64_gets_the_slot(race: rivals.Race) -> None:
    outcome = rivals.run(race)

    assert outcome.codes == [{"booked": 1, "slot_taken": RIVALS - 1}] * race.rounds
    assert all(a["alternatives"] for a in outcome.answers if a["code"] == "slot_taken")
    assert Booking.objects.count() == race.rounds
    assert Allocation.objects.filter(active=True).count() == race.rounds
    assert overlaps() == 0


def test_the_constraint_alone_holds_too(race: rivals.Race) -> None:
    """The lock saves deadlocks, not correctness: without it nothing is booked twice either."""
    outcome = rivals.run(rivals.unlocked(race, rounds=1))

    assert outcome.codes == [{"booked": 1, "slot_taken": RIVALS - 1}]
    assert overlaps() == 0


@pytest.mark.usefixtures("without_constraint")
def test_negative_control_without_constraint_and_lock_it_is_booked_twice(
    race: rivals.Race,
) -> None:
    outcome = rivals.run(rivals.unlocked(race))

    assert max(codes["booked"] for codes in outcome.codes) > 1
    assert overlaps() > 0
