"""OBS and an HTTP encoder behind the gateway: run, rate, target and the end of the right."""

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from base_ops.core import clock
from base_ops.core.actors import Actor
from devices import services
from devices.models import Command, Device, Shadow
from tests import make
from tests.brokers import Broker
from tests.devices import make as devices
from tests.devices.bridge import rig as bridges
from tests.devices.gateway import rig
from tests.devices.gateway.peers import magewell, obs
from tests.devices.gateway.peers.loops import Loop
from tests.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)

TARGETS = {"booking:*": {"url": "rtmps://live.example.cn/app", "key": {"env": "KEY"}}}
KEY = rig.SECRETS["KEY"]


@dataclass
class Peer:
    """An encoder of either family, as a test looks at it."""

    part: dict[str, Any]
    streams: Callable[[], bool]
    aimed_at: Callable[[], tuple[str, str]]


@pytest.fixture(params=["obs", "magewell"])
def peer(request: pytest.FixtureRequest, peers: Loop) -> Iterator[Peer]:
    common = {
        "code": "ENC-1",
        "model": "ENC-1CH",
        "host": "127.0.0.1",
        "poll_s": 0.2,
        "observe_s": 3.0,
        "password": {"env": "PW"},
    }
    if request.param == "obs":
        studio = obs.Studio()
        port = peers.call(obs.start(studio))
        part = {**common, "driver": "obs", "port": port}
        yield Peer(
            part,
            lambda: studio.active,
            lambda: (studio.service["server"], studio.service["key"]),
        )
        return
    box = magewell.Box()
    with magewell.running(box) as port:
        part = {**common, "driver": "magewell", "port": port, "server": 3}
        yield Peer(part, lambda: box.living, lambda: (box.server["url"], box.server["key"]))


def reported(device: Device) -> dict[str, Any]:
    return Shadow.objects.filter(device=device).values_list("reported", flat=True).first() or {}


def send(device: Device, actor: Actor, **state: Any) -> Callable[[], tuple[str, str]]:
    command = services.send_command(device=device, state=state, actor=actor, now=clock.now())

    def outcome() -> tuple[str, str]:
        row = Command.objects.get(pk=command.pk)
        return row.status, row.code

    return outcome


def holder(device: Device) -> Actor:
    """Somebody who holds the room for an hour."""
    tenant_id = make.tenant().pk
    assert device.space is not None
    services.grant_control(
        space=device.space,
        tenant_id=tenant_id,
        booking_code="BK-1",
        until=clock.now() + timedelta(hours=1),
        now=clock.now(),
    )
    return devices.tenant_actor(tenant_id)


def ms(seconds: float) -> int:
    return round((clock.now() + timedelta(seconds=seconds)).timestamp() * 1000)


def test_a_show_starts_is_measured_and_stops(broker: Broker, peer: Peer, tmp_path: Path) -> None:
    device = bridges.device("ENC-1", "encoder")
    tenant = holder(device)
    with (
        bridges.bridge(broker),
        rig.gateway(broker, tmp_path, [peer.part], targets=TARGETS),
        bridges.party(broker, listen="wb1/d/ENC-1/tele") as anyone,
    ):
        eventually(lambda: reported(device).get("run") == "stopped")

        outcome = send(device, tenant, kbps=4500, w=1280, h=720, fps=50, target_ref="booking:BK-1")
        eventually(lambda: outcome() == ("done", ""))
        assert peer.aimed_at() == ("rtmps://live.example.cn/app", KEY)
        seen = reported(device)
        assert (seen["w"], seen["h"], seen["fps"], seen["kbps"]) == (1280, 720, 50.0, 4500)
        assert seen["target_ref"] == "booking:BK-1"

        outcome = send(device, tenant, run="live", until=ms(600))
        eventually(lambda: outcome() == ("done", ""))
        assert peer.streams()
        assert reported(device)["run"] == "live"
        tele = eventually(lambda: [m for m in anyone.bodies("tele") if "kbps" in m["m"]])
        assert tele[-1]["m"]["kbps"] > 100
        assert "dropped_pct" in tele[-1]["m"]

        outcome = send(device, tenant, run="stopped", target_ref=None)
        eventually(lambda: outcome() == ("done", ""))
        assert not peer.streams()
        assert peer.aimed_at()[1] == ""
        assert reported(device)["target_ref"] is None


def test_at_until_it_stops_and_forgets_the_key_with_nobody_else_alive(
    broker: Broker, peer: Peer, tmp_path: Path
) -> None:
    with (
        rig.gateway(broker, tmp_path, [peer.part], targets=TARGETS) as gateway,
        bridges.party(broker, listen="wb1/d/ENC-1/#") as anyone,
    ):
        eventually(lambda: gateway.by_code("ENC-1").linked)
        anyone.say("wb1/d/ENC-1/cmd", order(run="live", target_ref="booking:7", until=ms(1.5)))
        eventually(peer.streams)

        broker.kill()  # no bridge, and now no broker

        eventually(lambda: not peer.streams())
        eventually(lambda: peer.aimed_at()[1] == "")


