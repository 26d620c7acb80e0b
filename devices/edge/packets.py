"""The part of MQTT 5 that a device needs, as bytes. Pure; no I/O.

Source: OASIS MQTT 5.0, chapters 2 and 3.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

CONNECT, CONNACK, PUBLISH, PUBACK = 1, 2, 3, 4
SUBSCRIBE, SUBACK, PINGREQ, PINGRESP, DISCONNECT = 8, 9, 12, 13, 14

_EXPIRY, _CONTENT_TYPE, _RESPONSE_TOPIC, _CORRELATION = 0x02, 0x03, 0x08, 0x09
# How long each property of a PUBLISH is: a number of bytes, or how it says so itself.
_FIXED = {0x01: 1, _EXPIRY: 4, 0x23: 2}
_COUNTED = {_CONTENT_TYPE, _RESPONSE_TOPIC, _CORRELATION}
_SUBSCRIPTION_ID, _USER_PROPERTY = 0x0B, 0x26


class ProtocolError(Exception):
    """The other side does not speak MQTT 5 as we know it."""


@dataclass(frozen=True, slots=True)
class Message:
    """A PUBLISH, either way."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    packet_id: int = 0
    dup: bool = False
    response_topic: str = ""
    correlation: bytes = b""


@dataclass(frozen=True, slots=True)
class Login:
    """What CONNECT says."""

    client_id: str
    username: str = ""
    password: str = ""
    keepalive_s: int = 60
    will: Message | None = None


@dataclass(slots=True)
class Frames:
    """Cuts a byte stream into (first byte, body) pairs."""

    max_bytes: int = 256 * 1024
    _buffer: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """All packets that are complete now.

        Raises:
            ProtocolError: a length that is no length, or a packet beyond `max_bytes`.
        """
        buffer = self._buffer
        buffer += data
        while (head := _header(buffer)) is not None:
            start, length = head
            if length > self.max_bytes:
                raise ProtocolError(f"a packet of {length} bytes")
            if len(buffer) < start + length:
                return
            first, body = buffer[0], bytes(buffer[start : start + length])
            del buffer[: start + length]
            yield first, body


def _header(buffer: bytearray) -> tuple[int, int] | None:
    """Where the body starts and how long it is; None while that cannot be told."""
    if len(buffer) < 2:
        return None
    length = shift = 0
    for i in range(1, 5):
        if i >= len(buffer):
            return None
        length |= (buffer[i] & 127) << shift
        if buffer[i] < 128:
            return i + 1, length
        shift += 7
    raise ProtocolError("a length of more than four bytes")


def connect(login: Login) -> bytes:
    """CONNECT with a clean start: a device keeps no session, it announces itself anew."""
    flags = 0x02 | (0x80 if login.username else 0) | (0x40 if login.password else 0)
    parts = [_text(login.client_id)]
    if will := login.will:
        flags |= 0x04 | will.qos << 3 | (0x20 if will.retain else 0)
        parts += [b"\x00", _text(will.topic), _data(will.payload)]
    if login.username:
        parts.append(_text(login.username))
    if login.password:
        parts.append(_text(login.password))
    head = _text("MQTT") + bytes((5, flags)) + login.keepalive_s.to_bytes(2, "big") + b"\x00"
    return _packet(CONNECT << 4, head + b"".join(parts))


def subscribe(packet_id: int, topic: str, qos: int = 1) -> bytes:
    """SUBSCRIBE to one topic, without retained messages: nothing kept is a command."""
    no_retained = 0x20
    body = packet_id.to_bytes(2, "big") + b"\x00" + _text(topic) + bytes((qos | no_retained,))
    return _packet(SUBSCRIBE << 4 | 2, body)


def publish(message: Message) -> bytes:
    """PUBLISH, without properties."""
    first = PUBLISH << 4 | message.dup << 3 | message.qos << 1 | message.retain
    number = message.packet_id.to_bytes(2, "big") if message.qos else b""
    return _packet(first, _text(message.topic) + number + b"\x00" + message.payload)


def puback(packet_id: int) -> bytes:
    """PUBACK: success."""
    return _packet(PUBACK << 4, packet_id.to_bytes(2, "big"))


def pingreq() -> bytes:
    """PINGREQ."""
    return b"\xc0\x00"


def disconnect() -> bytes:
    """DISCONNECT: normal, the will is not sent."""
    return b"\xe0\x00"


def read_publish(first: int, body: bytes) -> Message:
    """A PUBLISH from the broker.

    Raises:
        ProtocolError: it is cut short, or has a property that MQTT 5 does not know.
    """
    try:
        topic, at = _take(body, 0)
        packet_id, qos = 0, first >> 1 & 3
        if qos:
            packet_id = int.from_bytes(body[at : at + 2], "big")
            at += 2
        properties, at = _properties(body, at)
        return Message(
            topic=topic.decode(),
            payload=body[at:],
            qos=qos,
            retain=bool(first & 1),
            packet_id=packet_id,
            dup=bool(first & 8),
            response_topic=properties.get(_RESPONSE_TOPIC, b"").decode(),
            correlation=properties.get(_CORRELATION, b""),
        )
    except (IndexError, UnicodeDecodeError) as exc:
        raise ProtocolError("a broken PUBLISH") from exc


def read_connack(body: bytes) -> int:
    """The reason code, 0 when we are in."""
    if len(body) < 2:
        raise ProtocolError("a broken CONNACK")
    return body[1]


def _properties(body: bytes, at: int) -> tuple[dict[int, bytes], int]:
    length, at = _varint(body, at)
    end, found = at + length, dict[int, bytes]()
    while at < end:
        name = body[at]
        at += 1
        if name in _FIXED:
            found[name] = body[at : at + _FIXED[name]]
            at += _FIXED[name]
        elif name in _COUNTED:
            found[name], at = _take(body, at)
        elif name == _USER_PROPERTY:
            _, at = _take(body, at)
            _, at = _take(body, at)
        elif name == _SUBSCRIPTION_ID:
            _, at = _varint(body, at)
        else:
            raise ProtocolError(f"property {name:#x} in a PUBLISH")
    return found, end


def _varint(body: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = body[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def _take(body: bytes, at: int) -> tuple[bytes, int]:
    length = body[at] << 8 | body[at + 1]
    end = at + 2 + length
    if end > len(body):
        raise ProtocolError("a text beyond its packet")
    return body[at + 2 : end], end


def _packet(first: int, body: bytes) -> bytes:
    length, size = bytearray(), len(body)
    while True:
        size, low = divmod(size, 128)
        length.append(low | (0x80 if size else 0))
        if not size:
            return bytes((first,)) + bytes(length) + body


def _text(text: str) -> bytes:
    return _data(text.encode())


def _data(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data
