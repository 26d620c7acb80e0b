"""One web process for all socket tests; each test uses topics of its own."""

from collections.abc import Iterator

import pytest

from tests.web_server import WebServer, running


@pytest.fixture(scope="package")
def server(django_db_setup: None) -> Iterator[WebServer]:
    with running() as started:
        yield started
        print(started.log.read_text())  # noqa: T201 - shown when something failed
