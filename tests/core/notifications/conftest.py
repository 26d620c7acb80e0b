"""Fixtures of notifications: everything stays on this machine."""

from collections.abc import Iterator
from typing import Any

import pytest

from base_ops.core.models import Role, User
from tests import make
from tests.core.notifications import servers


@pytest.fixture(autouse=True)
def _only_here(settings: Any) -> None:
    settings.WEBHOOK_PRIVATE = True
    settings.SMTP_URL = ""
    settings.PUBLIC_URL = "https://base.example.org"


@pytest.fixture
def box(settings: Any) -> Iterator[servers.Mailbox]:
    with servers.mail_server() as box:
        settings.SMTP_URL = box.url
        yield box


@pytest.fixture
def admin() -> User:
    return make.user(Role.TENANT_ADMIN)
