"""Every test run has a PostgreSQL of its own; nothing outside the machine is touched.

A plugin rather than conftest.py (see `addopts`), because pytest-django reads the settings first.
"""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from hypothesis import HealthCheck, settings

_STACK = ExitStack()
# Examples are the same in each run, and none fails for being slow: a machine may be busy.
settings.register_profile(
    "suite", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Iterator[None]:
    """Start PostgreSQL and say so in the environment, before Django's settings are read.

    pytest-xdist's workers inherit the controller's server and make databases of their own.
    """
    if "BASE_OPS_TEST_STATE" not in os.environ:
        from tests import postgres

        state = tempfile.mkdtemp(prefix="base-ops-test-")
        _STACK.callback(shutil.rmtree, state, ignore_errors=True)
        os.environ["DATABASE_URL"] = _STACK.enter_context(postgres.ephemeral())
        os.environ["BASE_OPS_TEST_STATE"] = state
        os.environ["BASE_OPS_STATE_DIR"] = state
        os.environ.setdefault("BASE_OPS_BROKER", "rumqttd")  # the same on every machine
        os.environ["BASE_OPS_SECRET_KEY"] = secrets.token_urlsafe(48)
        os.environ["BASE_OPS_ALLOWED_HOSTS"] = "localhost,127.0.0.1,testserver"
        os.environ["MQTT_URL"] = ""
    try:
        return (yield)
    except BaseException:
        _STACK.close()
        raise


def pytest_unconfigure() -> None:
    """Stop what was started, in reverse order."""
    _STACK.close()
