"""Following topics: snapshots, changes in order, resuming, pace."""

import random

import pytest
from django.db import transaction

from base_ops.core import clock, live
from base_ops.core.models import LiveDelta, LiveTopic, Role
from tests import make
from tests.live.client import machine, page, publish
from tests.web_server import WebServer

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_page_gets_hello_then_a_snapshot_then_each_change(server: WebServer) -> None:
    user = make.user(Role.MANAGER)
    publish("space.A1", LIGHT1={"on": False}, CAM1={"on": False})

    with page(server, user) as mine:
        hello = mine.hear()
        answer = mine.follow("space.A1")
        snapshot = mine.hear()
        publish("space.A1", LIGHT1={"on": True}, CAM1=None)
        change = mine.await_("delta")

    assert (hello["t"], hello["user"]["email"]) == ("hello", user.email)
    assert answer["mode"] == "snapshot"
    assert snapshot["state"] == {"LIGHT1": {"on": False}, "CAM1": {"on": False}}
    assert (change["prev"], change["seq"]) == (snapshot["seq"], snapshot["seq"] + 1)
    assert (change["set"], change["unset"]) == ({"LIGHT1": {"on": True}}, ["CAM1"])
    assert change["epoch"] == snapshot["epoch"]


def test_a_topic_may_be_followed_before_its_first_change(server: WebServer) -> None:
    with page(server, make.user(Role.MANAGER)) as mine:
        mine.follow("space.A2")
        empty = mine.await_("snap")
        publish("space.A2", X=1)
        state = mine.await_seq("space.A2", 1)

    assert (empty["seq"], empty["state"]) == (0, {})
    assert state == {"X": 1}


def test_what_is_rolled_back_is_never_seen(server: WebServer) -> None:
    publish("space.A3", X=1)

    with page(server, make.user(Role.MANAGER)) as mine:
        mine.follow("space.A3")
        mine.await_("snap")
        with transaction.atomic():
            live.publish({"space.A3": {"X": "never"}}, now=clock.now())
            transaction.set_rollback(True)
        publish("space.A3", X=2)
        change = mine.await_("delta")

    assert (change["prev"], change["seq"], change["set"]) == (1, 2, {"X": 2})


def test_a_page_that_was_away_gets_what_it_missed_in_one_change(server: WebServer) -> None:
    user = make.user(Role.MANAGER)
    publish("space.A4", X=0, GONE=0)
    with page(server, user) as before:
        before.follow("space.A4")
        before.await_("snap")
        since = before.head("space.A4")
    publish("space.A4", X=1)
    publish("space.A4", X=2, GONE=None)
    publish("space.A4", Y=3)

    with page(server, user) as after:
        answer = after.follow("space.A4", since)
        after.topics["space.A4"] = {**since, "state": {"X": 0, "GONE": 0}}
        change = after.await_("delta")
        publish("space.A4", Z=4)
        state = after.await_seq("space.A4", 5)

    assert answer["mode"] == "resumed"
    assert (change["prev"], change["seq"]) == (1, 4)
    assert (change["set"], change["unset"]) == ({"X": 2, "Y": 3}, ["GONE"])
    assert state == {"X": 2, "Y": 3, "Z": 4}


def test_resuming_where_nothing_happened_sends_nothing(server: WebServer) -> None:
    user = make.user(Role.MANAGER)
    publish("space.A5", X=1)
    epoch, seq, state = live.state("space.A5")

    with page(server, user) as mine:
        answer = mine.follow("space.A5", {"epoch": epoch, "seq": seq})
        mine.topics["space.A5"] = {"epoch": epoch, "seq": seq, "state": state}
        publish("space.A5", X=2)
        change = mine.await_("delta")

    assert answer["mode"] == "resumed"
    assert (change["prev"], change["seq"]) == (1, 2)
    assert "snap" not in {message["t"] for message in mine.seen}


@pytest.mark.parametrize(
    ("topic", "epoch", "seq"),
    [
        ("space.B1", None, 1),  # older than the log
        ("space.B2", "another", 4),
        ("space.B3", None, 2**70),  # ahead of us
        ("space.B4", None, -1),
    ],
)
def test_a_page_that_cannot_resume_gets_a_snapshot(
    server: WebServer, topic: str, epoch: str | None, seq: int
) -> None:
    for x in range(4):
        publish(topic, X=x)
    LiveDelta.objects.filter(topic=topic, seq__lte=2).delete()

    with page(server, make.user(Role.MANAGER)) as mine:
        since = {"epoch": epoch or live.state(topic)[0], "seq": seq}
        answer = mine.follow(topic, since)
        snapshot = mine.await_("snap")

    assert answer["mode"] == "snapshot"
    assert (snapshot["seq"], snapshot["state"]) == (4, {"X": 3})


