"""What a client can ask for costs us a bounded amount."""

import json

import pytest

from base_ops.core.models import Role
from tests import make
from tests.live.client import machine, page, publish, resident_bytes, small_buffer
from tests.waiting import eventually
from tests.web_server import WebServer

pytestmark = pytest.mark.django_db(transaction=True)

BIG = "x" * 300_000
WISHES = 400
MOST_GROWTH_BYTES = 40 * 1024 * 1024


def test_asking_for_snapshots_without_reading_them_fills_no_memory(server: WebServer) -> None:
    publish("space.G1", PAD=BIG)
    user = make.user(Role.MANAGER)
    wish = json.dumps({"t": "sub", "topic": "space.G1"})

    with (
        machine(server, user, sock=small_buffer(server), max_queue=1, compression=None) as greedy,
        page(server, user) as other,
    ):
        before = resident_bytes(server)
        for _ in range(WISHES):
            greedy.connection.send(wish)
        other.follow("space.G1")
        other.await_("snap")
        growth = resident_bytes(server) - before

        assert growth < MOST_GROWTH_BYTES, f"{growth / 2**20:.0f} MiB"


def test_there_is_a_most_of_topics(server: WebServer) -> None:
    with page(server, make.user(Role.MANAGER)) as mine:
        answers = [mine.follow(f"space.M{n}") for n in range(201)]

    assert {answer["t"] for answer in answers[:200]} == {"ok"}
    assert answers[200]["code"] == "too_many_topics"


def test_a_page_that_left_leaves_nothing_behind(server: WebServer) -> None:
    user = make.user(Role.MANAGER)

    def sockets() -> float:
        with server.client() as client:
            lines = client.get("/metrics").text.splitlines()
        return float(next(x for x in lines if x.startswith("base_ops_live_sockets ")).split()[1])

    for _ in range(5):
        with page(server, user) as mine:
            mine.follow("alarms")
            mine.connection.socket.close()

    eventually(lambda: sockets() == 0)
