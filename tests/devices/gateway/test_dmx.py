"""Dimmers: received by receivers that we did not write, byte for byte and in time."""

import asyncio
import itertools
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sacn as foreign_sacn
from hypothesis import given
from hypothesis import strategies as st
from sacn.messages.data_packet import DataPacket
from stupidArtnet import StupidArtnetServer

from base_ops.core import clock
from base_ops.core.actors import SYSTEM
from devices import services
from devices.domain.gear import artnet, dmx, sacn
from devices.domain.gear.dmx import Fade, Fixture, Look
from devices.gateway.drivers.dmx import KEEPALIVE_S, Output, Universe
from devices.models import Command, Device, Shadow
from tests.brokers import Broker
from tests.devices.bridge import rig as bridges
from tests.devices.gateway import rig
from tests.waiting import eventually

WHITE = Fixture(1, ("intensity",))
TUNABLE = Fixture(10, ("intensity", "cct"))
COLOUR = Fixture(20, ("intensity", "red", "green", "blue"))
CID = UUID(int=0x0123456789ABCDEF0123456789ABCDEF)


def light(driver: str, port: int, **changes: Any) -> dict[str, Any]:
    common = {
        "code": "L1",
        "driver": driver,
        "model": "LT-KEY-160",
        "host": "127.0.0.1",
        "port": port,
        "universe": 7,
        "address": 10,
        "channels": ["intensity", "cct"],
        "poll_s": 0.1,
        "observe_s": 5.0,
    }
    return common | ({"polled": False} if driver == "artnet" else {}) | changes


def udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def reported(device: Device) -> dict[str, Any]:
    return Shadow.objects.filter(device=device).values_list("reported", flat=True).first() or {}


def send(device: Device, **state: Any) -> Callable[[], tuple[str, str]]:
    command = services.send_command(device=device, state=state, actor=SYSTEM, now=clock.now())

    def outcome() -> tuple[str, str]:
        row = Command.objects.get(pk=command.pk)
        return row.status, row.code

    return outcome


Receiver = tuple[str, int, Callable[[], bytes]]


@pytest.fixture(params=["artnet", "sacn"])
def receiver(request: pytest.FixtureRequest) -> Iterator[Receiver]:
    """Somebody else's receiver of universe 7: driver, port, the levels it has now."""
    port = udp_port()
    if request.param == "artnet":
        server = StupidArtnetServer(port)
        server.listeners = []  # its class shares one list, and clears it when any of them dies
        number = server.register_listener(7)
        eventually(lambda: server.socket_server is not None)
        yield "artnet", port, lambda: bytes(server.get_buffer(number))
        server.listen = False
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"end", ("127.0.0.1", port))
        server.close()
        server.socket_server.close()
        return
    got: list[DataPacket] = []
    receiving = foreign_sacn.sACNreceiver(bind_address="127.0.0.1", bind_port=port)
    receiving.listen_on("universe", universe=7)(got.append)
    receiving.start()
    yield "sacn", port, lambda: bytes(got[-1].dmxData) if got else b""
    receiving.stop()


@pytest.mark.django_db(transaction=True)
def test_a_light_is_set_faded_and_reported(
    receiver: Receiver, broker: Broker, tmp_path: Path
) -> None:
    driver, port, levels = receiver
    device = bridges.device("L1", "light")
    extra = {"artnet": {"bind": "127.0.0.1", "port": udp_port()}}
    with bridges.bridge(broker), rig.gateway(broker, tmp_path, [light(driver, port)], **extra):
        eventually(lambda: reported(device).get("power") is False)

        outcome = send(device, power=True, brightness=80, cct=4400, fade_ms=0)
        eventually(lambda: outcome() == ("done", ""))
        eventually(lambda: levels()[9:11] == bytes((204, 128)))
        assert sum(levels()) == 204 + 128  # nothing else in the universe
        assert (reported(device)["brightness"], reported(device)["cct"]) == (80, 4400)

        began = time.monotonic()
        outcome = send(device, brightness=20, fade_ms=1000)
        seen = set[int]()
        while outcome() != ("done", ""):
            seen.add(levels()[9])
            assert time.monotonic() < began + 10
        assert levels()[9] == 51
        assert len(seen) > 5  # it went there, it did not jump

        outcome = send(device, power=False)
        eventually(lambda: outcome() == ("done", ""))
        eventually(lambda: levels()[9] == 0)

        outcome = send(device, power=True, mode="rgb", rgb=[255, 0, 0])
        eventually(lambda: outcome() == ("rejected", "no_colours"))
        outcome = send(device, cct=9000)
        eventually(lambda: outcome() == ("rejected", "beyond_cct"))


