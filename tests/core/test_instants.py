"""Instants from callers: only those of the base's life."""

from typing import Any

import pytest
from django.test import Client

from base_ops.core.models import Role
from tests import make

pytestmark = pytest.mark.django_db

FAR = ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "1999-12-31T23:59:59Z"]


@pytest.fixture
def client() -> Client:
    """A tenant's browser that hands on crashes as status 500."""
    client = Client(raise_request_exception=False)
    client.force_login(make.user(Role.TENANT_ADMIN))
    return client


def _fields(answer: Any) -> set[str]:
    assert answer.status_code == 422, answer.content
    return {field["name"] for field in answer.json()["fields"]}


@pytest.mark.parametrize("instant", FAR)
@pytest.mark.parametrize("path", ["availability", "timeline", "bookings"])
def test_far_windows_are_refused_by_name(client: Client, path: str, instant: str) -> None:
    answer = client.get(f"/api/v1/{path}", {"from": instant, "to": instant})

    assert _fields(answer) == {"from", "to"}


@pytest.mark.parametrize("instant", FAR)
@pytest.mark.parametrize("path", ["quotes", "bookings"])
def test_far_wishes_are_refused_by_name(client: Client, path: str, instant: str) -> None:
    answer: Any = client.post(
        f"/api/v1/{path}",
        {"space": make.space().code, "starts_at": instant, "ends_at": instant},
        content_type="application/json",
        headers={"Idempotency-Key": "far-wish-1"},
    )

    assert _fields(answer) == {"starts_at", "ends_at"}


@pytest.mark.parametrize("instant", [*FAR, "2030-01-01T00:00:00"])
def test_a_token_ends_at_a_real_instant(client: Client, instant: str) -> None:
    answer: Any = client.post(
        "/api/v1/me/tokens",
        {"name": "ci", "expires_at": instant},
        content_type="application/json",
    )

    assert _fields(answer) == {"expires_at"}


def test_a_month_is_written_in_ascii_digits(client: Client) -> None:
    assert _fields(client.get("/api/v1/charges", {"month": "20٣٣-01"})) == {"month"}

    client.force_login(make.user(Role.FINANCE))
    answer: Any = client.post(
        "/api/v1/invoice-runs",
        {"month": "20٣٣-01"},
        content_type="application/json",
        headers={"Idempotency-Key": "month-digits"},
    )
    assert _fields(answer) == {"month"}
