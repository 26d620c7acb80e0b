"""A PTZ camera on the wire, written from Sony's command list and not from our codec.

That it is one, a client that we did not write says in test_visca_peers.py.
"""

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.devices.gateway.peers.loops import until_the_end


@dataclass
class Body:
    """The camera itself: what it was told, in raw bytes, and how it is."""

    awake: bool = False
    muted: bool = True
    lamp: bool = False
    pan: float = 0
    tilt: float = 0
    zoom: int = 0
    auto: bool = True
    focus: int = 0x1000
    presets: dict[int, tuple[float, float, int]] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    zooming: list[int] = field(default_factory=list)
    full: int = 0  # how many commands more it answers "buffer full"
    wakes_s: float = 0.0
    _speed: tuple[int, int] = (0, 0)
    _since: float = 0.0
    _woken: float = 0.0

    def take(self, message: bytes) -> list[bytes]:
        """The replies to one message."""
        self.heard.append(message.hex())
        self._drift()
        assert message[0] == 0x81, message.hex()
        assert message[-1] == 0xFF, message.hex()
        if message[1] == 0x09:
            body = self._tell(message[2:-1].hex())
            return [b"\x90\x60\x02\xff" if body is None else b"\x90\x50" + body + b"\xff"]
        if self.full > 0:
            self.full -= 1
            return [b"\x90\x60\x03\xff"]
        if not self.awake and message[2:4] != b"\x04\x00":
            return [b"\x90\x61\x41\xff"]
        known = self._do(message[2:-1])
        return [b"\x90\x41\xff", b"\x90\x51\xff"] if known else [b"\x90\x60\x02\xff"]

    @property
    def driving(self) -> bool:
        """Whether a motor turns."""
        return self._speed != (0, 0)

    def _tell(self, what: str) -> bytes | None:
        switches = {
            "0400": self.awake and time.monotonic() >= self._woken,
            "0475": self.muted,
            "7e010a": self.lamp,
            "0438": self.auto,
        }
        if what in switches:
            return b"\x02" if switches[what] else b"\x03"
        return {
            "0002": b"\x00\x01\x05\x1e\x01\x23\x02",
            "0447": _four(self.zoom),
            "0448": _four(self.focus),
            "0612": _four(round(self.pan) & 0xFFFF) + _four(round(self.tilt) & 0xFFFF),
        }.get(what)

    def _do(self, body: bytes) -> bool:
        deeds: dict[bytes, Callable[[bytes], object]] = {
            b"\x04\x00": self._set_power,
            b"\x04\x75": lambda v: setattr(self, "muted", v == b"\x02"),
            b"\x7e\x01": lambda v: setattr(self, "lamp", v == b"\x0a\x00\x02"),
            b"\x04\x38": lambda v: setattr(self, "auto", v == b"\x02"),
            b"\x04\x48": lambda v: setattr(self, "focus", _of(v)),
            b"\x04\x47": lambda v: setattr(self, "zoom", _of(v)),
            b"\x04\x07": lambda v: self.zooming.append(v[0]),
            b"\x04\x3f": self._preset,
            b"\x06\x01": self._drive,
            b"\x06\x02": self._point,
            b"\x06\x04": lambda _: self._point(bytes(10)),
            b"\x00\x01": lambda _: None,  # IF_Clear
        }
        if (deed := deeds.get(body[:2])) is None:
            return False
        deed(body[2:])
        return True

    def _set_power(self, value: bytes) -> None:
        self.awake = value == b"\x02"
        self._woken = time.monotonic() + self.wakes_s

    def _preset(self, value: bytes) -> None:
        if value[0] == 1:
            self.presets[value[1]] = (self.pan, self.tilt, self.zoom)
        else:
            self.pan, self.tilt, self.zoom = self.presets.get(value[1], (0, 0, 0))

    def _drive(self, value: bytes) -> None:
        ways = {1: -1, 2: 1, 3: 0}
        self._speed = ways[value[2]] * value[0], -ways[value[3]] * value[1]

    def _point(self, value: bytes) -> None:
        self.pan, self.tilt = _signed(value[2:6]), _signed(value[6:10])
        self._speed = (0, 0)

    def _drift(self) -> None:
        now = time.monotonic()
        elapsed, self._since = now - self._since, now
        self.pan += self._speed[0] * 10 * elapsed
        self.tilt += self._speed[1] * 10 * elapsed


class OverIp(asyncio.DatagramProtocol):
    """The camera behind numbered datagrams."""

    def __init__(self, body: Body) -> None:
        self.body = body
        self.silent = False
        self.lose_replies = 0
        self.numbers: list[int] = []
        self._last = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self.silent:
            return
        kind, length, number = struct.unpack_from(">HHI", data)
        assert length == len(data) - 8
        if kind == 0x0200:
            self._last = -1
            self._answer(0x0201, number, b"\x01", addr)
            return
        self.numbers.append(number)
        if number <= self._last:
            self._answer(0x0201, number, b"\x0f\x01", addr)
            return
        self._last = number
        for reply in self.body.take(data[8:]):
            self._answer(0x0111, number, reply, addr)

    def _answer(self, kind: int, number: int, payload: bytes, addr: tuple[str, int]) -> None:
        if self.lose_replies > 0:
            self.lose_replies -= 1
            return
        packet = struct.pack(">HHI", kind, len(payload), number) + payload
        self._transport.sendto(packet, addr)  # type: ignore[attr-defined]


async def over_ip(body: Body, host: str = "127.0.0.1", port: int = 0) -> tuple[OverIp, int]:
    """The camera on UDP; returns it and its port."""
    loop = asyncio.get_running_loop()
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # beside a client on all addresses
    sock.bind((host, port))
    transport, peer = await loop.create_datagram_endpoint(lambda: OverIp(body), sock=sock)
    until_the_end(transport)
    return peer, transport.get_extra_info("sockname")[1]


async def over_tcp(body: Body) -> int:
    """The camera on bare TCP, all replies in one segment; returns the port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(asyncio.IncompleteReadError):
            while message := await reader.readuntil(b"\xff"):
                writer.write(b"\xa0\x38\xff" + b"".join(body.take(message)))
                await writer.drain()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    until_the_end(server)
    port: int = server.sockets[0].getsockname()[1]
    return port


def _four(value: int) -> bytes:
    return bytes.fromhex("".join(f"0{digit}" for digit in f"{value:04x}"))


def _of(nibbles: bytes) -> int:
    return int(nibbles.hex()[1::2], 16)


def _signed(nibbles: bytes) -> int:
    value = _of(nibbles)
    return value - 0x10000 if value & 0x8000 else value
