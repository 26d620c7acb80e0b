"""Fixtures for all tests; tests/plugin.py starts the database."""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest


@pytest.fixture
def now() -> datetime:
    """A Tuesday afternoon in Guangzhou (15:00), away from month ends and surge seasons."""
    return datetime(2026, 9, 15, 7, 0, tzinfo=UTC)


@pytest.fixture
def state_dir() -> Iterator[Path]:
    """A short-named folder of its own (Unix sockets bear no long paths), removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="bo-") as name:
        yield Path(name)
