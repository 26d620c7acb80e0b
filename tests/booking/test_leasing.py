"""Leases are charged once a month, last month and this one."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from base_ops.core.models import Space
from billing.models import Charge
from booking import services
from booking.models import Lease
from tests import make
from tests.billing.world import room

pytestmark = pytest.mark.usefixtures("prices")
NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


@pytest.fixture
def office(db: None) -> Space:
    return room("studio_single")


def lease(space: Space, **changes: Any) -> Lease:
    plain: dict[str, Any] = {
        "code": "LS900",
        "tenant": make.tenant(),
        "space": space,
        "starts_on": date(2026, 10, 1),
        "ends_on": date(2026, 11, 16),  # the last day is the 15th
        "monthly_rent_fen": 300_000,
        "area_m2": 40,
    }
    return Lease.objects.create(**plain | changes)


def test_each_month_once_and_only_the_days_of_the_lease(office: Space) -> None:
    lease(office)

    first, again = services.charge_leases(now=NOW), services.charge_leases(now=NOW)

    assert (first, again) == (2, 0)
    charged = Charge.objects.order_by("service_on").values_list("service_on", "gross_fen")
    assert list(charged) == [(date(2026, 10, 1), 300_000), (date(2026, 11, 1), 150_000)]


def test_a_lease_that_ended_with_last_month_owes_nothing_for_this_one(office: Space) -> None:
    lease(office, ends_on=date(2026, 11, 1))

    assert services.charge_leases(now=NOW) == 1
    assert Charge.objects.get().service_on == date(2026, 10, 1)


def test_free_months_come_off_whole(office: Space) -> None:
    lease(office, free_months=1)

    services.charge_leases(now=NOW)

    october = Charge.objects.filter(fact__source="lease/LS900/2026-10")
    assert sum(charge.gross_fen for charge in october) == 0
    assert october.count() == 2


def test_a_lease_without_a_price_does_not_keep_the_others_waiting(office: Space) -> None:
    lease(office, code="LS800", area_m2=None)
    lease(office)

    assert services.charge_leases(now=NOW) == 2
