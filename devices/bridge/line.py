"""The line to the broker: MQTT 5 by paho, a lasting session, acknowledgements by hand.

Each callback catches what it can meet: paho stops delivering after an exception in one.
"""

import logging
import socket
import struct
import threading
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MessageType, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions
from prometheus_client import Gauge

from devices.bridge import tally
from devices.bridge.inbox import Inbox, Received
from devices.bridge.sockets import BufferedSocket
from devices.domain import codec

logger = logging.getLogger(__name__)
SESSION_S = 3600
RECEIVE_MAXIMUM = 10_000
READS_AT_ONCE = 500
OWN_REMEMBERED = 2000
PUBACK = MessageType.PUBACK
_PUBACK = struct.Struct("!BBH")


@dataclass(frozen=True, slots=True)
class Address:
    """A broker, from `mqtt://user:password@host:port` or `mqtts://`."""

    host: str
    port: int
    username: str = ""
    password: str = ""
    tls: bool = False


def parse_address(url: str) -> Address:
    """Read MQTT_URL.

    Raises:
        ValueError: it is no such address.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
        raise ValueError("MQTT_URL must look like mqtt://user:password@host:1883")
    tls = parts.scheme == "mqtts"
    return Address(
        host=parts.hostname,
        port=parts.port or (8883 if tls else 1883),
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        tls=tls,
    )


class FastClient(mqtt.Client):
    """paho, reading in large pieces."""

    def _create_socket(self) -> Any:
        sock = super()._create_socket()
        return BufferedSocket(cast("socket.socket", sock))

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """Read on while bytes are buffered, but let writes have their turn."""
        for _ in range(READS_AT_ONCE):
            rc = super().loop_read(max_packets)
            sock = cast("BufferedSocket | None", self._sock)
            if rc != MQTTErrorCode.MQTT_ERR_SUCCESS or sock is None or not sock.pending():
                return rc
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def ack_all(self, mids: Sequence[int]) -> None:
        """Confirm QoS 1 messages in that order, by one write for all."""
        if mids:
            packets = b"".join(_PUBACK.pack(PUBACK, 2, mid) for mid in mids)
            self._packet_queue(PUBACK, packets, mids[-1], 1)


def new_client(address: Address, client_id: str) -> FastClient:
    """A client with credentials, not yet connected."""
    client = FastClient(
        CallbackAPIVersion.VERSION2, client_id, protocol=mqtt.MQTTv5, manual_ack=True
    )
    if address.username:
        client.username_pw_set(address.username, address.password)
    if address.tls:
        client.tls_set()
    return client


class Line:
    """One lasting session. With `group`, one of several that share the messages."""

    def __init__(
        self,
        address: Address,
        client_id: str,
        inbox: Inbox,
        *,
        group: str = "",
        topics: Collection[str] = codec.TOPICS,
        gauge: Gauge = tally.CONNECTED,
    ) -> None:
        self._inbox = inbox
        self._topics, self._gauge = frozenset(topics), gauge
        self._prefix = f"$share/{group}/" if group else ""
        self._lock = threading.Lock()
        self._own: deque[bytes] = deque(maxlen=OWN_REMEMBERED)
        self._life = 0
        self.up, self.subscribed = threading.Event(), threading.Event()
        self._address = address
        self._client = client = new_client(address, client_id)
        client.reconnect_delay_set(1, 5)
        client.on_connect, client.on_disconnect = self._connected, self._disconnected
        client.on_subscribe, client.on_message = self._subscribed, self._received

    @property
    def life(self) -> int:
        """Which connection this is, counted from 1; 0 before the first."""
        return self._life

    def start(self) -> None:
        """Connect in the background, again and again."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION_S
        properties.ReceiveMaximum = RECEIVE_MAXIMUM
        self._client.connect_async(
            self._address.host,
            self._address.port,
            keepalive=15,
            clean_start=False,
            properties=properties,
        )
        self._client.loop_start()

    def stop(self) -> None:
        """Say goodbye after what is queued; the broker keeps the session."""
        self._client.disconnect()
        self._client.loop_stop()
        self._down()

    def publish(self, message: codec.Published, lifetime_s: int) -> mqtt.MQTTMessageInfo:
        """Hand a command to the broker: never retained, with its expiry."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.MessageExpiryInterval = lifetime_s
        if message.response_topic:
            self._own.append(message.correlation)
            properties.ResponseTopic = message.response_topic
            properties.CorrelationData = message.correlation
        return self._client.publish(
            message.topic, message.payload, qos=message.qos, retain=False, properties=properties
        )

    def publish_empty(self, topic: str) -> mqtt.MQTTMessageInfo:
        """Let the broker forget what it keeps on a topic."""
        return self._client.publish(topic, b"", qos=1, retain=True)

    def listen(self, topics: Collection[str]) -> frozenset[str]:
        """Subscribe to these topics and no others; returns those that are new."""
        wanted = frozenset(topics)
        new, old = wanted - self._topics, self._topics - wanted
        self._topics = wanted
        if self.up.is_set():
            if old:
                self._client.unsubscribe(sorted(old))
            if new:
                self._client.subscribe([(topic, self._options()) for topic in sorted(new)])
        return new

    def _options(self) -> SubscribeOptions:
        return SubscribeOptions(
            qos=1,
            noLocal=not self._prefix,
            retainHandling=SubscribeOptions.RETAIN_DO_NOT_SEND,
        )

    def ack(self, messages: Sequence[Received]) -> None:
        """Confirm messages, but for those of a lost connection: their numbers then mean others."""
        with self._lock:
            if self.up.is_set():
                mids = [m.mid for m in messages if m.qos == 1 and m.life == self._life]
                self._client.ack_all(mids)

    def _connected(
        self,
        client: mqtt.Client,
        userdata: object,
        flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            logger.warning("bridge.refused_by_broker", extra={"why": str(reason)})
            return
        with self._lock:
            self._life += 1
            self.up.set()
        self._gauge.set(1)
        # Retained messages come by another line, see snapshot.py; our own commands not at all.
        options = self._options()
        client.subscribe([(self._prefix + topic, options) for topic in sorted(self._topics)])
        logger.info("bridge.connected", extra={"resumed": flags.session_present})

    def _disconnected(
        self,
        client: mqtt.Client,
        userdata: object,
        flags: mqtt.DisconnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        self._down()
        logger.warning("bridge.disconnected", extra={"why": str(reason)})

    def _down(self) -> None:
        with self._lock:
            self.up.clear()
            self.subscribed.clear()
        self._gauge.set(0)

    def _subscribed(
        self,
        client: mqtt.Client,
        userdata: object,
        mid: int,
        reasons: list[ReasonCode],
        properties: Properties | None,
    ) -> None:
        if refused := [str(reason) for reason in reasons if reason.is_failure]:
            logger.error("bridge.subscription_refused", extra={"why": refused})
        else:
            self.subscribed.set()

    def _received(self, client: mqtt.Client, userdata: object, message: mqtt.MQTTMessage) -> None:
        received = as_received(message, self._life)
        if self._is_echo(received, message.properties):
            # It queues with the others: acknowledgements go out in the order messages came in.
            received = replace(received, echo=True)
        self._inbox.put(received)

    def _is_echo(self, received: Received, properties: Properties | None) -> bool:
        """Whether this is a command of ours: rumqttd knows no noLocal, shared ones have none."""
        if received.retained or not received.topic.endswith("/cmd"):
            return False
        return bool(self._prefix) or getattr(properties, "CorrelationData", None) in self._own


def as_received(message: mqtt.MQTTMessage, life: int) -> Received:
    """Ours of paho's; a topic that is no UTF-8 becomes one that nobody knows."""
    try:
        topic = message.topic
    except UnicodeDecodeError:
        topic = ""
    return Received(topic, bytes(message.payload), message.retain, message.qos, message.mid, life)
