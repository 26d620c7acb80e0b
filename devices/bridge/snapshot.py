"""What the broker kept, read by a short second line after each connect.

At QoS 0, because rumqttd cuts the retained messages of a QoS 1 subscription off at its window of
100. They are no signs of life, and the newest version of a state wins, so it does not matter that
they arrive beside the live messages.
"""

import logging
import threading
import time
from collections.abc import Sequence

import paho.mqtt.client as mqtt
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from devices.bridge.inbox import Inbox
from devices.bridge.line import Address, as_received, new_client

logger = logging.getLogger(__name__)
TOPICS = ("wb1/d/+/$meta", "wb1/d/+/$status", "wb1/d/+/state", "wb1/d/+/cmd")
QUIET_S = 1.0
LONGEST_S = 20.0


def read_snapshot(
    address: Address,
    client_id: str,
    inbox: Inbox,
    stop: threading.Event,
    topics: Sequence[str] = TOPICS,
) -> int:
    """Put all retained messages into the inbox; returns how many came before it went quiet.

    Raises:
        OSError: the broker is gone again; the main line will notice too.
    """
    reader = _Reader(inbox, [(topic, 0) for topic in topics])
    client = new_client(address, client_id)
    client.on_connect, client.on_message = reader.connected, reader.received
    client.connect(address.host, address.port, keepalive=30)
    client.loop_start()
    began = time.monotonic()
    while not stop.wait(0.1):
        now = time.monotonic()
        if now - max(reader.last_at, began) > QUIET_S or now - began > LONGEST_S:
            break
    client.disconnect()
    client.loop_stop()
    logger.info("bridge.snapshot", extra={"retained": reader.count})
    return reader.count


class _Reader:
    """Counts and passes on; live messages are left to the main line."""

    def __init__(self, inbox: Inbox, topics: list[tuple[str, int]]) -> None:
        self._inbox, self._topics = inbox, topics
        self.last_at, self.count = 0.0, 0

    def connected(
        self,
        client: mqtt.Client,
        userdata: object,
        flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        client.subscribe(self._topics)

    def received(self, client: mqtt.Client, userdata: object, message: mqtt.MQTTMessage) -> None:
        if message.retain:
            self.last_at, self.count = time.monotonic(), self.count + 1
            self._inbox.put(as_received(message, 0))
