"""Series that want the same instances at once: each instance goes to one of them."""

from datetime import datetime, timedelta

import pytest

from billing import importers
from booking.models import Allocation, Booking, Series, SeriesSkip
from tests import make
from tests.billing.data import demo
from tests.booking import rival_series, world
from tests.booking.test_race import _url, overlaps

pytestmark = pytest.mark.django_db(transaction=True)
RIVALS = 6


def test_rival_series_share_the_dates_and_never_one_of_them(
    transactional_db: None, now: datetime
) -> None:
    """Every other rival's rule runs backwards in weekdays, so that they meet in the middle."""
    importers.load({**demo(), "tenants": [], "training_programmes": []})
    space, other = world.studio(), world.studio()
    wishes = [
        {
            "space": space.code if n % 2 else other.code,
            "beside": other.code if n % 2 else space.code,
            "tenant": make.tenant().code,
            "rrule": "FREQ=DAILY;COUNT=20" if n % 3 else "FREQ=DAILY;INTERVAL=2;COUNT=20",
            "starts_at": (now + timedelta(days=2)).isoformat(),
            "now": now.isoformat(),
        }
        for n in range(RIVALS)
    ]

    codes = rival_series.run(wishes, _url())

    booked = Booking.objects.filter(series__isnull=False).count()
    skipped = SeriesSkip.objects.count()
    assert set(codes) <= {"booked", "series_conflicts"}, codes
    assert codes.count("booked") == Series.objects.count() >= 1
    assert booked + skipped == 20 * Series.objects.count()
    assert Allocation.objects.filter(active=True).count() == 2 * booked
    assert booked == 30  # 20 days, and every other of the 20 days behind them
    assert overlaps() == 0
