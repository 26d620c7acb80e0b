"""QoS 1 messages per second that the bridge commits, against a bare paho that only counts them.

Both receive the same flood of device states from the same broker, one after the other, on the same
machine; the publisher is a process of its own. `ours` has each state in PostgreSQL (shadow, live
topics) before it is acknowledged. `cpu_ms` is what our process and the bare receiver spend on one
message (user + system): on a busy machine it says more than the rates. The database is not in it.
"""

import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.waiting import eventually

MESSAGES = 20_000
DEVICES = 500
PATIENCE_S = 120.0


def run() -> dict[str, Any]:
    """Measure in a process of its own: it needs a database that nobody else has."""
    from base_ops.embedded import postgres

    with tempfile.TemporaryDirectory(prefix="bo-bench-") as folder:
        Path(folder).chmod(0o711)
        cluster = postgres.Cluster(Path(folder) / "pg")
        with postgres.running(cluster, log=Path(folder) / "pg.log"):
            environment = {
                **os.environ,
                "DATABASE_URL": cluster.url,
                "BASE_OPS_SECRET_KEY": secrets.token_urlsafe(48),
                "BASE_OPS_STATE_DIR": folder,
                "DJANGO_SETTINGS_MODULE": "base_ops.settings",
                "MQTT_URL": "",
            }
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.bench_bridge"],
                env=environment,
                stdout=subprocess.PIPE,
                check=True,
            )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def measure() -> dict[str, Any]:
    """Both rates, and their ratio."""
    import django

    django.setup()
    from django.core.management import call_command

    from tests import brokers

    call_command("migrate", verbosity=0)
    _register()
    with brokers.running() as broker:
        limit = _bare_rate(broker.port)
        ours = _bridge_rate(broker.port)
    return {
        "name": "bridge: QoS 1 states committed, against a bare paho receiver",
        "ours": round(ours.per_s),
        "limit": round(limit.per_s),
        "ratio": round(ours.per_s / limit.per_s, 3),
        "unit": "messages/s",
        "cpu_ms": round(ours.cpu_ms, 3),
        "limit_cpu_ms": round(limit.cpu_ms, 3),
    }


def _register() -> None:
    from devices.models import Device, DeviceModel
    from tests import make

    model = DeviceModel.objects.create(code="LT", kind="light", brand="x", model="x", name_zh="x")
    rooms = [make.space() for _ in range(25)]
    Device.objects.bulk_create(
        Device(code=f"BENCH-{n:04d}", kind="light", role="key", model=model, space=rooms[n % 25])
        for n in range(DEVICES)
    )


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast, and at what cost for each message."""

    per_s: float
    cpu_ms: float


def _bare_rate(port: int) -> Speed:
    count = 0

    def received(*_: object) -> None:
        nonlocal count
        count += 1

    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    ready = threading.Event()
    client.on_message, client.on_subscribe = received, lambda *_: ready.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    eventually(client.is_connected)
    client.subscribe("wb1/#", qos=1)
    ready.wait(5)
    try:
        return _timed(port, lambda: count)
    finally:
        client.disconnect()
        client.loop_stop()


def _bridge_rate(port: int) -> Speed:
    from base_ops.core import clock
    from devices.bridge.line import Address
    from devices.bridge.service import Bridge, Setup

    bridge, stop = Bridge(Setup(Address("127.0.0.1", port)), clock.now), threading.Event()
    thread = threading.Thread(target=bridge.run, args=(stop,))
    thread.start()
    try:
        eventually(lambda: bridge.connected)
        return _timed(port, lambda: bridge.tally.processed)
    finally:
        stop.set()
        thread.join()


def _timed(port: int, count: Any) -> Speed:
    """From the first to the last message that `count` has counted."""
    command = [sys.executable, "-m", "benchmarks.flood", str(port), str(MESSAGES), str(DEVICES)]
    with subprocess.Popen(command) as flood:  # noqa: S603 - our own module
        deadline = time.monotonic() + PATIENCE_S
        began = first = used = 0.0
        while count() < MESSAGES:
            if not began and count():
                began, first, used = time.monotonic(), count(), time.process_time()
            if time.monotonic() > deadline:
                raise TimeoutError(f"{count()} of {MESSAGES} messages in {PATIENCE_S} s")
            time.sleep(0.02)
        took_s, used_s = time.monotonic() - began, time.process_time() - used
        flood.wait(10)
    return Speed((MESSAGES - first) / took_s, used_s * 1000 / (MESSAGES - first))


if __name__ == "__main__":
    print(json.dumps(measure()))  # noqa: T201  # the answer to run()