def test_a_topic_that_begins_anew_is_sent_whole(server: WebServer) -> None:
    publish("space.A6", OLD=1)

    with page(server, make.user(Role.MANAGER)) as mine:
        mine.follow("space.A6")
        first = mine.await_("snap")
        LiveDelta.objects.filter(topic="space.A6").delete()
        LiveTopic.objects.filter(name="space.A6").delete()
        publish("space.A6", NEW=1)
        second = mine.await_("snap", state={"NEW": 1})

    assert second["epoch"] != first["epoch"]


def test_unsubscribing_ends_it(server: WebServer) -> None:
    publish("space.A7", X=1)
    publish("space.A8", X=1)

    with page(server, make.user(Role.MANAGER)) as mine:
        for topic in ("space.A7", "space.A8"):
            mine.follow(topic)
            mine.await_("snap", topic=topic)
        mine.say(t="unsub", topic="space.A7")
        assert mine.follow("space.A8", mine.head("space.A8"))["mode"] == "resumed"  # unsub is read
        publish("space.A7", X=2)
        publish("space.A8", X=2)
        mine.await_seq("space.A8", 2)

    assert mine.topics["space.A7"]["seq"] == 1


def test_occupancy_comes_at_most_four_times_a_second_and_ends_right(server: WebServer) -> None:
    publish("occ.ops", S1=0)

    with page(server, make.user(Role.MANAGER)) as mine:
        mine.follow("occ.ops")
        mine.await_("snap", state={"S1": 0})
        head = mine.topics["occ.ops"]["seq"]
        began = clock.now()
        for x in range(1, 101):
            publish("occ.ops", S1=x)
        state = mine.await_seq("occ.ops", head + 100)
        took_s = (clock.now() - began).total_seconds()

    changes = [m for m in mine.seen if m["t"] == "delta"]
    assert state == {"S1": 100}
    assert len(changes) <= took_s * 4 + 1


def test_alarms_come_at_once_each_by_itself(server: WebServer) -> None:
    publish("alarms", A=0)

    with page(server, make.user(Role.TECHNICIAN)) as mine:
        mine.follow("alarms")
        mine.await_("snap", state={"A": 0})
        for x in range(1, 4):
            publish("alarms", A=x)
            assert mine.await_("delta")["set"] == {"A": x}


def test_telemetry_has_no_seq_and_is_merged(server: WebServer) -> None:
    publish("space.A9", EN1={})

    with page(server, make.user(Role.MANAGER)) as mine:
        mine.follow("space.A9")
        mine.await_("snap")
        live.tele("space.A9", {"EN1": {"kbps": 1}})
        first = mine.await_("tele")
        live.tele("space.A9", {"EN1": {"kbps": 2}})
        live.tele("space.A9", {"EN2": {"kbps": 3}})
        second = mine.await_("tele")

    assert first["set"] == {"EN1": {"kbps": 1}}
    assert second["set"] == {"EN1": {"kbps": 2}, "EN2": {"kbps": 3}}
    assert "seq" not in first


def test_telemetry_that_is_longer_than_a_notification_arrives_in_parts(server: WebServer) -> None:
    values = {f"EN{n}": {"note": "x" * 900} for n in range(40)}

    with page(server, make.user(Role.MANAGER)) as mine:
        mine.follow("space.A10")
        mine.await_("snap")
        live.tele("space.A10", values)
        got: dict[str, object] = {}
        while len(got) < 40:
            got |= mine.await_("tele")["set"]

    assert got == values


def test_however_often_pages_come_and_go_they_end_with_the_truth(server: WebServer) -> None:
    dice = random.Random(7)
    user = make.user(Role.MANAGER)
    topic = "space.A11"
    publish(topic, K0=0)
    known: dict[str, object] | None = None

    for _ in range(8):
        with machine(server, user) as mine:
            since = {k: known[k] for k in ("epoch", "seq")} if known else None
            mine.follow(topic, since)
            if known:
                mine.topics.setdefault(topic, known)
            for _ in range(dice.randrange(1, 12)):
                key = f"K{dice.randrange(5)}"
                publish(topic, **{key: dice.choice([None, dice.randrange(100)])})
            known = mine.topics.get(topic) if dice.random() < 0.7 else None
            mine.connection.socket.close()

    with machine(server, user) as last:
        last.follow(topic, {k: known[k] for k in ("epoch", "seq")} if known else None)
        if known:
            last.topics.setdefault(topic, known)
        epoch, seq, truth = live.state(topic)
        assert last.await_seq(topic, seq) == truth
        assert last.topics[topic]["epoch"] == epoch
