"""Robots of WeCom and DingTalk: formats, errcodes, limits, and hostile text."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from base_ops.core.models import (
    Delivery,
    User,
)
from base_ops.core.notifications import (
    courier,
)
from tests.core.notifications import robots, servers, world
from tests.core.notifications.test_pure import HOSTILE

pytestmark = pytest.mark.django_db


class Clock:
    """The robots' clock, moved by the test."""

    def __init__(self, now: datetime) -> None:
        self.now = now


@pytest.mark.parametrize("plain", [False, True])
def test_wecom_takes_our_messages(admin: User, now: datetime, plain: bool) -> None:
    robot = robots.WeCom("k1", lambda: now)
    with servers.web() as server:
        server.answer = robot
        endpoint = world.added(admin, f"{server.url}?key=k1", now=now, kind="wecom", plain=plain)
        world.told_tenant(admin, now=now)
        world.sent(now)

    (message,) = robot.taken
    assert world.only(endpoint).status == "sent"
    assert message["msgtype"] == ("text" if plain else "markdown")
    assert "候补占位已过期" in str(message)


@pytest.mark.parametrize("plain", [False, True])
def test_dingtalk_takes_our_messages(admin: User, now: datetime, plain: bool) -> None:
    robot = robots.DingTalk("t1", "SEC1", lambda: now)
    with servers.web() as server:
        server.answer = robot
        url = f"{server.url}?access_token=t1"
        more: dict[str, Any] = {
            "kind": "dingtalk",
            "secret": "SEC1",
            "plain": plain,
            "language": "en",
        }
        endpoint = world.added(admin, url, now=now, **more)
        world.told_tenant(admin, now=now)
        world.sent(now)

    (message,) = robot.taken
    assert world.only(endpoint).status == "sent"
    assert message["at"] == {"atMobiles": [], "atUserIds": [], "isAtAll": False}
    assert "The offer has expired" in str(message)


@pytest.mark.parametrize(
    ("kind", "query", "error"),
    [
        ("wecom", "key=wrong", "no_such_robot"),
        ("dingtalk", "access_token=wrong", "no_such_robot"),
        ("dingtalk", "access_token=t1", "robot_settings"),
    ],
)
def test_an_errcode_in_a_200_is_a_failure(
    admin: User, now: datetime, kind: str, query: str, error: str
) -> None:
    known: dict[str, Any] = {
        "wecom": robots.WeCom("k1", lambda: now),
        "dingtalk": robots.DingTalk("t1", "SEC1", lambda: now),
    }
    with servers.web() as server:
        server.answer = known[kind]
        endpoint = world.added(admin, f"{server.url}?{query}", now=now, kind=kind)
        world.told_tenant(admin, now=now)
        world.sent(now)

    assert (world.only(endpoint).status, world.only(endpoint).error) == ("dead", error)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((200, {}, b"<html>"), "no_errcode"),
        ((200, {}, b'{"errcode": true}'), "no_errcode"),
        ((200, {}, b'{"errcode": -1}'), "errcode_other"),
        ((502, {}, b"bad gateway"), "http_502"),
    ],
)
def test_a_robot_that_is_unwell_is_asked_again(
    admin: User, now: datetime, answer: robots.Answer, error: str
) -> None:
    with servers.web() as server:
        server.answer = lambda _: answer
        endpoint = world.added(admin, server.url, now=now, kind="wecom")
        world.told_tenant(admin, now=now)
        world.sent(now)

    assert (world.only(endpoint).status, world.only(endpoint).error) == ("waiting", error)


def test_sixty_messages_reach_a_robot_without_ever_breaking_its_limit(
    admin: User, now: datetime
) -> None:
    clock = Clock(now)
    robot = robots.WeCom("k1", lambda: clock.now)
    answers = []

    def answer(heard: servers.Heard) -> robots.Answer:
        answers.append(robot(heard))
        return answers[-1]

    with servers.web() as server:
        server.answer = answer
        world.added(admin, f"{server.url}?key=k1", now=now, kind="wecom")
        for _ in range(60):
            world.told_tenant(admin, now=now)
        carrier = courier.Courier()
        while Delivery.objects.filter(status="waiting").exists():
            world.sent(clock.now, by=carrier)
            clock.now += timedelta(seconds=2)

    assert len(robot.taken) == 60
    assert {json_of(a)["errcode"] for a in answers} == {0}
    assert clock.now - now <= timedelta(minutes=6)


def json_of(answer: robots.Answer) -> Any:
    return json.loads(answer[2])


def test_a_limit_that_was_hit_is_no_attempt_and_no_failure(admin: User, now: datetime) -> None:
    with servers.web() as server:
        server.answer = lambda _: robots.says(130101, "send too fast")
        endpoint = world.added(admin, server.url, now=now, kind="dingtalk")
        world.told_tenant(admin, now=now)
        world.sent(now)

    endpoint.refresh_from_db()
    assert (world.only(endpoint).attempts, endpoint.failures) == (0, 0)
    assert world.only(endpoint).due_at == endpoint.open_until == now + timedelta(minutes=10)


@pytest.mark.parametrize("kind", ["webhook", "wecom", "dingtalk"])
def test_hostile_text_is_harmless_in_every_channel(admin: User, now: datetime, kind: str) -> None:
    params = {"space": {"zh": HOSTILE, "en": HOSTILE}, "starts_at": now}
    with servers.web() as server:
        server.answer = lambda _: robots.says(0)
        world.added(admin, server.url, now=now, kind=kind)
        world.told_tenant(admin, params=params, now=now)
        world.sent(now)

    text = server.heard[0].body.decode()
    shown = server.heard[0].json
    assert not set("\u202e\u2066\x00\x07") & set(text)
    assert "http://evil" not in text
    assert "www.evil" not in text
    if kind != "webhook":
        content = shown["markdown"].get("content") or shown["markdown"]["text"]
        title, rest = content.removeprefix("### ").split("\n\n")[:2]
        assert not set(title + rest) & set("<>[]*_`#|~@\\")