@pytest.mark.parametrize("on_stop", ["hold", "off"])
def test_a_light_outlives_the_gateway_or_not_as_configured(
    receiver: Receiver, broker: Broker, tmp_path: Path, on_stop: str
) -> None:
    driver, port, levels = receiver
    part = light(driver, port, on_stop=on_stop)
    extra = {"artnet": {"bind": "127.0.0.1", "port": udp_port()}}
    order = {"id": "X1", "exp": 4_000_000_000_000, "op": "set"}
    with (
        rig.gateway(broker, tmp_path, [part], **extra) as gateway,
        bridges.party(broker, listen="wb1/d/L1/ack") as anyone,
    ):
        eventually(lambda: gateway.by_code("L1").linked)
        state = {"power": True, "brightness": 100, "fade_ms": 0}
        anyone.say("wb1/d/L1/cmd", order | {"state": state})
        eventually(lambda: levels()[9:10] == b"\xff")

    eventually(lambda: levels()[9] == (255 if on_stop == "hold" else 0))
    with rig.gateway(broker, tmp_path, [part], **extra):  # and it comes back as it was
        eventually(lambda: levels()[9] == 255)


def node_reply(port: int) -> bytes:
    """An ArtPollReply, laid out by the table of the Art-Net 4 document."""
    head = b"Art-Net\x00" + struct.pack("<H", 0x2100) + bytes((127, 0, 0, 1))
    head += struct.pack("<H", 0x1936) + bytes((1, 9)) + bytes(8)  # version, switches, oem, esta
    names = b"Dimmer 1".ljust(18, b"\x00") + b"Dimmer rack one".ljust(64, b"\x00")
    return head + names + b"#0001 [0000] ok".ljust(64, b"\x00") + bytes(239 - 172)


def test_a_polled_node_that_falls_silent_is_offline(broker: Broker, tmp_path: Path) -> None:
    bound = udp_port()
    node = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    node.bind(("127.0.0.1", 0))
    node.settimeout(0.05)
    answering, stop = threading.Event(), threading.Event()
    answering.set()

    def live() -> None:
        while not stop.is_set():
            try:
                packet, sender = node.recvfrom(2048)
            except TimeoutError:
                continue
            if packet == b"Art-Net\x00\x00\x20\x00\x0e\x00\x00" and answering.is_set():
                node.sendto(node_reply(bound), sender)

    thread = threading.Thread(target=live)
    thread.start()
    part = light("artnet", node.getsockname()[1], polled=True)
    try:
        with (
            bridges.party(broker, listen="wb1/d/L1/$status") as anyone,
            rig.gateway(
                broker, tmp_path, [part], artnet={"bind": "127.0.0.1", "port": bound}
            ) as gateway,
        ):
            eventually(lambda: gateway.by_code("L1").linked)
            answering.clear()
            eventually(lambda: not gateway.by_code("L1").linked, 15)
            eventually(lambda: anyone.bodies("$status")[-1]["online"] is False)
    finally:
        stop.set()
        thread.join()
        node.close()


class Wire:
    """Notes each frame and when it was sent."""

    def __init__(self) -> None:
        self.frames: list[tuple[float, bytes]] = []
        self.gone = 0

    def send(self, levels: bytes) -> None:
        self.frames.append((time.monotonic(), levels))

    def goodbye(self) -> None:
        self.gone += 1

    def close(self) -> None:
        self.gone += 1

    def heard_s_ago(self) -> float | None:
        return None


async def test_levels_are_sent_again_every_second_and_never_faster_than_dmx() -> None:
    wire = Wire()
    still = Output(WHITE, Fade(Look(1), Look(1), 0, 0))
    universe = Universe(wire, outputs=[still])
    task = asyncio.create_task(universe.run())
    clock_ = asyncio.get_running_loop()

    until = clock_.time() + 2.2 * KEEPALIVE_S
    while clock_.time() < until:  # nothing changes but somebody says so all the time
        await asyncio.sleep(KEEPALIVE_S * 0.55)
        for _ in range(50):
            universe.changed.set()
            await asyncio.sleep(0)
    task.cancel()

    times = [at for at, _ in wire.frames]
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert max(gaps) <= 1.0
    assert min(gaps) >= 1 / 44 - 0.002
    assert all(len(levels) == 512 for _, levels in wire.frames)