def test_at_until_it_stops_also_when_the_gateway_was_away_at_that_moment(
    broker: Broker, peer: Peer, tmp_path: Path
) -> None:
    with (
        rig.gateway(broker, tmp_path, [peer.part], targets=TARGETS) as gateway,
        bridges.party(broker, listen="wb1/d/ENC-1/#") as anyone,
    ):
        eventually(lambda: gateway.by_code("ENC-1").linked)
        anyone.say("wb1/d/ENC-1/cmd", order(run="live", target_ref="booking:7", until=ms(1.5)))
        eventually(peer.streams)
    assert peer.streams()  # the gateway leaves, the show goes on

    with rig.gateway(broker, tmp_path, [peer.part], targets=TARGETS):
        eventually(lambda: not peer.streams())


def test_a_later_until_keeps_the_stream(broker: Broker, peer: Peer, tmp_path: Path) -> None:
    with (
        rig.gateway(broker, tmp_path, [peer.part], targets=TARGETS) as gateway,
        bridges.party(broker, listen="wb1/d/ENC-1/state") as anyone,
    ):
        eventually(lambda: gateway.by_code("ENC-1").linked)
        first, later = ms(1.5), ms(600)
        anyone.say("wb1/d/ENC-1/cmd", order(run="live", until=first))
        anyone.say("wb1/d/ENC-1/cmd", order(run="live", until=later, id="X2"))
        eventually(lambda: anyone.bodies("state")[-1]["state"]["until"] == later)

        eventually(lambda: clock.now().timestamp() * 1000 > first + 1000)

        assert peer.streams()


def test_a_tenants_stream_ends_with_the_right_whatever_it_asks_for(
    broker: Broker, peer: Peer, tmp_path: Path
) -> None:
    with (
        rig.gateway(broker, tmp_path, [peer.part], targets=TARGETS) as gateway,
        bridges.party(broker, listen="wb1/d/ENC-1/state") as anyone,
    ):
        eventually(lambda: gateway.by_code("ENC-1").linked)
        end = ms(600)
        fence = {"grant": 1, "epoch": 1, "until": end}

        anyone.say("wb1/d/ENC-1/cmd", {**order(run="live", until=ms(9000)), "fence": fence})

        eventually(lambda: anyone.bodies("state")[-1]["state"]["until"] == end)


def test_an_unknown_target_is_refused_and_nothing_streams(
    broker: Broker, peer: Peer, tmp_path: Path
) -> None:
    with (
        rig.gateway(broker, tmp_path, [peer.part], targets=TARGETS) as gateway,
        bridges.party(broker, listen="wb1/d/ENC-1/ack") as anyone,
    ):
        eventually(lambda: gateway.by_code("ENC-1").linked)

        anyone.say("wb1/d/ENC-1/cmd", order(run="live", target_ref="somewhere", until=ms(600)))

        eventually(lambda: "unknown_target" in [b.get("code") for b in anyone.bodies("ack")])
        assert not peer.streams()


def test_a_key_of_the_folder_is_used_and_no_secret_is_ever_logged_said_or_kept(
    broker: Broker, peer: Peer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "the-key-of-tonight-77"
    keys = tmp_path / "keys"
    keys.mkdir()
    target = {"url": "rtmp://push.example.cn/live", "key": secret}
    (keys / "booking%3ABK-9.json").write_text(json.dumps(target))
    with (
        rig.gateway(broker, tmp_path / "state", [peer.part], targets_dir=str(keys)) as gateway,
        bridges.party(broker, listen="#") as anyone,
    ):
        eventually(lambda: gateway.by_code("ENC-1").linked)
        anyone.say("wb1/d/ENC-1/cmd", order(run="live", target_ref="booking:BK-9", until=ms(2)))
        eventually(peer.streams)
        assert peer.aimed_at() == ("rtmp://push.example.cn/live", secret)
        eventually(lambda: not peer.streams())
        eventually(lambda: peer.aimed_at()[1] == "")

    said = b"".join(m.payload for m in anyone.heard)
    kept = b"".join(path.read_bytes() for path in (tmp_path / "state").iterdir())
    for hidden in (secret, rig.SECRETS["PW"]):
        assert hidden.encode() not in said
        assert hidden.encode() not in kept
        assert hidden not in caplog.text
    assert len(caplog.records) > 3


def order(**state: Any) -> dict[str, Any]:
    number = state.pop("id", "X1")
    return {"id": number, "exp": 4_000_000_000_000, "op": "set", "state": state}
