"""A real broker for each test."""

from collections.abc import Iterator

import pytest

from tests import brokers
from tests.brokers import Broker


@pytest.fixture
def broker() -> Iterator[Broker]:
    """A broker of this test's own: it may kill it."""
    with brokers.running() as running:
        yield running
