"""A VISCA camera behind the gateway: from the command in the database to the wire and back."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from base_ops.core import clock
from base_ops.core.actors import SYSTEM
from devices import services
from devices.domain.shadow import Link
from devices.models import Command, Device, Shadow
from tests.brokers import Broker
from tests.devices.bridge import rig as bridges
from tests.devices.gateway import rig
from tests.devices.gateway.peers import camera as peer
from tests.devices.gateway.peers.loops import Loop
from tests.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)


def link(device: Device) -> str | None:
    return Shadow.objects.filter(device=device).values_list("link", flat=True).first()


def reported(device: Device) -> dict[str, Any]:
    return Shadow.objects.filter(device=device).values_list("reported", flat=True).first() or {}


def send(device: Device, **state: Any) -> Callable[[], tuple[str, str]]:
    """Queue a command; how it stands, each time that is asked."""
    command = services.send_command(device=device, state=state, actor=SYSTEM, now=clock.now())

    def outcome() -> tuple[str, str]:
        row = Command.objects.get(pk=command.pk)
        return row.status, row.code

    return outcome


def test_a_command_reaches_the_camera_and_is_done_when_the_camera_says_so(
    broker: Broker, peers: Loop, tmp_path: Path
) -> None:
    device = bridges.device("CAM-1", "camera")
    body = peer.Body()
    _, port = peers.call(peer.over_ip(body))
    part = rig.camera(port, presets={"host": 3})
    with bridges.bridge(broker), rig.gateway(broker, tmp_path, [part]):
        eventually(lambda: reported(device).get("power") is False)

        outcome = send(
            device, power=True, privacy=False, pan=-30, tilt=10, zoom=0.5, tally="program"
        )
        eventually(lambda: outcome() == ("done", ""))

        assert (body.awake, body.muted, body.lamp) == (True, False, True)
        assert (body.pan, body.tilt, body.zoom) == (-432, 144, 0x2000)
        eventually(lambda: reported(device)["power"])
        seen = reported(device)
        assert (seen["pan"], seen["tilt"], seen["zoom"]) == (-30.0, 10.0, 0.5)
        assert (seen["privacy"], seen["tally"]) == (False, "program")

        outcome = send(device, focus={"mode": "manual", "pos": 0.5})
        eventually(lambda: outcome() == ("done", ""))
        assert body.focus == 0x1000 + 0x7000

        body.presets[3] = (0, 0, 0)
        outcome = send(device, preset="host")
        eventually(lambda: outcome() == ("done", ""))
        assert body.pan == 0
        assert reported(device)["preset"] == "host"

        outcome = send(device, preset="nowhere")
        eventually(lambda: outcome() == ("rejected", "unknown_preset"))


def test_what_somebody_does_at_the_camera_is_reported_too(
    broker: Broker, peers: Loop, tmp_path: Path
) -> None:
    device = bridges.device("CAM-1", "camera")
    body = peer.Body(awake=True, muted=False)
    _, port = peers.call(peer.over_ip(body))
    with bridges.bridge(broker), rig.gateway(broker, tmp_path, [rig.camera(port)]):
        eventually(lambda: reported(device).get("pan") == 0.0)

        body.pan = 144  # by its remote control

        eventually(lambda: reported(device)["pan"] == 10.0)


def test_an_effect_that_never_comes_is_a_failure_and_not_a_success(
    broker: Broker, peers: Loop, tmp_path: Path
) -> None:
    device = bridges.device("CAM-1", "camera")
    body = peer.Body(awake=True, wakes_s=0)
    _, port = peers.call(peer.over_ip(body))
    part = rig.camera(port, observe_s=0.5, pan_steps_per_deg=0.001)  # its motor does not turn
    with bridges.bridge(broker), rig.gateway(broker, tmp_path, [part]):
        eventually(lambda: reported(device).get("power") is True)

        outcome = send(device, pan=100.4)

        eventually(lambda: outcome() == ("failed", "not_observed"))


def test_a_silent_camera_is_offline_refuses_and_comes_back(
    broker: Broker, peers: Loop, tmp_path: Path
) -> None:
    device = bridges.device("CAM-1", "camera")
    wire, port = peers.call(peer.over_ip(peer.Body(awake=True)))
    with (
        bridges.bridge(broker),
        rig.gateway(broker, tmp_path, [rig.camera(port)]),
        bridges.party(broker, listen="wb1/d/CAM-1/ack") as anyone,
    ):
        eventually(lambda: link(device) == Link.ONLINE)

        wire.silent = True
        eventually(lambda: link(device) == Link.OFFLINE)
        order = {"id": "X1", "exp": 4_000_000_000_000, "op": "set", "state": {"power": True}}
        anyone.say("wb1/d/CAM-1/cmd", order)
        eventually(lambda: ("failed", "gear_silent") in _acks(anyone))

        wire.silent = False
        eventually(lambda: link(device) == Link.ONLINE)
        assert reported(device)["power"] is True


def test_gear_that_was_never_there_is_offline_from_the_start(
    broker: Broker, tmp_path: Path
) -> None:
    device = bridges.device("CAM-1", "camera")
    with bridges.bridge(broker), rig.gateway(broker, tmp_path, [rig.camera(9)]):
        eventually(lambda: link(device) == Link.OFFLINE)


def test_when_the_gateway_dies_the_broker_says_so_for_all_its_gear(
    broker: Broker, peers: Loop, tmp_path: Path
) -> None:
    device = bridges.device("CAM-1", "camera")
    _, port = peers.call(peer.over_ip(peer.Body(awake=True)))
    with bridges.bridge(broker), rig.gateway(broker, tmp_path, [rig.camera(port)]) as gateway:
        eventually(lambda: link(device) == Link.ONLINE)
        (member,) = gateway.members
        connection = member.station.connection
        assert connection is not None

        connection.abort()  # as at a power cut: no farewell
        eventually(lambda: link(device) == Link.OFFLINE)
        eventually(lambda: link(device) == Link.ONLINE)  # and back by itself


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"exp": 1}, ("expired", "")),
        ({"state": {"pan": 90}}, ("rejected", "beyond_pan")),
        ({"state": {"pan": 999}}, ("rejected", "bad_state")),
        ({"if_v": 99}, ("rejected", "version")),
        ({"fence": {"grant": 1, "epoch": 1, "until": 1}}, ("expired", "right_ended")),
        ({"op": "dance"}, ("rejected", "unknown_op")),
    ],
)
def test_the_gateway_refuses_at_the_edge(
    changes: dict[str, Any], answer: tuple[str, str], broker: Broker, peers: Loop, tmp_path: Path
) -> None:
    body = peer.Body(awake=True)
    _, port = peers.call(peer.over_ip(body))
    part = rig.camera(port, limits={"pan": [-60, 60]})
    with (
        rig.gateway(broker, tmp_path, [part]) as gateway,
        bridges.party(broker, listen="wb1/d/CAM-1/ack") as anyone,
    ):
        eventually(lambda: gateway.by_code("CAM-1").linked)
        order = {"id": "X1", "exp": 4_000_000_000_000, "op": "set", "state": {"pan": 10}}

        anyone.say("wb1/d/CAM-1/cmd", order | changes)

        eventually(lambda: _acks(anyone) == [answer])
        assert body.pan == 0


def test_a_retained_order_is_never_delivered_or_refused(
    broker: Broker, peers: Loop, tmp_path: Path
) -> None:
    body = peer.Body(awake=True)
    _, port = peers.call(peer.over_ip(body))
    order = {"id": "X1", "exp": 4_000_000_000_000, "op": "set", "state": {"pan": 10}}
    with bridges.party(broker, listen="wb1/d/CAM-1/ack") as anyone:
        anyone.say("wb1/d/CAM-1/cmd", order, retain=True)
        with rig.gateway(broker, tmp_path, [rig.camera(port)]) as gateway:
            eventually(lambda: gateway.by_code("CAM-1").linked)
            anyone.say("wb1/d/CAM-1/cmd", {**order, "id": "X2", "state": {"tilt": 10}})
            eventually(lambda: ("done", "") in _acks(anyone))

    assert body.pan == 0


def test_a_drive_goes_through_and_stops_and_an_order_twice_is_one(
    broker: Broker, peers: Loop, tmp_path: Path
) -> None:
    body = peer.Body(awake=True)
    _, port = peers.call(peer.over_ip(body))
    with (
        rig.gateway(broker, tmp_path, [rig.camera(port)]) as gateway,
        bridges.party(broker, listen="wb1/d/CAM-1/ack") as anyone,
    ):
        eventually(lambda: gateway.by_code("CAM-1").linked)
        drive = {
            "id": "M1",
            "exp": 4_000_000_000_000,
            "op": "move",
            "state": {"pan": 1, "deadman_ms": 100},
        }
        anyone.say("wb1/d/CAM-1/cmd", drive)
        anyone.say("wb1/d/CAM-1/cmd", drive)

        eventually(lambda: len(anyone.bodies("ack")) >= 3)
        eventually(lambda: body.pan > 0 and not body.driving)
        assert sum(m.startswith("81010601") and not m.endswith("0303ff") for m in body.heard) == 1


def test_an_order_carried_out_before_a_restart_is_not_carried_out_after_it(
    broker: Broker, peers: Loop, tmp_path: Path
) -> None:
    body = peer.Body(awake=True)
    _, port = peers.call(peer.over_ip(body))
    order = {"id": "X1", "exp": 4_000_000_000_000, "op": "set", "state": {"pan": 10}}
    with bridges.party(broker, listen="wb1/d/CAM-1/ack") as anyone:
        with rig.gateway(broker, tmp_path, [rig.camera(port)]) as gateway:
            eventually(lambda: gateway.by_code("CAM-1").linked)
            anyone.say("wb1/d/CAM-1/cmd", order)
            eventually(lambda: ("done", "") in _acks(anyone))
        body.pan = 0
        with rig.gateway(broker, tmp_path, [rig.camera(port)]) as gateway:
            eventually(lambda: gateway.by_code("CAM-1").linked)
            anyone.say("wb1/d/CAM-1/cmd", order)
            eventually(lambda: ("duplicate", "") in _acks(anyone))

    assert body.pan == 0


def test_at_until_the_picture_closes_with_nobody_else_alive(
    broker: Broker, peers: Loop, tmp_path: Path
) -> None:
    body = peer.Body(awake=True, muted=True)
    _, port = peers.call(peer.over_ip(body))
    until = round((clock.now() + timedelta(seconds=1.5)).timestamp() * 1000)
    state = {"privacy": False, "tally": "program", "until": until}
    order = {"id": "X1", "exp": 4_000_000_000_000, "op": "set", "state": state}
    with (
        rig.gateway(broker, tmp_path, [rig.camera(port)]) as gateway,
        bridges.party(broker, listen="wb1/d/CAM-1/ack") as anyone,
    ):
        eventually(lambda: gateway.by_code("CAM-1").linked)
        anyone.say("wb1/d/CAM-1/cmd", order)
        eventually(lambda: (body.muted, body.lamp) == (False, True))

        broker.kill()

        eventually(lambda: (body.muted, body.lamp) == (True, False))


def test_camera_in_standby_privacy_sleeps_and_wakes(
    broker: Broker, peers: Loop, tmp_path: Path
) -> None:
    device = bridges.device("CAM-1", "camera")
    body = peer.Body(awake=True, wakes_s=0.4)
    _, port = peers.call(peer.over_ip(body))
    part = rig.camera(port, privacy="standby", tally=False)
    with bridges.bridge(broker), rig.gateway(broker, tmp_path, [part]):
        eventually(lambda: reported(device).get("privacy") is False)

        outcome = send(device, power=True, privacy=True, tally="off", pan=0, tilt=0, zoom=0)
        eventually(lambda: outcome() == ("done", ""))
        assert (body.awake, reported(device)["privacy"]) == (False, True)

        outcome = send(device, power=True, privacy=False, pan=20)
        eventually(lambda: outcome() == ("done", ""))
        assert (body.awake, body.pan) == (True, 288)


def _acks(party: bridges.Party) -> list[tuple[str, str]]:
    """All answers but that an order was taken."""
    said = [(body["st"], body.get("code", "")) for body in party.bodies("ack")]
    return [s for s in said if s[0] != "accepted"]
