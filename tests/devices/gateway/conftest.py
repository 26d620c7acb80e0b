"""A broker and a loop for peers, for each test."""

from collections.abc import Iterator

import pytest

from tests import brokers
from tests.brokers import Broker
from tests.devices.gateway.peers.loops import Loop


@pytest.fixture
def broker() -> Iterator[Broker]:
    """A broker of this test's own."""
    with brokers.running() as running:
        yield running


@pytest.fixture
def peers() -> Iterator[Loop]:
    """Where peers run."""
    with Loop().running() as loop:
        yield loop
