"""The bridge against a real broker and a real database."""

import subprocess
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection

from base_ops.core import clock
from base_ops.core.actors import SYSTEM
from devices import health, services
from devices.models import BridgeHeartbeat, Command, Shadow
from tests.brokers import Broker
from tests.devices.bridge import rig
from tests.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)


def state(version: int, *, session: str = "s1", ts: int = 1000, **values: Any) -> dict[str, Any]:
    return {"v": version, "session": session, "ts": ts, "state": values}


def reported(code: str) -> dict[str, Any]:
    shadow = Shadow.objects.filter(device__code=code).first()
    return shadow.reported if shadow else {}


GARBAGE: list[bytes] = [
    b"",
    b"hello",
    b"\xff\xfe\x00",
    b'{"v":NaN,"session":"a","ts":1,"state":{}}',
    b'{"v":1,"session":"a","ts":1,"state":{"x":1e400}}',
    b'{"v":1,"session":"a","ts":1,"state":{"x":"\\u0000"}}',
    b'{"v":true,"session":[],"ts":"x","state":7}',
    b"[" * 50_000,
    b"x" * 2_000_000,
]


def test_garbage_on_every_topic_is_counted_and_the_next_good_message_is_handled(
    broker: Broker,
) -> None:
    rig.device("L1")
    leaves = ("$status", "$meta", "state", "tele", "event", "ack", "cmd", "nonsense")
    with rig.bridge(broker) as bridge, rig.party(broker) as anyone:
        for leaf in leaves:
            for bad in GARBAGE:
                anyone.say(f"wb1/d/L1/{leaf}", bad)
        anyone.say("wb1/d/L1/cmd", {"id": "X", "op": "set"}, retain=True)
        anyone.say("wb1/other/place", b"{}")
        anyone.say("wb1/d/L1/state", state(1, power=True))

        eventually(lambda: reported("L1") == {"power": True})
        # At least: a broker may hand out a message again whose receipt came late.
        assert bridge.tally.refusals >= len(leaves) * len(GARBAGE) + 2
        assert bridge.tally.refused["too-long"] >= len(leaves)
        eventually(lambda: dict(_counted()).get("too-long", 0) >= len(leaves))
        assert set(bridge.tally.refused) >= {"not-json", "wrong-shape", "empty", "unknown-topic"}


def _counted() -> list[tuple[str, float]]:
    """As /metrics shows it."""
    return [(labels["reason"], count) for labels, count in health.refusals()]


def test_a_command_goes_out_is_carried_out_and_comes_back_as_done(broker: Broker) -> None:
    light = rig.device("L1")
    with (
        rig.bridge(broker) as bridge,
        rig.simulator(broker, [light]),
        rig.party(broker, listen="wb1/d/L1/cmd") as wire,
    ):
        eventually(lambda: reported("L1").get("power") is False)

        sent = services.send_command(
            device=light, state={"power": True, "brightness": 70}, actor=SYSTEM, now=clock.now()
        )

        eventually(lambda: Command.objects.get(pk=sent.pk).status == "done")
        eventually(lambda: reported("L1").get("brightness") == 70)
        (message,) = wire.heard
        assert message.retain is False
        assert message.qos == 1
        properties: Any = message.properties
        assert properties.CorrelationData == sent.pk.encode()
        assert properties.ResponseTopic == "wb1/d/L1/ack"
        assert 0 < properties.MessageExpiryInterval <= 11
        assert bridge.tally.refusals == 0  # nor does it take its own command for a stranger's


def test_an_expired_command_never_leaves(broker: Broker) -> None:
    light = rig.device("L1")
    past = clock.now() - timedelta(seconds=30)
    old = services.send_command(device=light, state={"power": True}, actor=SYSTEM, now=past)
    with (
        rig.bridge(broker),
        rig.simulator(broker, [light]) as play,
        rig.party(broker, listen="wb1/d/L1/cmd") as wire,
    ):
        eventually(lambda: Command.objects.get(pk=old.pk).status == "expired")

        assert wire.heard == []
        assert play.device("L1").state["power"] is False


def test_an_offline_of_an_earlier_life_is_ignored(broker: Broker) -> None:
    rig.device("L1")
    with rig.bridge(broker), rig.party(broker) as device:
        device.say("wb1/d/L1/$status", {"online": True, "session": "old", "ts": 1000}, retain=True)
        device.say("wb1/d/L1/$status", {"online": True, "session": "new", "ts": 2000}, retain=True)
        device.say("wb1/d/L1/$status", {"online": False, "session": "old", "ts": 3000})
        device.say("wb1/d/L1/state", state(1, session="new", ts=3001, power=True))

        eventually(lambda: reported("L1") == {"power": True})
        assert Shadow.objects.get(device__code="L1").link == "online"


