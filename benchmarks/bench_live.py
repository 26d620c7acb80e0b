"""From a device's publish to 100 browser sockets, against a bare MQTT round trip in the same run.

The way: device → broker → bridge → PostgreSQL (committed) → NOTIFY → hub → socket. Both are
measured at 10 messages a second, from one process, with its clock.
"""

import asyncio
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks import rig

NAME = "live"
SOCKETS = 100
MESSAGES = 150
EVERY_S = 0.1
WARM = 10
PATIENCE_S = 30.0
TOPIC = "wb1/d/BENCH-1/state"
VERSION = re.compile(r'"version": ?(\d+)')


def run() -> list[dict[str, Any]]:
    """Measure in a process with a database of its own."""
    return rig.alone("benchmarks.bench_live")


def measure() -> list[dict[str, Any]]:
    """Median and 99th percentile of both ways, in milliseconds."""
    rig.prepare()
    from base_ops.core.models import Role
    from tests import brokers, make, web_server

    space = _device()
    key = web_server.session(make.user(Role.MANAGER))
    with brokers.running() as broker:
        bare = _bare(broker.port)
        with (
            web_server.running(extra={"MQTT_URL": broker.url}) as server,
            _bridge(broker.url),
        ):
            ours = asyncio.run(_through(broker.port, server.url, key, f"space.{space}"))
    return [
        {
            "name": f"live: device publish to {SOCKETS} sockets, {label}, against bare MQTT",
            "ours": (mine := _percentile(ours, share)),
            "limit": (limit := _percentile(bare, share)),
            "ratio": rig.ratio(mine, limit),
            "unit": "ms",
        }
        for label, share in (("p50", 0.50), ("p99", 0.99))
    ]


def _device() -> str:
    """One registered light in a room of its own; the room's code."""
    from devices.models import Device, DeviceModel
    from tests import make

    model = DeviceModel.objects.create(code="LT", kind="light", brand="x", model="x", name_zh="x")
    space = make.space()
    Device.objects.create(
        code="BENCH-1", kind="light", role="key", model=model, space=space, status="active"
    )
    return space.code


@contextmanager
def _bridge(url: str) -> Iterator[None]:
    """A bridge process, as `./run` starts it."""
    command = [sys.executable, "manage.py", "run_bridge", "--mqtt", url]
    with subprocess.Popen(command) as process:  # noqa: S603 - our own command
        try:
            yield
        finally:
            process.terminate()


def _client(port: int) -> mqtt.Client:
    """A connected client with its loop running."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.connect("127.0.0.1", port)
    client.loop_start()
    deadline = time.monotonic() + PATIENCE_S
    while not client.is_connected():
        if time.monotonic() > deadline:
            raise TimeoutError("no broker")
        time.sleep(0.01)
    return client


def _state(version: int) -> bytes:
    state = {"power": True, "mode": "cct", "brightness": version % 100, "cct": 5600}
    body = {"v": version, "session": "bench", "ts": int(time.time() * 1000), "state": state}
    return json.dumps(body).encode()


def _bare(port: int) -> list[float]:
    """Seconds from publish to a subscriber's callback, QoS 1."""
    sent: dict[int, float] = {}
    took: list[float] = []
    done, ready = threading.Event(), threading.Event()

    def received(_: object, __: object, message: mqtt.MQTTMessage) -> None:
        version = json.loads(message.payload)["v"]
        took.append(time.perf_counter() - sent[version])
        if version == MESSAGES:
            done.set()

    client = _client(port)
    client.on_message, client.on_subscribe = received, lambda *_: ready.set()
    client.subscribe("bare/state", qos=1)
    ready.wait(PATIENCE_S)
    for version in range(1, MESSAGES + 1):
        sent[version] = time.perf_counter()
        client.publish("bare/state", _state(version), qos=1)
        time.sleep(EVERY_S)
    if not done.wait(PATIENCE_S):
        raise TimeoutError("bare messages were lost")
    client.disconnect()
    client.loop_stop()
    return took[WARM:]


@dataclass
class _Clocks:
    """When each version was sent, and how long each socket waited for it."""

    sent: dict[int, float] = field(default_factory=dict)
    took: list[float] = field(default_factory=list)
    flowing: threading.Event = field(default_factory=threading.Event)


async def _through(port: int, url: str, key: str, topic: str) -> list[float]:
    """Seconds from publish to each socket's message."""
    from websockets.asyncio.client import connect

    clocks = _Clocks()
    async with AsyncExitStack() as stack:
        sockets = [
            await stack.enter_async_context(
                connect(
                    url.replace("http", "ws") + "/ws/v1/live",
                    subprotocols=["live.v1"],  # type: ignore[list-item]
                    origin=url,  # type: ignore[arg-type]
                    additional_headers={"Cookie": f"sessionid={key}"},
                    compression=None,
                    proxy=None,
                )
            )
            for _ in range(SOCKETS)
        ]
        for socket in sockets:
            await socket.send(json.dumps({"t": "sub", "topic": topic}))
        last = WARM + MESSAGES
        readers = [asyncio.create_task(_read(s, clocks, last)) for s in sockets]
        sender = asyncio.create_task(asyncio.to_thread(_send, port, clocks, last))
        async with asyncio.timeout(3 * PATIENCE_S + last * EVERY_S):
            await asyncio.gather(sender, *readers)
    return clocks.took


def _send(port: int, clocks: _Clocks, last: int) -> None:
    """Publish as the device does; first until anything arrives, then some to get warm."""
    client = _client(port)
    hello = {"online": True, "session": "bench", "ts": int(time.time() * 1000)}
    client.publish("wb1/d/BENCH-1/$status", json.dumps(hello), qos=1, retain=True)
    deadline = time.monotonic() + PATIENCE_S
    while not clocks.flowing.wait(EVERY_S):
        client.publish(TOPIC, _state(1), qos=1, retain=True)
        if time.monotonic() > deadline:
            raise TimeoutError("nothing comes through")
    for version in range(2, last + 1):
        clocks.sent[version] = time.perf_counter()
        client.publish(TOPIC, _state(version), qos=1, retain=True)
        time.sleep(EVERY_S)
    client.disconnect()
    client.loop_stop()


async def _read(socket: Any, clocks: _Clocks, last: int) -> None:
    """Note each version on arrival; several may come together."""
    seen = WARM
    async for frame in socket:
        arrived = time.perf_counter()
        found = VERSION.search(frame)
        version = int(found[1]) if found else 0
        if version:
            clocks.flowing.set()
        clocks.took += [arrived - clocks.sent[v] for v in range(seen + 1, version + 1)]
        seen = max(seen, version)
        if '"t":"ping"' in frame:
            await socket.send('{"t":"pong"}')
        if seen >= last:
            return


def _percentile(values: list[float], share: float) -> float:
    """In milliseconds."""
    ordered = sorted(values)
    return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)


if __name__ == "__main__":
    sys.stdout.write(f"\n{json.dumps(measure())}\n")
