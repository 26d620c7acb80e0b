"""What every test of the devices starts from."""

from collections.abc import Iterator

import pytest

from devices import directory
from devices.selectors import rules
from devices.services import partitions, quarantine


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    """Rolled-back rows must not live on in the process's memory."""
    directory.forget()
    partitions.forget()
    quarantine.forget()
    rules.forget()
    yield
    directory.forget()
    rules.forget()
