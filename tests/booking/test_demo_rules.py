"""The bookings of the demo world before the rules in force: quotas, crowds, credit, times.

What they break is told here, nothing else may be: on four days of October and November
anchor tenants have more than their sixteen hours, and the roadshow hall is booked at half hours.
"""

from collections import Counter
from datetime import UTC, datetime

import pytest

from base_ops.core import importers as core_importers
from billing import importers as billing_importers
from booking import importers, selectors
from booking.domain.states import BLOCKING, Status
from booking.models import Booking
from booking.services import judging, wishes
from devices import importers as device_importers
from tests.billing.data import base, demo

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)  # 20:00 in Guangzhou: prime time


@pytest.fixture
def world() -> None:
    core_importers.load_base(base())
    device_importers.load(base(), now=NOW)
    core_importers.load_tenants(demo())
    billing_importers.load(demo())
    importers.load(demo(), shift_days=0, now=NOW)


@pytest.mark.usefixtures("world")
def test_the_demo_breaks_no_rules_but_two_that_managers_waive() -> None:
    """Each booking is judged beside all others, at the instant at which it was made."""
    rows = Booking.objects.filter(status__in=(*BLOCKING, Status.COMPLETED))
    rows = rows.select_related("space__type", "space__floor", "tenant").order_by("pk")
    book = selectors.current_book(now=NOW)
    broken: Counter[str] = Counter()

    for row in rows:
        wish, at = wishes.of_booking(row), min(NOW, row.created_at)
        verdict = judging.try_rules(wish=wish, changing=row, book=book, now=at)
        broken.update(b.code for b in verdict.broken)

    assert rows.count() > 1200
    assert dict(broken) == {"anchor_day_hours": 20, "slot_grid": 15}
