"""Sessions, tokens and refusals through HTTP."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client, RequestFactory

from base_ops.core import auth, clock, services
from base_ops.core.models import Role
from tests import make

pytestmark = pytest.mark.django_db


def _csrf(client: Client) -> dict[str, str]:
    return {"X-CSRFToken": client.get("/api/v1/session").json()["csrf"]}


def _post(client: Client, path: str, body: Any, headers: dict[str, str] | None = None) -> Any:
    return client.post(path, body, content_type="application/json", headers=headers)


def test_signing_in_and_out_by_cookie() -> None:
    user = make.user(Role.TENANT_MEMBER)
    client = Client(enforce_csrf_checks=True)
    wish = {"email": user.email.upper(), "password": make.PASSWORD}

    assert _post(client, "/api/v1/session", wish).json()["code"] == "csrf_failed"
    answer = _post(client, "/api/v1/session", wish, _csrf(client))

    assert answer.status_code == 200, answer.content
    assert answer.json()["user"]["tenant"]["code"] == user.tenant.code  # type: ignore[union-attr]
    assert client.get("/api/v1/ping").status_code == 200
    assert client.delete("/api/v1/session", headers=_csrf(client)).status_code == 204
    assert client.get("/api/v1/ping").status_code == 401


def test_a_wrong_password_says_not_which_part_and_ends_after_ten() -> None:
    user = make.user()
    client = Client(enforce_csrf_checks=True)
    headers = _csrf(client)

    codes = [
        _post(client, "/api/v1/session", {"email": user.email, "password": "no"}, headers).json()[
            "code"
        ]
        for _ in range(11)
    ]

    assert codes == ["sign_in_failed"] * 10 + ["too_many_failures"]


def test_tokens_work_until_they_expire_or_are_revoked() -> None:
    now = clock.now()
    user = make.user()
    good, row = auth.new_token(user=user, name="ci", now=now)
    old, _ = auth.new_token(user=user, name="old", now=now, expires_at=now - timedelta(seconds=1))
    client = Client()

    def ping(token: str) -> int:
        return client.get("/api/v1/ping", headers={"Authorization": f"Bearer {token}"}).status_code

    assert (ping(good), ping(old), ping("bo_wrong"), ping("")) == (200, 401, 401, 401)
    headers = {"Authorization": f"Bearer {good}"}
    assert client.delete(f"/api/v1/me/tokens/{row.pk}", headers=headers).status_code == 204
    assert ping(good) == 401


def test_refusals_are_problems_that_name_the_field_in_both_languages() -> None:
    client = Client(enforce_csrf_checks=True)

    answer = _post(client, "/api/v1/session", {"email": 7}, _csrf(client))

    problem = answer.json()
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert {f["name"] for f in problem["fields"]} == {"email", "password"}
    assert problem["title_zh"] != problem["title_en"]
    assert problem["request_id"] == answer["X-Request-ID"]


@pytest.mark.parametrize("role", list(Role))
def test_only_those_who_may_see_tenants_and_audit(role: Role) -> None:
    client = Client()
    client.force_login(make.user(role))

    seen = {
        path: client.get(f"/api/v1/{path}").status_code for path in ("tenants", "audit", "floors")
    }

    assert seen == {
        "tenants": 200 if role in {Role.ADMIN, Role.MANAGER, Role.FINANCE} else 403,
        "audit": 200 if role == Role.ADMIN else 403,
        "floors": 200,
    }


def test_another_tenant_is_not_found_rather_than_forbidden() -> None:
    client = Client()
    client.force_login(user := make.user(Role.TENANT_ADMIN))
    other = make.tenant()

    assert client.get(f"/api/v1/tenants/{other.code}").status_code == 404
    assert user.tenant is not None
    assert client.get(f"/api/v1/tenants/{user.tenant.code}").status_code == 200


def test_many_failures_from_one_caller_end_whatever_the_addresses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(services, "MAX_FAILURES_OF_CALLER", 3)

    def fail(n: int, caller: str) -> str:
        client = Client(REMOTE_ADDR=caller)
        wish = {"email": f"nobody-{n}@example.org", "password": "no"}
        return str(_post(client, "/api/v1/session", wish).json()["code"])

    codes = [fail(n, "203.0.113.7") for n in range(4)]

    assert codes == ["sign_in_failed"] * 3 + ["too_many_failures"]
    assert fail(9, "203.0.113.8") == "sign_in_failed"


def test_a_counter_that_vanished_meanwhile_starts_again(monkeypatch: pytest.MonkeyPatch) -> None:
    key = "sign-in:vanishing"
    monkeypatch.setattr(cache, "add", lambda *_: False)  # "it is there" - and then it is not

    services._count(key)
    services._count(key)

    assert cache.get(key) == 2


def test_only_the_proxy_tells_whose_request_it_is(settings: Any, rf: RequestFactory) -> None:
    def caller(forwarded: str) -> str:
        return services._caller(rf.get("/", headers={"X-Forwarded-For": forwarded}))

    settings.SECURE_PROXY_SSL_HEADER = None
    assert caller("198.51.100.1") == caller("198.51.100.2")
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert caller("198.51.100.1") != caller("198.51.100.2")
    assert caller("1.2.3.4, 198.51.100.1") == caller("198.51.100.1")


def test_the_one_door_to_the_admin_pages_is_the_web_login() -> None:
    client = Client()

    assert client.get("/admin/").headers["Location"] == "/admin/login/?next=/admin/"
    answer = client.get("/admin/login/?next=/admin/core/user/")
    assert (answer.status_code, answer["Location"]) == (
        302,
        "/login?next=%2Fadmin%2Fcore%2Fuser%2F",
    )
    away = client.post(
        "/admin/login/?next=https://example.org/", {"username": "a", "password": "b"}
    )
    assert away["Location"] == "/login?next=%2Fadmin%2F"


def test_who_is_signed_in_without_admin_rights_is_told_so() -> None:
    client = Client()
    client.force_login(make.user(Role.TENANT_ADMIN))

    answer = client.get("/admin/", follow=True)

    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
