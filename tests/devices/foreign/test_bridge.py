"""Foreign devices through a real bridge and a real broker: announced, adopted, told, gone."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from base_ops.core import clock
from devices import services
from devices.bridge.service import Bridge
from devices.domain.capabilities import BadState
from devices.domain.lifecycle import Deed
from devices.models import Command, Device, Foreign, ForeignDocument, Shadow
from devices.services import adopting, foreign, living
from devices.services.outbox import ANSWER_GRACE
from tests import make as base
from tests.brokers import Broker
from tests.devices import make
from tests.devices.bridge import rig
from tests.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)

TOPIC = "homeassistant/light/lamp1/config"
LAMP: dict[str, Any] = {
    "name": None,
    "unique_id": "lamp1",
    "schema": "json",
    "state_topic": "lamp1/state",
    "command_topic": "lamp1/set",
    "availability_topic": "lamp1/online",
    "brightness": True,
    "supported_color_modes": ["brightness"],
    "device": {
        "identifiers": ["lamp1"], "name": "Lamp", "manufacturer": "Acme", "model": "L1",
        "sw_version": "1.2",
    },
}  # fmt: skip
CODE = foreign.code_of("homeassistant", "lamp1")


@pytest.fixture
def bridge(broker: Broker) -> Iterator[Bridge]:
    with rig.bridge(broker) as running:
        eventually(lambda: running.foreign.ready, why="the foreign line")
        yield running


def announce(anyone: rig.Party, document: Any = LAMP) -> None:
    anyone.say(TOPIC, document, retain=True)
    eventually(lambda: Device.objects.filter(code=CODE).exists(), why="quarantine")


def adopt() -> Device:
    """As a technician and a manager do."""
    model = make.device().model
    assert model is not None
    space = base.space()
    wish = adopting.AdoptionWish(model, space, CODE, "key", "")
    technician, manager = base.user().actor, make.MANAGER
    row = adopting.propose_adoption(code=CODE, wish=wish, actor=technician, now=clock.now())
    adopting.approve_adoption(adoption_id=row.pk, actor=manager, why="", now=clock.now())
    return Device.objects.get(code=CODE)


def bound(bridge: Bridge, device: Device) -> None:
    eventually(lambda: device.pk in bridge.foreign.interpreter.bound, why="bound")


def shadow() -> tuple[str, Any]:
    """Its link, and whether it says that it is on."""
    row = Shadow.objects.filter(device__code=CODE).first()
    return (row.link, row.reported.get("power")) if row else ("none", None)


def test_an_announced_lamp_waits_and_nothing_else_happens(broker: Broker, bridge: Bridge) -> None:
    with rig.party(broker, listen="lamp1/#") as anyone:
        announce(anyone)
        anyone.say("lamp1/online", b"online", retain=True)
        anyone.say("lamp1/state", {"state": "ON", "brightness": 128})
        eventually(lambda: bool(anyone.heard))

        device = Device.objects.get(code=CODE)
        assert (device.status, device.kind, device.meta["model"], device.meta["firmware"]) == (
            "quarantine", "light", "L1", "1.2",
        )  # fmt: skip
        assert shadow() == ("none", None)
        assert Foreign.objects.get(device=device).able["brightness"]["max"] == 100


def test_an_adopted_lamp_is_known_by_what_the_broker_kept_and_obeys(
    broker: Broker, bridge: Bridge
) -> None:
    with rig.party(broker, listen="lamp1/set") as lamp:
        announce(lamp)
        lamp.say("lamp1/online", b"online", retain=True)
        lamp.say("lamp1/state", {"state": "OFF"}, retain=True)
        device = adopt()
        eventually(lambda: shadow() == ("online", False), why="what was kept")

        sent = services.send_command(
            device=device, state={"power": True, "brightness": 50}, actor=make.MANAGER,
            now=clock.now(),
        )  # fmt: skip
        eventually(lambda: bool(lamp.heard), why="the lamp is told")
        told = json.loads(lamp.heard[0].payload)
        assert (told["state"], told["brightness"]) == ("ON", 128)
        assert not lamp.heard[0].retain
        # The bridge writes it down once the broker has it; nobody has seen the effect yet.
        eventually(lambda: Command.objects.get(pk=sent.pk).status == "sent", why="it is sent")
        lamp.say("lamp1/state", {"state": "ON", "brightness": 128, "color_mode": "brightness"})

        def status() -> tuple[str, str]:
            row = Command.objects.get(pk=sent.pk)
            return row.status, row.code

        eventually(lambda: status()[0] == "done", why="closed by its effect")
        assert shadow()[1] is True


def test_a_lamp_that_does_not_obey_fails_when_time_is_up(broker: Broker, bridge: Bridge) -> None:
    with rig.party(broker, listen="lamp1/set") as lamp:
        announce(lamp)
        lamp.say("lamp1/online", b"online", retain=True)
        lamp.say("lamp1/state", {"state": "OFF"}, retain=True)
        device = adopt()
        eventually(lambda: shadow()[0] == "online")

        sent = services.send_command(
            device=device, state={"power": True}, actor=make.MANAGER, now=clock.now(), ttl_s=1.0
        )
        eventually(lambda: bool(lamp.heard))
        eventually(lambda: Command.objects.get(pk=sent.pk).status == "sent", why="it is sent")
        lamp.say("lamp1/state", {"state": "OFF"})
        services.expire_commands(sent.expires_at + ANSWER_GRACE)

        row = Command.objects.get(pk=sent.pk)
        assert (row.status, row.code) == ("failed", "no_answer")


def test_what_the_lamp_cannot_do_is_refused_at_the_door(broker: Broker, bridge: Bridge) -> None:
    with rig.party(broker) as lamp:
        announce(lamp)
        device = adopt()

        with pytest.raises(BadState):
            services.send_command(
                device=device, state={"rgb": [1, 2, 3]}, actor=make.MANAGER, now=clock.now()
            )


def test_a_lamp_that_goes_is_offline_and_comes_back_in_a_new_session(
    broker: Broker, bridge: Bridge
) -> None:
    with rig.party(broker) as lamp:
        announce(lamp)
        lamp.say("lamp1/online", b"online", retain=True)
        lamp.say("lamp1/state", {"state": "ON"}, retain=True)
        adopt()
        eventually(lambda: shadow()[0] == "online")

        lamp.say("lamp1/online", b"offline", retain=True)
        eventually(lambda: shadow()[0] == "offline", why="gone")
        lamp.say("lamp1/online", b"online", retain=True)
        eventually(lambda: shadow()[0] == "online", why="back")


def test_a_restart_neither_loses_nor_doubles(broker: Broker) -> None:
    with rig.party(broker) as lamp:
        with rig.bridge(broker) as first:
            eventually(lambda: first.foreign.ready)
            announce(lamp)
            lamp.say("lamp1/online", b"online", retain=True)
            device = adopt()
            bound(first, device)
            lamp.say("lamp1/state", {"state": "ON"})  # not kept by the broker
            eventually(lambda: shadow() == ("online", True))
        before = Shadow.objects.get(device=device)
        assert Foreign.objects.get(device=device).memory

        with rig.bridge(broker) as second:
            eventually(lambda: second.foreign.ready)
            bound(second, device)
            eventually(lambda: shadow()[0] == "online", why="still there")
            lamp.say("lamp1/state", {"state": "OFF"})
            eventually(lambda: shadow() == ("online", False))

        after = Shadow.objects.get(device=device)
        assert after.session == before.session or after.session_ts > before.session_ts
        assert Device.objects.filter(convention="homeassistant").count() == 1


def test_one_of_two_bridges_speaks_with_foreign_devices_and_the_other_takes_over(
    broker: Broker,
) -> None:
    with rig.party(broker, listen="lamp1/set") as lamp, contextlib.ExitStack() as later:
        with rig.bridge(broker, name="b1", group="base") as owner:
            eventually(lambda: owner.foreign.ready)
            other = later.enter_context(rig.bridge(broker, name="b2", group="base"))
            announce(lamp)
            lamp.say("lamp1/online", b"online", retain=True)
            device = adopt()
            bound(owner, device)
            eventually(lambda: shadow()[0] == "online")
            assert not other.foreign.ready
        eventually(lambda: other.foreign.ready, why="the other takes over")
        bound(other, device)

        services.send_command(
            device=device, state={"power": True}, actor=make.MANAGER, now=clock.now()
        )
        eventually(lambda: bool(lamp.heard))
        assert len(lamp.heard) == 1


def test_a_withdrawn_lamp_is_an_orphan_and_a_withdrawn_stranger_is_gone(
    broker: Broker, bridge: Bridge
) -> None:
    with rig.party(broker) as lamp:
        announce(lamp)
        device = adopt()
        bound(bridge, device)
        lamp.say("homeassistant/switch/x/config", {
            "unique_id": "x", "command_topic": "x/set", "device": {"identifiers": ["x"]},
        }, retain=True)  # fmt: skip
        eventually(lambda: Device.objects.filter(status="quarantine").exists())

        lamp.say(TOPIC, b"", retain=True)
        lamp.say("homeassistant/switch/x/config", b"", retain=True)

        eventually(lambda: Device.objects.get(pk=device.pk).orphaned_at is not None)
        eventually(lambda: not Device.objects.filter(status="quarantine").exists())
        lamp.say("lamp1/online", b"online")
        eventually(lambda: shadow()[0] == "online", why="an orphan is heard on")
        lamp.say(TOPIC, LAMP, retain=True)
        eventually(lambda: Device.objects.get(pk=device.pk).orphaned_at is None)


def test_ghosts_are_laid_only_when_somebody_confirms(broker: Broker, bridge: Bridge) -> None:
    with rig.party(broker) as lamp:
        announce(lamp)
        device = adopt()
        with pytest.raises(foreign.StillServing):
            foreign.clean_ghosts(code=CODE, actor=make.MANAGER, why="x", now=clock.now())
        living.change_stage(
            code=CODE, deed=Deed.RETIRE, actor=make.MANAGER, why="broke",
            check=lambda _: None, now=clock.now(),
        )  # fmt: skip

        assert foreign.clean_ghosts(code=CODE, actor=make.MANAGER, why="x", now=clock.now()) == 1
        eventually(
            lambda: ForeignDocument.objects.get(device=device).gone_at is not None, why="laid"
        )

    with rig.party(broker, listen="homeassistant/#") as late, rig.party(broker) as anyone:
        anyone.say("homeassistant/status", b"marker")
        eventually(lambda: any(m.payload == b"marker" for m in late.heard))
        assert [m.topic for m in late.heard if m.retain] == []


def test_garbage_on_every_root_is_counted_and_the_next_word_is_heard(
    broker: Broker, bridge: Bridge
) -> None:
    with rig.party(broker) as anyone:
        for payload in (b"hello", b"\xff\xfe", b"[" * 20_000, b'{"device":7}', b"{}"):
            for root in ("homeassistant/light/x/config", "homeassistant/device/y/config"):
                anyone.say(root, payload)
        announce(anyone)

        assert bridge.tally.refused["bad-discovery"] >= 4
        assert Device.objects.filter(convention="homeassistant").count() == 1