def test_sacn_is_byte_for_byte_what_a_foreign_sender_makes() -> None:
    levels = bytes(range(256)) * 2
    theirs = DataPacket(
        tuple(CID.bytes), "base-ops", 7, dmxData=tuple(levels), priority=120, sequence=9
    )

    ours = sacn.data(sacn.Source(CID, "base-ops"), 7, 9, levels, priority=120)

    assert ours == bytes(theirs.getBytes())


def test_the_last_sacn_packets_say_that_we_stop() -> None:
    packet = sacn.data(sacn.Source(CID, "x"), 7, 1, bytes(512), terminated=True)

    read = DataPacket.make_data_packet(tuple(packet))

    assert read.option_StreamTerminated
    assert sacn.group(63999) == "239.255.249.255"


def test_art_dmx_is_the_documents_layout() -> None:
    packet = artnet.dmx(0x0102, 5, bytes((1, 2)))

    assert packet.hex() == "4172742d4e6574000050000e0500020100020102"


def test_a_poll_reply_is_read() -> None:
    reply = artnet.read_poll_reply(node_reply(1))

    assert (reply.short_name, reply.firmware) == ("Dimmer 1", "1.9")


@pytest.mark.parametrize(
    ("fixture", "look", "expected"),
    [
        (WHITE, Look(0.5), [128]),
        (Fixture(1, ("intensity", "intensity_fine")), Look(0.5), [128, 0]),
        (TUNABLE, Look(1, "cct", 3200), [255, 0]),
        (TUNABLE, Look(1, "cct", 4400), [255, 128]),
        (TUNABLE, Look(1, "cct", 9000), [255, 255]),
        (Fixture(1, ("warm", "cool")), Look(0.5, "cct", 4400), [64, 64]),
        (COLOUR, Look(1, "rgb", rgb=(255, 0, 51)), [255, 255, 0, 51]),
        (COLOUR, Look(0.4, "cct"), [102, 255, 255, 255]),
        (Fixture(1, ("red", "green", "blue")), Look(0.5, "rgb", rgb=(255, 0, 255)), [128, 0, 128]),
        (Fixture(1, ("red", "green", "blue", "white")), Look(0.5), [0, 0, 0, 128]),
        (Fixture(1, ("full", "zero", "intensity")), Look(1), [255, 0, 255]),
    ],
)
def test_a_look_becomes_channels(fixture: Fixture, look: Look, expected: list[int]) -> None:
    assert list(dmx.levels(fixture, look)) == expected


shares = st.floats(0, 1)
looks = st.builds(
    Look,
    level=shares,
    mode=st.sampled_from(["cct", "rgb"]),
    cct=st.floats(2500, 10000),
    rgb=st.tuples(*[st.floats(0, 255)] * 3),
)
channels = st.lists(st.sampled_from(dmx.CHANNELS), max_size=9).map(lambda c: ("intensity", *c))


@given(channels, looks, looks, st.floats(-1, 3), st.floats(0, 2))
def test_a_fade_stays_between_its_ends_and_within_bytes(
    names: tuple[dmx.Channel, ...], before: Look, after: Look, now_s: float, seconds: float
) -> None:
    fixture = Fixture(1, names)

    look = Fade(before, after, 0.0, seconds).at(now_s)

    low, high = sorted((before.level, after.level))
    assert low - 1e-9 <= look.level <= high + 1e-9
    assert len(dmx.levels(fixture, look)) == len(names)


def test_numbers_run_round() -> None:
    numbers = [0]
    for _ in range(600):
        numbers.append(artnet.next_sequence(numbers[-1]))

    assert set(numbers[1:]) == set(range(1, 256))
    assert sacn.next_sequence(255) == 0


@pytest.mark.parametrize(
    ("address", "names"), [(0, ("intensity",)), (512, ("intensity", "cct")), (1, ("cct",))]
)
def test_a_fixture_that_cannot_be_is_refused(address: int, names: tuple[dmx.Channel, ...]) -> None:
    with pytest.raises(ValueError, match=r"address|light"):
        Fixture(address, names)
