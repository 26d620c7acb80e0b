"""The broker that `./run` starts where none is given."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import publish, subscribe
from paho.mqtt.client import MQTTv5

from base_ops.embedded import broker
from tests.brokers import free_port
from tests.platform.bases import ROOT
from tests.waiting import eventually


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A running broker."""
    found = free_port()
    process = subprocess.Popen(broker.command(tmp_path, found), cwd=ROOT)
    try:
        eventually(lambda: broker.answers(found), 30)
        yield found
    finally:
        process.kill()
        process.wait()


def test_it_keeps_what_is_retained_and_speaks_mqtt_5(port: int) -> None:
    publish.single(
        "wb1/d/x/state", b"hello", qos=1, retain=True, hostname="127.0.0.1", port=port,
        protocol=MQTTv5,
    )  # fmt: skip

    assert kept("wb1/#", port) == b"hello"


def test_it_takes_two_megabytes(port: int) -> None:
    big = b"x" * 2_000_000
    publish.single(
        "big", big, qos=1, retain=True, hostname="127.0.0.1", port=port, protocol=MQTTv5
    )

    assert kept("big", port) == big


def kept(topic: str, port: int) -> bytes:
    """The retained message of a topic."""
    ask: Any = subscribe.simple  # paho leaves it untyped
    heard = ask(topic, qos=1, hostname="127.0.0.1", port=port, protocol=MQTTv5)
    return bytes(heard.payload)
