"""Our test camera is one for a VISCA client that we did not write, and for ours."""

import asyncio
import itertools
from collections.abc import Iterator

import pytest
from visca_over_ip import Camera as ForeignClient

from devices.domain.gear import visca
from devices.gateway.driver import Refused, Silent
from devices.gateway.drivers.visca import Camera, Mechanics
from devices.gateway.drivers.visca_links import Datagrams, Stream
from tests.devices.gateway.peers import camera as peer
from tests.devices.gateway.peers.loops import Loop

HOST = "127.0.0.2"  # their client listens on the same port of every other address


@pytest.fixture
def foreign(peers: Loop) -> Iterator[tuple[peer.Body, ForeignClient]]:
    """A camera, and their client on it."""
    body = peer.Body()
    _, port = peers.call(peer.over_ip(body, HOST))
    client = ForeignClient(HOST, port)
    yield body, client
    client.close_connection()


def test_a_foreign_client_commands_and_reads_our_test_camera(
    foreign: tuple[peer.Body, ForeignClient],
) -> None:
    body, client = foreign

    client.set_power(True)
    client.pantilt(12, 10, pan_position=-720, tilt_position=144)
    client.zoom_to(0.5)
    client.set_focus_mode("manual")
    client.save_preset(5)
    client.pantilt_home()
    client.recall_preset(5)

    assert client.get_pantilt_position() == (-720, 144)
    assert client.get_zoom_position() == 0x2000
    assert client.get_focus_mode() == "manual"
    assert body.awake


def test_our_codec_says_the_same_bytes_as_a_foreign_client(
    foreign: tuple[peer.Body, ForeignClient],
) -> None:
    body, client = foreign
    client.set_power(True)
    body.heard.clear()

    client.pantilt(12, 10, pan_position=-720, tilt_position=144)
    client.pantilt(-12, 0)
    client.zoom(3)
    client.zoom_to(0.25)
    client.set_focus_mode("auto")
    client.save_preset(7)
    client.recall_preset(7)
    client.pantilt_home()
    client.get_pantilt_position()
    client.get_zoom_position()

    assert body.heard == [
        visca.point(-720, 144, pan_speed=12, tilt_speed=10).hex(),
        # Theirs sends a speed of 0 for an axis that stands; ours at least 1, as the manual says.
        "810106010c000103ff",
        visca.zoom_drive(3).hex(),
        visca.zoom_to(0x1000).hex(),
        visca.focus_auto(on=True).hex(),
        visca.preset_set(7).hex(),
        visca.preset_recall(7).hex(),
        visca.home().hex(),
        visca.PAN_TILT.hex(),
        visca.ZOOM.hex(),
    ]


async def datagrams(body: peer.Body) -> tuple[peer.OverIp, Datagrams]:
    camera, port = await peer.over_ip(body)
    link = Datagrams("127.0.0.1", port, 0.1)
    await link.open()
    return camera, link


async def test_a_lost_answer_is_asked_for_again_under_the_same_number() -> None:
    body = peer.Body(awake=True)
    camera, link = await datagrams(body)

    camera.lose_replies = 2  # the acknowledgement and the completion
    answer = await link.ask(visca.zoom_to(77))

    assert answer == visca.Ack(0)
    assert body.heard.count(visca.zoom_to(77).hex()) == 1  # carried out once
    assert camera.numbers == [1, 1]
    link.close()


async def test_numbers_count_up_from_the_reset() -> None:
    camera, link = await datagrams(peer.Body(awake=True))

    for _ in range(3):
        await link.ask(visca.ZOOM)

    assert camera.numbers == [1, 2, 3]
    link.close()


async def test_a_camera_that_counts_otherwise_is_reset_and_asked_again() -> None:
    camera, link = await datagrams(peer.Body(awake=True))
    camera._last = 1000  # somebody else spoke to it

    assert await link.ask(visca.ZOOM) == visca.Data(bytes(4))
    link.close()


async def test_a_full_buffer_is_tried_again_a_little_later() -> None:
    body = peer.Body(awake=True, full=2)
    _, link = await datagrams(body)

    await link.ask(visca.zoom_to(5))

    assert body.zoom == 5
    link.close()


async def test_a_buffer_that_stays_full_refuses() -> None:
    _, link = await datagrams(peer.Body(awake=True, full=99))

    with pytest.raises(Refused, match="gear_busy"):
        await link.ask(visca.zoom_to(5))
    link.close()


async def test_nobody_there_is_silence() -> None:
    link = Datagrams("127.0.0.1", 9, 0.02)

    with pytest.raises(Silent):
        await link.open()
    link.close()


async def test_bare_tcp_splits_what_came_in_one_segment() -> None:
    body = peer.Body(awake=True)
    link = Stream("127.0.0.1", await peer.over_tcp(body), 0.5)
    await link.open()

    answers = await asyncio.gather(link.ask(visca.zoom_to(9)), link.ask(visca.ZOOM))

    assert list(answers) == [visca.Ack(1), visca.Data(b"\x00\x00\x00\x09")]
    with pytest.raises(Refused, match="not_understood"):
        await link.ask(visca.command(0x7F, 0x7F))
    link.close()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_drive_stops_by_itself(transport: str) -> None:
    body = peer.Body(awake=True)
    if transport == "udp":
        _, port = await peer.over_ip(body)
        camera = Camera(Datagrams("127.0.0.1", port, 0.2), Mechanics())
    else:
        camera = Camera(Stream("127.0.0.1", await peer.over_tcp(body), 0.2), Mechanics())
    await camera.open()

    await camera.move({"pan": -0.5, "tilt": 1, "zoom": 1, "deadman_ms": 50})
    drove = body.driving
    await asyncio.wait_for(camera.changed.wait(), 2)

    assert (drove, body.driving) == (True, False)
    assert body.heard[-2:] == [visca.stop().hex(), visca.zoom_drive(0).hex()]
    assert body.heard[-4] == "810106010c140101ff"  # left at half speed, up at full
    await camera.close()


async def test_each_new_drive_winds_the_deadman_up_again() -> None:
    body = peer.Body(awake=True)
    _, port = await peer.over_ip(body)
    camera = Camera(Datagrams("127.0.0.1", port, 0.2), Mechanics())
    await camera.open()

    for _ in range(5):
        await camera.move({"pan": 0.5, "deadman_ms": 200})
    await asyncio.wait_for(camera.changed.wait(), 2)

    stops = [b for b in body.heard if b == visca.stop().hex()]
    assert len(stops) == 1
    await camera.close()


async def test_a_stop_that_is_not_answered_is_told_again() -> None:
    body = peer.Body(awake=True)
    wire, port = await peer.over_ip(body)
    camera = Camera(Datagrams("127.0.0.1", port, 0.1), Mechanics())
    await camera.open()

    await camera.move({"pan": 0.5, "deadman_ms": 30})
    body.full = 4  # more than one patient attempt
    await asyncio.wait_for(camera.changed.wait(), 3)

    assert not body.driving
    assert len(list(itertools.groupby(wire.numbers))) >= 6
    await camera.close()


async def test_letting_go_of_a_driving_camera_stops_it() -> None:
    body = peer.Body(awake=True)
    _, port = await peer.over_ip(body)
    camera = Camera(Datagrams("127.0.0.1", port, 0.2), Mechanics())
    await camera.open()

    await camera.move({"tilt": 0.5, "deadman_ms": 1000})
    await camera.close()

    assert not body.driving
