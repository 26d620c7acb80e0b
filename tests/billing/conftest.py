"""Fixtures of billing: a loaded price book, and bookings that are over."""

from datetime import UTC, datetime

import pytest

from billing import importers
from tests.billing.data import demo


@pytest.fixture
def prices(db: None) -> None:
    """The demo price book without demo tenants."""
    importers.load({**demo(), "tenants": [], "training_programmes": []})


@pytest.fixture
def later() -> datetime:
    """The first of December 2026, 09:00 in Guangzhou: November is over."""
    return datetime(2026, 12, 1, 1, 0, tzinfo=UTC)
