"""One device's MQTT 5 connection, small enough to have a thousand of: an asyncio protocol.

It connects, announces, answers pings and acknowledges; it comes back by itself, later each time.
"""

import asyncio
import logging
import random
import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast
from urllib.parse import unquote, urlsplit

from devices.edge import packets
from devices.edge.packets import Login, Message

logger = logging.getLogger(__name__)
CONNECT_TIMEOUT_S = 10.0
BACKOFF_S = (0.5, 15.0)


@dataclass(frozen=True, slots=True)
class Address:
    """Where the broker listens."""

    host: str
    port: int
    tls: bool = False


def parse_address(url: str) -> tuple[Address, str]:
    """Where MQTT_URL leads, and its password; the name is each device's own."""
    parts = urlsplit(url)
    tls = parts.scheme == "mqtts"
    host, port = parts.hostname or "127.0.0.1", parts.port or (8883 if tls else 1883)
    return Address(host, port, tls), unquote(parts.password or "")


class Connection(asyncio.Protocol):
    """One TCP connection; everything is a callback, so an idle device costs nothing."""

    def __init__(self, login: Login, topic: str, on_message: Callable[[Message], None]) -> None:
        loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[None] = loop.create_future()
        self._login, self._topic, self._on_message = login, topic, on_message
        self._frames = packets.Frames()
        self._last_id = 1
        self._unacknowledged: dict[int, Message] = {}
        self._awaiting_ping = False
        self._drained: asyncio.Event | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(packets.connect(self._login))

    def data_received(self, data: bytes) -> None:
        """Handle all complete packets; a broken one ends the connection."""
        try:
            for first, body in self._frames.feed(data):
                self._handle(first, body)
        except packets.ProtocolError as exc:
            extra = {"client": self._login.client_id, "why": str(exc)}
            logger.warning("edge.protocol", extra=extra)
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wake whoever waits."""
        self._transport = None
        if not self.ready.done():
            self.ready.set_exception(exc or ConnectionResetError("closed before CONNACK"))
            self.ready.exception()  # whoever waited may be gone: that is no defect
        if not self.closed.done():
            self.closed.set_result(None)
        if self._drained is not None:
            self._drained.set()

    def send(self, message: Message) -> None:
        """Publish; after the connection is lost, into the void, as a device in the dark does."""
        if self._transport is None:
            return
        if message.qos:
            self._last_id = self._last_id % 65_535 + 1
            message = replace(message, packet_id=self._last_id)
            self._unacknowledged[message.packet_id] = message
        self._transport.write(packets.publish(message))

    def ping(self) -> None:
        """Ask for a sign of life; no answer to the last one means that the line is dead."""
        if self._awaiting_ping:
            self.abort()
        elif self._transport is not None:
            self._awaiting_ping = True
            self._transport.write(packets.pingreq())

    def close(self) -> None:
        """Say goodbye: the broker does not send the will."""
        if self._transport is not None:
            self._transport.write(packets.disconnect())
            self._transport.close()

    def abort(self) -> None:
        """Fall silent, as at a power cut: the broker sends the will."""
        if self._transport is not None:
            self._transport.abort()

    @property
    def unacknowledged(self) -> int:
        """How many QoS 1 messages the broker has not confirmed."""
        return len(self._unacknowledged)

    def _handle(self, first: int, body: bytes) -> None:
        match first >> 4:
            case packets.PUBLISH:
                self._receive(packets.read_publish(first, body))
            case packets.PUBACK:
                self._confirmed(int.from_bytes(body[:2], "big"))
            case packets.CONNACK:
                self._begin(packets.read_connack(body))
            case packets.PINGRESP:
                self._awaiting_ping = False
            case packets.SUBACK:
                self._subscribed(body)
            case packets.DISCONNECT:
                self.abort()
            case kind:
                raise packets.ProtocolError(f"packet type {kind}")

    async def drained(self) -> None:
        """Wait until the broker has confirmed all that we sent, or the line is gone."""
        self._drained = asyncio.Event()
        if self._unacknowledged and self._transport is not None:
            await self._drained.wait()

    def _confirmed(self, packet_id: int) -> None:
        self._unacknowledged.pop(packet_id, None)
        if self._drained is not None and not self._unacknowledged:
            self._drained.set()

    def _begin(self, reason: int) -> None:
        if reason or self._transport is None:
            raise packets.ProtocolError(f"refused with {reason:#x}")
        self._transport.write(packets.subscribe(1, self._topic))

    def _subscribed(self, body: bytes) -> None:
        if not body or body[-1] >= 0x80:
            raise packets.ProtocolError("the subscription was refused")
        if not self.ready.done():
            self.ready.set_result(None)

    def _receive(self, message: Message) -> None:
        self._on_message(message)
        if message.qos and self._transport is not None:
            self._transport.write(packets.puback(message.packet_id))


async def open_connection(
    address: Address, login: Login, topic: str, on_message: Callable[[Message], None]
) -> Connection:
    """Connect and subscribe to `topic`.

    Raises:
        OSError: the broker is not there, not MQTT, or does not want us.
        TimeoutError: it does not answer in time.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(CONNECT_TIMEOUT_S):
        _, connection = await loop.create_connection(
            lambda: Connection(login, topic, on_message),
            address.host,
            address.port,
            ssl=ssl.create_default_context() if address.tls else None,
        )
        try:
            await connection.ready
        except BaseException:
            connection.abort()
            raise
    return connection


def backoff_s(failures: int, rng: random.Random) -> float:
    """How long to wait before the next attempt: doubling, bounded, never in step with others."""
    low, high = BACKOFF_S
    doubled: float = low * 2 ** min(failures, 8)
    return min(high, doubled) * rng.uniform(0.5, 1.0)
