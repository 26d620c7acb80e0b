"""Spaces that are let by the month, and leases through the real services."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from base_ops.core.actors import Actor
from base_ops.core.models import Role, Space
from booking.models import Lease
from booking.services import leasing
from booking.services.lease_wishes import LeaseWish
from tests import make
from tests.billing.world import room

NOW = datetime(2026, 11, 10, 4, 0, tzinfo=UTC)  # noon in the base
FINANCE = Actor(kind="user", id="0", label="finance@test.invalid", role=Role.FINANCE)
DESK_FEN, SINGLE_FEN = 50_000, 28_000  # a desk a month; a square metre of a small studio a month


def studio(**changes: Any) -> Space:
    """A studio of 15 m²: 4,200 yuan a month."""
    return room("studio_single", rentable_monthly=True, **{"area_m2": Decimal(15)} | changes)


def desks(count: int = 6, **changes: Any) -> Space:
    """An office with so many desks, 500 yuan a month each."""
    return room("incubator", rentable_monthly=True, unit_count=count, unit_name="desk", **changes)


def wish(space: Space, **changes: Any) -> LeaseWish:
    """Three months from 1 December 2026."""
    plain: dict[str, Any] = {
        "space": space,
        "starts_on": date(2026, 12, 1),
        "ends_on": date(2027, 3, 1),
    }
    if "tenant" not in changes:
        plain["tenant"] = make.tenant()
    return LeaseWish(**plain | changes)


def signed(space: Space, *, now: datetime = NOW, **changes: Any) -> Lease:
    """A lease in force."""
    lease = leasing.draft(wish=wish(space, **changes), actor=FINANCE, now=now)
    return leasing.sign(lease=lease, actor=FINANCE, now=now)


def noon(day: date) -> datetime:
    """Noon of a day in the base."""
    return datetime(day.year, day.month, day.day, 4, tzinfo=UTC)


def days(first: date, count: int) -> date:
    return first + timedelta(days=count)
