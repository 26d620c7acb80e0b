"""One running demo base for all tests of a process that need a whole one; it takes a while."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser import chromium
from tests.flows.stack import Stack, running


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """A base with the demo world and the whole fleet."""
    with running() as base:
        base.wait_ready()
        yield base


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium, gone with the module: Playwright's loop would stand in others' way."""
    with chromium.launched() as found:
        yield found
