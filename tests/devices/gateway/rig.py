"""A gateway as a thread of a test, between a real broker and peers on real sockets."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from base_ops.core import clock
from devices.edge.client import parse_address
from devices.gateway import config
from devices.gateway.service import Gateway, Setup
from tests.brokers import Broker
from tests.waiting import eventually

SECRETS = {"PW": "supersecretpassword", "KEY": "live-key-5f2a9c"}


@contextlib.contextmanager
def gateway(
    broker: Broker, folder: Path, gear: list[dict[str, Any]], **rest: Any
) -> Iterator[Gateway]:
    """Running and on the broker; stopped in the end as a signal does."""
    wanted = config.parse({"gear": gear, **rest}, SECRETS)
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    address, _ = parse_address(broker.url)
    running = Gateway(wanted, Setup(address, folder), clock.now)
    failures: list[Exception] = []

    def work() -> None:
        try:
            loop.run_until_complete(running.run(stop))
        except Exception as exc:  # noqa: BLE001 - raised again below, in the test's thread
            failures.append(exc)

    thread = threading.Thread(target=work, name="gateway")
    thread.start()
    try:
        eventually(lambda: failures or running.online == len(gear), why="gateway connects")
        yield running
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=10)
        assert not thread.is_alive()
        loop.close()
        assert not failures, failures


def camera(port: int, **changes: Any) -> dict[str, Any]:
    """The part of a VISCA camera."""
    part: Mapping[str, Any] = {
        "code": "CAM-1",
        "driver": "visca",
        "model": "CAM-PTZ",
        "host": "127.0.0.1",
        "port": port,
        "poll_s": 0.2,
        "observe_s": 3.0,
        "timeout_s": 0.1,
    }
    return {**part, **changes}
