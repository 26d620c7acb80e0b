"""Fixtures of the API's tests."""

import pytest

from billing import importers
from tests.billing.data import demo


@pytest.fixture
def prices(db: None) -> None:
    """The demo price book without demo tenants."""
    importers.load({**demo(), "tenants": [], "training_programmes": []})
