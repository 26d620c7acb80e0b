"""Every test run has a PostgreSQL of its own; nothing outside the machine is touched."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

_STACK = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """Start PostgreSQL and say so in the environment, before Django's settings are read.

    pytest-xdist's workers inherit the controller's server and make databases of their own.
    """
    state = os.environ.get("BASE_OPS_TEST_STATE")
    if state is None:
        from tests import postgres

        state = tempfile.mkdtemp(prefix="base-ops-test-")
        _STACK.callback(shutil.rmtree, state, ignore_errors=True)
        os.environ["BASE_OPS_TEST_STATE"] = state
        os.environ["DATABASE_URL"] = _STACK.enter_context(postgres.ephemeral())
    os.environ.setdefault("BASE_OPS_SECRET_KEY", secrets.token_urlsafe(48))
    os.environ["BASE_OPS_STATE_DIR"] = state
    os.environ["BASE_OPS_ALLOWED_HOSTS"] = "localhost,127.0.0.1,testserver"
    os.environ["MQTT_URL"] = ""


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what was started, in reverse order."""
    _STACK.close()


@pytest.fixture
def now() -> datetime:
    """A Tuesday afternoon in Guangzhou (15:00), away from month ends and surge seasons."""
    return datetime(2026, 9, 15, 7, 0, tzinfo=UTC)


@pytest.fixture
def state_dir() -> Iterator[Path]:
    """A short-named folder of its own (Unix sockets bear no long paths), removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="bo-") as name:
        yield Path(name)
