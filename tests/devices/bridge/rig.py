"""Runs the parts that are processes in production as threads of a test, and talks to them."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import paho.mqtt.client as mqtt
from django.db import connection
from paho.mqtt.enums import CallbackAPIVersion

from base_ops.core import clock
from devices.bridge.line import parse_address
from devices.bridge.service import Bridge, Setup
from devices.edge.client import Address
from devices.models import Device, DeviceModel
from devices.simulator import fleet
from devices.simulator.device import SimDevice
from devices.simulator.fleet import Member
from devices.simulator.plan import Spec
from tests import make
from tests.brokers import Broker
from tests.waiting import eventually

MODELS = {"light": "LT-KEY-160", "encoder": "ENC-1CH", "power_meter": "PM-1P", "camera": "CAM-PTZ"}


def device(code: str, kind: str = "light", **changes: Any) -> Device:
    """Register a device in a room of its own, unless told which."""
    model, _ = DeviceModel.objects.get_or_create(
        code=MODELS[kind],
        defaults={"kind": kind, "brand": "x", "model": "x", "name_zh": kind},
    )
    fields = {"code": code, "kind": kind, "role": "key", "model": model}
    if "space" not in changes:
        changes["space"] = make.space()
    return Device.objects.create(**fields | changes)


def spec(row: Device) -> Spec:
    """The simulated twin of a registered device."""
    assert row.space is not None
    assert row.model is not None
    return Spec(row.code, row.kind, row.role, row.model.code, row.space.code, 100.0)


def database_url() -> str:
    """The address of the test database, for a process of its own."""
    server, _, options = os.environ["DATABASE_URL"].partition("?")
    base = server.rsplit("/", 1)[0]
    return f"{base}/{connection.settings_dict['NAME']}" + (f"?{options}" if options else "")


@contextlib.contextmanager
def bridge(broker: Broker, **options: Any) -> Iterator[Bridge]:
    """A running bridge, connected; stopped in the end, also when the broker is gone."""
    running = Bridge(Setup(parse_address(broker.url), **options), clock.now)
    stop = threading.Event()
    thread = threading.Thread(target=running.run, args=(stop,), name="bridge")
    thread.start()
    try:
        eventually(lambda: running.connected, why="bridge connects")
        yield running
    finally:
        stop.set()
        thread.join(timeout=10)
        assert not thread.is_alive()


class Reachable(Protocol):
    """A broker, or what stands before it."""

    @property
    def url(self) -> str:
        """For MQTT_URL."""


@contextlib.contextmanager
def bridge_process(broker: "Reachable", *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """`manage.py run_bridge`; killed in the end when it has not ended."""
    argv = [sys.executable, "manage.py", "run_bridge", "--mqtt", broker.url, *options]
    environment = os.environ | {"DATABASE_URL": database_url()}
    with subprocess.Popen(argv, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


@dataclass
class Play:
    """A fleet in a thread of its own."""

    fleet: fleet.Fleet
    loop: asyncio.AbstractEventLoop

    def by_code(self, code: str) -> Member:
        """One member."""
        return next(m for m in self.fleet.members if m.device.spec.code == code)

    def device(self, code: str) -> SimDevice:
        """One simulated device."""
        return self.by_code(code).device


@contextlib.contextmanager
def simulator(broker: Broker, rows: Sequence[Device]) -> Iterator[Play]:
    """These devices, simulated and connected."""
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    setup = fleet.Setup(Address("127.0.0.1", broker.port))
    running = fleet.Fleet(fleet.build([spec(r) for r in rows], 1), setup, clock.now)
    thread = threading.Thread(target=loop.run_until_complete, args=(running.run(stop),))
    thread.start()
    try:
        eventually(lambda: running.online == len(rows), why="fleet connects")
        yield Play(running, loop)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=10)
        assert not thread.is_alive()
        loop.close()


@contextlib.contextmanager
def party(broker: Broker, *, listen: str = "") -> Iterator["Party"]:
    """Anybody else on the broker: says anything, and hears what is said on `listen`."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    heard: list[mqtt.MQTTMessage] = []
    client.on_message = lambda _c, _u, message: heard.append(message)
    subscribed = threading.Event()
    client.on_subscribe = lambda *_: subscribed.set()
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    try:
        if listen:
            eventually(client.is_connected)
            client.subscribe(listen, qos=1)
            assert subscribed.wait(30)
        yield Party(client, heard)
    finally:
        client.disconnect()
        client.loop_stop()


@dataclass
class Party:
    """A plain MQTT client."""

    client: mqtt.Client
    heard: list[mqtt.MQTTMessage]

    def listen(self, topics: str) -> None:
        """Hear what is said on more topics, or on the same after the broker was started again."""
        subscribed = threading.Event()
        self.client.on_subscribe = lambda *_: subscribed.set()
        self.client.subscribe(topics, qos=1)
        assert subscribed.wait(30)

    def say(self, topic: str, body: Any, *, qos: int = 1, retain: bool = False) -> None:
        """Publish bytes as they are, anything else as JSON, and wait for the broker to take it."""
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.client.publish(topic, payload, qos=qos, retain=retain).wait_for_publish(5)

    def bodies(self, leaf: str) -> list[dict[str, Any]]:
        """What was said on topics that end so."""
        return [json.loads(m.payload) for m in list(self.heard) if m.topic.endswith(f"/{leaf}")]
