"""One running demo base for all tests of a process that need a whole one; it takes a while."""

from collections.abc import Iterator

import pytest

from tests.flows.stack import Stack, running


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """A base with the demo world and the whole fleet."""
    with running() as base:
        base.wait_ready()
        yield base
