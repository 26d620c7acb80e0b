"""Endpoints through the API: who manages which, secrets shown once, test messages, the log."""

import itertools
import json
from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from base_ops.core import clock
from base_ops.core.models import (
    AuditEntry,
    Delivery,
    Endpoint,
    IdempotencyKey,
    Role,
    User,
)
from base_ops.core.notifications import courier, endpoints, sealing
from tests import make
from tests.core.notifications import servers, world
from tests.core.notifications.test_pure import verified

pytestmark = pytest.mark.django_db
API = "/api/v1/notification-endpoints"
LOG = "/api/v1/notification-deliveries"
_keys = itertools.count(1)
HOOK = {"kind": "webhook", "name": "Orders", "url": "https://hooks.example.org/path-secret?t=1"}


class Caller:
    """Somebody signed in."""

    def __init__(self, user: User) -> None:
        self.user = user
        self._client = Client()
        self._client.force_login(user)

    def get(self, path: str) -> Any:
        return self._client.get(path)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        headers = {"Idempotency-Key": f"endpoint-{next(_keys):06d}", **headers}
        return getattr(self._client, method)(
            path, body, content_type="application/json", headers=headers
        )

    def added(self, **changes: Any) -> dict[str, Any]:
        answer = self.send("post", API, HOOK | changes)
        assert answer.status_code == 201, answer.content
        return dict(answer.json())


@pytest.fixture(autouse=True)
def _only_here(settings: Any) -> None:
    """As the base runs: to the internet only."""
    settings.WEBHOOK_PRIVATE = False
    settings.SMTP_URL = ""


@pytest.fixture
def owner() -> Caller:
    return Caller(make.user(Role.TENANT_ADMIN))


@pytest.mark.parametrize("role", list(Role))
def test_who_manages_endpoints(role: Role) -> None:
    answer = Caller(make.user(role)).get(API)

    may = role in {Role.TENANT_ADMIN, Role.MANAGER, Role.ADMIN}
    assert answer.status_code == (200 if may else 403)


def test_a_tenant_neither_sees_nor_touches_another_ones(owner: Caller) -> None:
    code = owner.added()["code"]
    for other in (
        Caller(make.user(Role.TENANT_ADMIN)),
        Caller(make.user(Role.MANAGER)),
        Caller(make.user(Role.ADMIN)),
    ):
        assert other.get(API).json() == []
        answers = [
            other.get(f"{API}/{code}"),
            other.send("patch", f"{API}/{code}", {"name": "x"}, **{"If-Match": "*"}),
            other.send("post", f"{API}/{code}/secret"),
            other.send("post", f"{API}/{code}/test"),
            other.send("delete", f"{API}/{code}"),
        ]
        assert [a.status_code for a in answers] == [404] * 5
    assert owner.get(f"{API}/{code}").status_code == 200


def test_addresses_and_secrets_are_sealed_and_a_secret_is_shown_once(owner: Caller) -> None:
    made = owner.added()
    shown = owner.send("post", f"{API}/{made['code']}/secret").json()
    robot = owner.added(
        kind="dingtalk",
        url="https://oapi.dingtalk.com/robot/send?access_token=tok",
        secret="SECabc",
    )

    assert shown["secret"].startswith("whsec_")
    assert shown["old_valid_until"] is None
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(e)::text FROM core_endpoint e")
        kept = " ".join(row[0] for row in cursor.fetchall())
    answers = json.dumps(list(IdempotencyKey.objects.values_list("answer", flat=True)))
    trail = json.dumps(list(AuditEntry.objects.values_list("before", "after")))
    seen = owner.get(API).content.decode() + owner.get(f"{API}/{robot['code']}").content.decode()
    for text in (kept, answers, trail, seen):
        for secret in (shown["secret"], "path-secret", "access_token", "SECabc"):
            assert secret not in text


def test_a_sealed_value_opens_in_its_own_place_and_under_known_keys_only(settings: Any) -> None:
    sealed = sealing.seal("words", place="endpoint:A:url")

    assert sealing.opened(sealed, place="endpoint:A:url") == "words"
    with pytest.raises(sealing.Unreadable):
        sealing.opened(sealed, place="endpoint:B:url")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another " * 5
    assert sealing.opened(sealed, place="endpoint:A:url") == "words"
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(sealing.Unreadable):
        sealing.opened(sealed, place="endpoint:A:url")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"url": "http://hooks.example.org/"}, "url"),
        ({"url": "https://127.0.0.1/"}, "url"),
        ({"url": "https://hooks.example.org:25/"}, "url"),
        ({"kind": "wecom"}, "url"),
        ({"kind": "dingtalk"}, "url"),
        ({"secret": "mine"}, "secret"),
        ({"kinds": ["no.such"]}, "kinds"),
    ],
)
def test_what_cannot_work_is_refused_by_field(
    owner: Caller, changes: dict[str, Any], field: str
) -> None:
    answer = owner.send("post", API, HOOK | changes)

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "bad_endpoint")
    assert [f["name"] for f in problem["fields"]] == [field]
    assert not Endpoint.objects.exists()


def test_creating_again_with_the_same_key_makes_one(owner: Caller) -> None:
    key = {"Idempotency-Key": "the-same-key"}

    first, second = (owner.send("post", API, HOOK, **key) for _ in range(2))

    assert first.json() == second.json()
    assert Endpoint.objects.count() == 1


def test_there_is_an_end_to_endpoints(owner: Caller) -> None:
    for _ in range(endpoints.MOST_PER_OWNER):
        owner.added()

    answer = owner.send("post", API, HOOK)

    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_endpoints")


