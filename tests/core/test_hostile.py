"""Requests made to break the server: each is a refusal, never a crash."""

from typing import Any

import pytest
from django.db import DataError, transaction
from django.test import Client, RequestFactory
from ninja import NinjaAPI

from base_ops.core import problems
from base_ops.core.models import Role, Space
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    """An administrator's browser that hands on crashes as status 500."""
    client = Client(raise_request_exception=False)
    client.force_login(make.user(Role.ADMIN))
    return client


@pytest.mark.parametrize(
    "address", ["/api/v1/spaces/%00", "/api/v1/charges?tenant=%00", "/%00", "/api/v1/audit?a=b%00"]
)
def test_nul_in_an_address_is_refused(client: Client, address: str) -> None:
    answer = client.get(address)

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_characters")
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer["X-Request-ID"]


def test_nul_in_a_cookie_is_refused() -> None:
    client = Client(raise_request_exception=False)

    answer = client.get("/api/v1/session", headers={"Cookie": r'sessionid="\000abcdefghij"'})

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_characters")


@pytest.mark.parametrize("text", [r"a\u0000", r"\ud800", r"\uDC00x", "a\x00"])
@pytest.mark.parametrize("path", ["session", "me/tokens"])
def test_unstorable_text_in_a_body_is_refused(client: Client, path: str, text: str) -> None:
    body = f'{{"email": "{text}", "name": "{text}", "password": "x"}}'

    answer: Any = client.post(f"/api/v1/{path}", body, content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (422, "bad_characters")


@pytest.mark.parametrize(
    ("written", "kept"), [(r"a\\u0000", r"a\u0000"), (r"\ud83d\ude00", "\U0001f600")]
)
def test_escapes_that_are_text_pass(client: Client, written: str, kept: str) -> None:
    answer: Any = client.post(
        "/api/v1/me/tokens", f'{{"name": "{written}"}}', content_type="application/json"
    )

    assert (answer.status_code, answer.json()["name"]) == (201, kept)


def test_what_the_database_refuses_in_the_end_is_a_refusal_too(rf: RequestFactory) -> None:
    api = NinjaAPI(urls_namespace="hostile")
    problems.install(api)
    with pytest.raises(DataError) as caught, transaction.atomic():
        list(Space.objects.filter(code="\x00"))

    answer = api.on_exception(rf.get("/"), caught.value)

    assert answer.status_code == 422
