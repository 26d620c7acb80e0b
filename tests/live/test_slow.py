"""A client that does not read costs nobody anything, and is let go."""

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from base_ops.core import live
from base_ops.core.models import Role
from tests import make
from tests.live.client import Page, machine, page, publish, resident_bytes, small_buffer
from tests.waiting import eventually
from tests.web_server import WebServer

pytestmark = pytest.mark.django_db(transaction=True)

BIG = "x" * 200_000
MOST_GROWTH_BYTES = 40 * 1024 * 1024
CHANGES = 150
SLOW = 'base_ops_live_closed_total{reason="slow"}'


@contextmanager
def reader(server: WebServer, topic: str) -> Iterator[Page]:
    """A page that is a manager's and follows the topic."""
    with page(server, make.user(Role.MANAGER)) as made:
        made.follow(topic)
        made.await_("snap", topic=topic)
        yield made


@contextmanager
def lazy_reader(server: WebServer, topic: str) -> Iterator[Page]:
    """The same, whose library and kernel take next to nothing unless it reads."""
    user = make.user(Role.MANAGER)
    with machine(server, user, sock=small_buffer(server), max_queue=1, compression=None) as made:
        made.follow(topic)
        made.await_("snap", topic=topic)
        yield made


def test_who_does_not_read_slows_nobody_costs_little_and_is_closed(server: WebServer) -> None:
    publish("alarms", A=0)
    closed = metric(server, SLOW)

    with lazy_reader(server, "alarms") as lazy, reader(server, "alarms") as quick:
        before = resident_bytes(server)
        delays_s = [seconds_until_seen(quick, x) for x in range(CHANGES)]
        growth = resident_bytes(server) - before
        eventually(lambda: metric(server, SLOW) == closed + 1, 30, why="the socket stays open")

        assert lazy.close_code() == 4408
        assert seconds_until_seen(quick, CHANGES) < 5

    assert statistics.median(delays_s) < 0.5
    assert growth < MOST_GROWTH_BYTES, f"{growth / 2**20:.0f} MiB"


def seconds_until_seen(reader: Page, x: int) -> float:
    """How long a large change takes to reach a page that reads."""
    began = time.monotonic()
    publish("alarms", A=x, PAD=BIG)
    while reader.topics["alarms"]["state"]["A"] != x:
        reader.hear()
    return time.monotonic() - began


def metric(server: WebServer, name: str) -> float:
    """The present value of one of the server's counters; 0 before its first."""
    with server.client() as client:
        text = client.get("/metrics").text
    lines = (line.rpartition(" ") for line in text.splitlines())
    return next((float(value) for label, _, value in lines if label == name), 0.0)


def test_who_pauses_gets_one_snapshot_instead_of_the_backlog(server: WebServer) -> None:
    publish("alarms", A=0)
    with lazy_reader(server, "alarms") as lazy:
        for x in range(40):
            publish("alarms", A=x, PAD=f"{x}" + BIG)
        _, seq, truth = live.state("alarms")

        state = lazy.await_seq("alarms", seq)

    frames = [m for m in lazy.seen if m["t"] in {"snap", "delta"}]
    assert state == truth
    assert len(frames) < 20
    assert frames[-1]["t"] == "snap"
