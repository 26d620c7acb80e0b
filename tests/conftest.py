"""Fixtures for all tests; tests/plugin.py starts the database."""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

pytest_plugins = ["tests.flows.fixtures"]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Let the test database be emptied between tests: triggers against TRUNCATE rest here.

    Those against UPDATE and DELETE stay.
    """
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('ALTER TABLE %s DISABLE TRIGGER %I', tgrelid::regclass, tgname)"
            " FROM pg_trigger WHERE NOT tgisinternal AND tgtype & 32 <> 0"
        )
        for (statement,) in cursor.fetchall():
            cursor.execute(statement)


@pytest.fixture
def now() -> datetime:
    """A Tuesday afternoon in Guangzhou (15:00), away from month ends and surge seasons."""
    return datetime(2026, 9, 15, 7, 0, tzinfo=UTC)


@pytest.fixture
def state_dir() -> Iterator[Path]:
    """A short-named folder of its own (Unix sockets bear no long paths), removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="bo-") as name:
        yield Path(name)