def test_what_the_broker_kept_is_read_on_start(broker: Broker) -> None:
    for n in range(150):
        rig.device(f"L{n}")
    with rig.party(broker) as device:
        for n in range(150):
            device.say(f"wb1/d/L{n}/state", state(1, power=True), retain=True)

    with rig.bridge(broker):
        eventually(lambda: Shadow.objects.filter(reported={"power": True}).count() == 150)


def test_all_is_stale_while_the_broker_is_gone_and_heals_when_it_is_back(broker: Broker) -> None:
    light = rig.device("L1")
    with rig.bridge(broker), rig.simulator(broker, [light]):
        eventually(lambda: Shadow.objects.filter(link="online").exists())

        broker.kill()

        eventually(lambda: Shadow.objects.filter(link="stale").exists(), 15)
        eventually(lambda: not BridgeHeartbeat.objects.get().connected)

        broker.start()

        eventually(lambda: Shadow.objects.filter(link="online").exists(), 30)
        sent = services.send_command(
            device=light, state={"power": True}, actor=SYSTEM, now=clock.now()
        )
        eventually(lambda: Command.objects.get(pk=sent.pk).status == "done")


def test_nothing_acknowledged_is_lost_when_the_bridge_is_stopped_in_between(
    broker: Broker,
) -> None:
    rig.device("L1")
    with rig.party(broker) as device:
        with rig.bridge(broker):
            for n in range(1, 200):
                device.say("wb1/d/L1/state", state(n, n=n))
        for n in range(200, 301):  # while nobody listens
            device.say("wb1/d/L1/state", state(n, n=n))

        with rig.bridge(broker):
            eventually(lambda: reported("L1") == {"n": 300})


@pytest.fixture
def refusing_column() -> Iterator[None]:
    """A rule of the database that our codec knows nothing of."""
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE devices_shadow ADD CONSTRAINT refuses CHECK (NOT reported ? 'poison')"
        )
    yield
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE devices_shadow DROP CONSTRAINT refuses")


@pytest.mark.usefixtures("refusing_column")
def test_a_message_that_the_database_refuses_does_not_take_others_with_it(
    broker: Broker,
) -> None:
    codes = [f"L{n}" for n in range(8)]
    for code in codes:
        rig.device(code)
    with rig.party(broker) as device:
        with rig.bridge(broker):
            pass  # from now on the broker keeps what comes, so it arrives as one batch
        for code in codes:
            values = {"poison": 1} if code == "L3" else {"x": 1}
            device.say(f"wb1/d/{code}/state", state(1) | {"state": values})

        with rig.bridge(broker) as bridge:
            eventually(lambda: Shadow.objects.filter(reported={"x": 1}).count() == 7)
            eventually(lambda: bridge.tally.refused["poison"] == 1)
    assert reported("L3") == {}


def test_a_bridge_that_is_stuck_exits_so_that_it_is_started_afresh(broker: Broker) -> None:
    rig.device("L1")
    with (
        psycopg.connect(rig.database_url()) as blocker,
        rig.party(broker) as device,
        rig.bridge_process(broker, "--stuck-after", "1") as bridge,
    ):
        eventually(lambda: BridgeHeartbeat.objects.filter(connected=True).exists(), 60)
        blocker.execute("LOCK TABLE devices_shadow IN ACCESS EXCLUSIVE MODE")
        device.say("wb1/d/L1/state", state(1, x=1))
        eventually(lambda: _say_and_look(device, bridge), 30)

        assert bridge.returncode == 1


def _say_and_look(device: rig.Party, bridge: subprocess.Popen[bytes]) -> bool:
    device.say("wb1/d/L1/tele", {"ts": 1, "m": {"x": 1}}, qos=0)
    return bridge.poll() is not None


def test_the_command_carries_on_after_kill_9_and_ends_on_sigterm(broker: Broker) -> None:
    light = rig.device("L1")
    with rig.simulator(broker, [light]):
        with rig.bridge_process(broker) as first:
            eventually(lambda: BridgeHeartbeat.objects.filter(connected=True).exists(), 60)
            first.kill()
        sent = services.send_command(
            device=light, state={"power": True}, actor=SYSTEM, now=clock.now(), ttl_s=120
        )
        with rig.bridge_process(broker) as second:
            eventually(lambda: Command.objects.get(pk=sent.pk).status == "done", 60)
            second.terminate()

            assert second.wait(60) == 0
    assert BridgeHeartbeat.objects.get().connected is False