def test_an_edit_needs_the_version_it_saw_and_is_on_record(owner: Caller) -> None:
    code = owner.added()["code"]
    path = f"{API}/{code}"
    etag = owner.get(path)["ETag"]

    assert owner.send("patch", path, {"name": "New"}).status_code == 428
    changed = owner.send("patch", path, {"name": "New", "active": False}, **{"If-Match": etag})
    assert (changed.status_code, changed.json()["name"]) == (200, "New")
    assert changed.json()["inactive_reason"] == "switched_off"
    assert owner.send("patch", path, {"name": "x"}, **{"If-Match": etag}).status_code == 412
    entry = AuditEntry.objects.get(action="endpoint.change")
    assert (entry.actor_label, entry.object_code) == (owner.user.email, code)
    assert (entry.before or {})["name"] == "Orders"
    assert (entry.after or {})["name"] == "New"


def test_switching_on_forgets_failures(owner: Caller) -> None:
    path = f"{API}/{owner.added()['code']}"
    Endpoint.objects.update(active=False, failures=9, open_until=clock.now())

    answer = owner.send("patch", path, {"active": True}, **{"If-Match": "*"})

    assert (answer.json()["active"], answer.json()["failures"]) == (True, 0)


def test_removing_drops_what_waits_and_keeps_the_log(owner: Caller, now: datetime) -> None:
    code = owner.added()["code"]
    world.told(world.people(owner.user.tenant), now=now)  # type: ignore[arg-type]

    assert owner.send("delete", f"{API}/{code}").status_code == 204

    assert owner.get(API).json() == []
    row = Endpoint.objects.get()
    assert (row.url_sealed, row.secret_sealed, row.active) == ("", "", False)
    assert Delivery.objects.get().status == "dropped"
    assert owner.send("delete", f"{API}/{code}").status_code == 404


def test_a_robot_gets_its_secret_from_its_operator(owner: Caller) -> None:
    url = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k"
    code = owner.added(kind="wecom", url=url)["code"]

    assert owner.send("post", f"{API}/{code}/secret").status_code == 409


def test_a_test_message_arrives_and_the_log_says_so(owner: Caller, settings: Any) -> None:
    settings.WEBHOOK_PRIVATE = True
    with servers.web() as server:
        code = owner.added(url=server.url)["code"]
        secret = owner.send("post", f"{API}/{code}/secret").json()["secret"]
        sent = owner.send("post", f"{API}/{code}/test")
        assert (sent.status_code, sent.json()["status"]) == (202, "waiting")
        carrier = courier.Courier()
        carrier.run(clock.now())
        assert carrier.finish(clock.now(), timeout_s=10)

    (heard,) = server.heard
    assert verified(secret, heard.headers, heard.body)
    assert heard.json["type"] == "notifications.test"
    log = owner.get(f"{LOG}?endpoint={code}&status=sent").json()["items"]
    assert [entry["id"] for entry in log] == [sent.json()["id"]]
    assert owner.get(f"{LOG}/{sent.json()['id']}").json()["attempts"] == 1


def test_only_what_is_dead_is_sent_again_and_only_by_its_owner_or_an_admin(
    owner: Caller, now: datetime
) -> None:
    owner.added()
    world.told(world.people(owner.user.tenant), now=now)  # type: ignore[arg-type]
    path = f"{LOG}/{Delivery.objects.get().pk}/resend"
    stranger, admin = Caller(make.user(Role.TENANT_ADMIN)), Caller(make.user(Role.ADMIN))
    manager = Caller(make.user(Role.MANAGER))

    assert owner.send("post", path).json()["code"] == "not_dead"
    for caller, status in ((stranger, 404), (manager, 404), (owner, 202), (admin, 202)):
        Delivery.objects.update(status="dead", ended_at=now, attempts=12)
        answer = caller.send("post", path)
        assert answer.status_code == status
    row = Delivery.objects.get()
    assert (row.status, row.attempts, row.ended_at) == ("waiting", 0, None)
    assert AuditEntry.objects.filter(action="endpoint.send_again").count() == 2


def test_the_log_of_mail_is_for_the_base(now: datetime, settings: Any, owner: Caller) -> None:
    settings.SMTP_URL = "smtp://127.0.0.1:1"
    world.told(world.people(owner.user.tenant), now=now)  # type: ignore[arg-type]

    for role, seen in ((Role.MANAGER, 1), (Role.ADMIN, 1)):
        log = Caller(make.user(role)).get(LOG).json()["items"]
        assert [e["recipient"] for e in log] == [owner.user.email] * seen
    assert owner.get(LOG).json()["items"] == []
    assert Caller(make.user(Role.FINANCE)).get(LOG).status_code == 403


@pytest.mark.parametrize("path", [f"{LOG}/99999999999999999999", f"{LOG}/1", f"{API}/EPNONE"])
def test_what_is_not_there_is_not_found(owner: Caller, path: str) -> None:
    assert owner.get(path).status_code == 404


def test_metrics_show_waiting_dead_and_open(owner: Caller, now: datetime) -> None:
    owner.added()
    world.told(world.people(owner.user.tenant), now=now)  # type: ignore[arg-type]
    world.tell(world.people(owner.user.tenant), now=clock.now())  # type: ignore[arg-type]

    text = Client().get("/metrics", REMOTE_ADDR="127.0.0.1").content.decode()

    assert 'base_ops_notification_deliveries{channel="webhook",status="waiting"} 1.0' in text
    assert 'base_ops_notification_endpoints_open{channel="webhook"} 0.0' in text
    assert "base_ops_notification_unfanned_seconds" in text
