"""Who may open the socket, what they may follow, and how a right ends."""

from importlib import import_module
from typing import Any

import pytest
from django.conf import settings
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from base_ops.core import auth, clock
from base_ops.core.models import ApiToken, Role
from tests import make
from tests.live.client import machine, opened, page, publish
from tests.web_server import WebServer, session, token

pytestmark = pytest.mark.django_db(transaction=True)

REVOKED_WITHIN_S = 12.0


def test_a_stranger_learns_why(server: WebServer) -> None:
    with page(server, None) as mine:
        assert mine.close_code() == 4401


def test_an_old_cookie_is_a_stranger(server: WebServer) -> None:
    with opened(server, {"Cookie": "sessionid=nonsense"}, origin=server.url) as mine:
        assert mine.close_code() == 4401


def test_a_page_of_somebody_else_may_not_use_our_cookie(server: WebServer) -> None:
    with page(server, make.user(), origin="http://evil.test") as mine:
        assert mine.close_code() == 4403


@pytest.mark.parametrize("origin", ["http://127.0.0.1:1", "null"])
def test_another_port_or_no_origin_worth_the_name_is_somebody_else(
    server: WebServer, origin: str
) -> None:
    with page(server, make.user(), origin=origin) as mine:
        assert mine.close_code() == 4403


def test_a_cookie_without_origin_is_refused(server: WebServer) -> None:
    headers = {"Cookie": f"sessionid={session(make.user())}"}

    with opened(server, headers) as mine:
        assert mine.close_code() == 4403


def test_a_token_needs_no_origin(server: WebServer) -> None:
    user = make.user(Role.MANAGER)

    with machine(server, user) as mine:
        assert mine.hear()["user"]["email"] == user.email


def test_an_unknown_token_is_a_stranger(server: WebServer) -> None:
    with opened(server, {"Authorization": "Bearer bo_nonsense"}) as mine:
        assert mine.close_code() == 4401


@pytest.mark.parametrize("offered", [None, ["live.v9"]])
def test_another_protocol_is_refused_by_name(server: WebServer, offered: Any) -> None:
    headers = {"Authorization": f"Bearer {token(make.user())}"}

    with opened(server, headers, subprotocols=offered) as mine:
        assert mine.close_code() == 4426


def test_there_is_no_other_socket_address(server: WebServer) -> None:
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(f"ws://{server.host}/ws/v1/else", subprotocols=["live.v1"], proxy=None),  # type: ignore[list-item]
    ):
        pass

    assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    ("role", "topic", "may"),
    [
        (Role.MANAGER, "occ.ops", True),
        (Role.MANAGER, "alarms", True),
        (Role.TECHNICIAN, "space.C1", True),
        (Role.TENANT_ADMIN, "occ.public", True),
        (Role.TENANT_ADMIN, "occ.ops", False),
        (Role.TENANT_ADMIN, "occ.gov", False),
        (Role.TENANT_ADMIN, "occ.tenant.ELSE", False),
        (Role.TENANT_ADMIN, "space.C1", False),
        (Role.TENANT_ADMIN, "alarms", False),
        (Role.LIAISON, "occ.gov", True),
        (Role.LIAISON, "occ.ops", False),
        (Role.LIAISON, "space.C1", False),
        (Role.FINANCE, "occ.ops", False),
        (Role.ADMIN, "secrets", False),  # nobody registered it
    ],
)
def test_a_topic_is_for_its_audience(server: WebServer, role: Role, topic: str, may: bool) -> None:
    publish(topic, X=1)

    with page(server, make.user(role)) as mine:
        answer = mine.follow(topic)

        if may:
            assert mine.await_("snap", topic=topic)["state"]["X"] == 1
        else:
            assert (answer["t"], answer["code"]) == ("err", "topic_forbidden")


def test_a_tenant_follows_its_own_topic(server: WebServer) -> None:
    user = make.user(Role.TENANT_MEMBER)
    assert user.tenant is not None
    topic = f"occ.tenant.{user.tenant.code}"
    publish(topic, S1={"status": "booked"})

    with page(server, user) as mine:
        assert mine.follow(topic)["mode"] == "snapshot"
        assert mine.await_("snap")["state"] == {"S1": {"status": "booked"}}


def test_signing_out_ends_the_socket(server: WebServer) -> None:
    user = make.user(Role.MANAGER)
    key = session(user)

    with opened(server, {"Cookie": f"sessionid={key}"}, origin=server.url) as mine:
        mine.follow("space.C2")
        mine.await_("snap")
        import_module(settings.SESSION_ENGINE).SessionStore(key).delete()
        revoked = mine.await_("revoked", REVOKED_WITHIN_S)

        assert revoked.get("topic", "space.C2") == "space.C2"
        assert mine.close_code() == 4403


@pytest.mark.parametrize(
    "change", [{"is_active": False}, {"role": Role.FINANCE}, {"password": "!"}]
)
def test_a_changed_account_ends_its_sockets_and_no_others(
    server: WebServer, change: dict[str, Any]
) -> None:
    user, other = make.user(Role.MANAGER), make.user(Role.MANAGER)

    with page(server, user) as mine, machine(server, other) as theirs:
        mine.follow("space.C3")
        theirs.follow("space.C3")
        for name, value in change.items():
            setattr(user, name, value)
        user.save()

        assert mine.close_code() == 4403
        publish("space.C3", X=1)
        theirs.await_seq("space.C3", 1)


def test_a_revoked_token_ends_its_socket(server: WebServer) -> None:
    clear, row = auth.new_token(user=make.user(Role.MANAGER), name="t", now=clock.now())

    with opened(server, {"Authorization": f"Bearer {clear}"}) as mine:
        mine.hear()
        ApiToken.objects.filter(pk=row.pk).update(revoked_at=clock.now())

        assert mine.close_code() == 4403


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "{",
        "[]",
        "null",
        '{"t":"sub"}',
        '{"t":"sub","topic":"a b"}',
        '{"t":"sub","topic":"' + "x" * 81 + '"}',
        '{"t":"sub","topic":"occ.ops","since":{"epoch":1,"seq":"x"}}',
        '{"t":"drop tables"}',
        b"\x00\x01",
        "[" * 20000,
    ],
)
def test_nonsense_is_answered_with_an_error_and_the_socket_lives(
    server: WebServer, frame: str | bytes
) -> None:
    publish("alarms", A=1)

    with page(server, make.user(Role.MANAGER)) as mine:
        mine.connection.send(frame)
        fault = mine.await_("err")

        assert fault["code"]
        assert mine.follow("alarms")["t"] == "ok"


def test_the_fifth_nonsense_is_the_last(server: WebServer) -> None:
    with page(server, make.user()) as mine:
        for _ in range(5):
            mine.connection.send("nonsense")

        assert mine.close_code() == 4400
        assert sum(m["t"] == "err" for m in mine.seen) == 5


def test_a_frame_over_64_kib_ends_the_socket(server: WebServer) -> None:
    with page(server, make.user()) as mine:
        mine.connection.send("x" * 70_000)

        assert mine.close_code() in {1006, 1009}
