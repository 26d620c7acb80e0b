"""Fixtures for all tests; tests/plugin.py starts the database."""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

pytest_plugins = ["tests.flows.fixtures"]


# The longest first, so that no worker ends long after the others.
_LONG = ("/test_stateful.py", "/test_fuzz.py", "/test_contended.py", "/test_controls.py",
         "/flows/", "/faults/", "/browser/", "/platform/", "/test_processes.py")  # fmt: skip


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Under xdist a file stays on one worker, for its fixtures; the stateful shards spread."""
    for item in items:
        if item.path.name != "test_stateful.py":
            item.add_marker(pytest.mark.xdist_group(str(item.path)))
    ranks = {name: rank for rank, name in enumerate(_LONG)}
    items.sort(
        key=lambda item: min((r for n, r in ranks.items() if n in str(item.path)), default=99)
    )


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
