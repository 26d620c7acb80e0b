"""How a universe of DMX gets onto the network: Art-Net or sACN."""

import asyncio
import contextlib
import logging
import socket
import time
from dataclasses import dataclass
from typing import Protocol, cast

from devices.domain.gear import artnet, sacn

logger = logging.getLogger(__name__)
POLL_S = 2.5
SILENT_AFTER_S = 3 * POLL_S


class Wire(Protocol):
    """The way to the fixtures of one universe."""

    def send(self, levels: bytes) -> None:
        """One frame of 512 levels."""

    def goodbye(self) -> None:
        """Tell the receivers that we send no more."""

    def close(self) -> None:
        """Let go of the network."""

    def heard_s_ago(self) -> float | None:
        """Since the node's last sign of life; None where the protocol knows none."""


class ArtnetPost(asyncio.DatagramProtocol):
    """The one Art-Net socket of the gateway: nodes answer a poll to its port."""

    def __init__(self, bind: str, port: int) -> None:
        self._bind, self._port = bind, port
        self._transport: asyncio.DatagramTransport | None = None
        self.heard_at: dict[str, float] = {}
        self.names: dict[str, artnet.PollReply] = {}
        self._nodes: set[tuple[str, int]] = set()

    def expect(self, host: str, port: int) -> None:
        """Ask this node from now on whether it is there."""
        self._nodes.add((host, port))

    async def run(self) -> None:
        """Ask all nodes, for ever."""
        await self._bound()
        while True:
            for node in self._nodes:
                self.send(artnet.poll(), node)
            await asyncio.sleep(POLL_S)

    async def _bound(self) -> None:
        """Another program may hold the port: the rest of the gear goes on meanwhile."""
        loop, place = asyncio.get_running_loop(), (self._bind, self._port)
        while self._transport is None:
            try:
                await loop.create_datagram_endpoint(lambda: self, local_addr=place)
            except OSError as exc:
                logger.warning("gateway.artnet_port", extra={"why": str(exc)})
                await asyncio.sleep(POLL_S)

    def send(self, packet: bytes, node: tuple[str, int]) -> None:
        """Send, or lose it: the next frame comes within a second."""
        if self._transport is not None:
            with contextlib.suppress(OSError):
                self._transport.sendto(packet, node)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Note who is there; whatever else is on this port is not for us."""
        try:
            reply = artnet.read_poll_reply(data)
        except artnet.BadPacket:
            return
        if any(addr[0] == host for host, _ in self._nodes):
            self.heard_at[addr[0]], self.names[addr[0]] = time.monotonic(), reply

    def close(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.close()


@dataclass(slots=True)
class Artnet:
    """A universe on an Art-Net node."""

    post: ArtnetPost
    host: str
    port: int
    universe: int
    polled: bool
    _sequence: int = 0
    _unnumbered: int = (
        3  # first frames without a number: a node may still count from our last life
    )

    def __post_init__(self) -> None:
        if self.polled:
            self.post.expect(self.host, self.port)

    def send(self, levels: bytes) -> None:
        """One ArtDmx."""
        if self._unnumbered:
            self._unnumbered -= 1
        else:
            self._sequence = artnet.next_sequence(self._sequence)
        packet = artnet.dmx(self.universe, self._sequence, levels)
        self.post.send(packet, (self.host, self.port))

    def goodbye(self) -> None:
        """Art-Net has no word for it."""

    def close(self) -> None:
        """The socket is everybody's."""

    def heard_s_ago(self) -> float | None:
        """By its answers to our polls."""
        if not self.polled:
            return None
        at = self.post.heard_at.get(self.host)
        return float("inf") if at is None else time.monotonic() - at


class Sacn:
    """A universe by sACN, to its multicast group or to one host."""

    def __init__(
        self, source: sacn.Source, universe: int, *, host: str, port: int, priority: int
    ) -> None:
        self._source, self._universe, self._priority = source, universe, priority
        self._to = (host or sacn.group(universe), port)
        self._sequence = 0
        self._last = bytes(512)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 8)

    def send(self, levels: bytes) -> None:
        """One data packet."""
        self._last = levels
        self._post(levels, terminated=False)

    def goodbye(self) -> None:
        """Three packets that say so."""
        for _ in range(sacn.TERMINATIONS):
            self._post(self._last, terminated=True)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def heard_s_ago(self) -> float | None:
        """Nobody answers in sACN."""
        return None

    def _post(self, levels: bytes, *, terminated: bool) -> None:
        packet = sacn.data(
            self._source,
            self._universe,
            self._sequence,
            levels,
            priority=self._priority,
            terminated=terminated,
        )
        self._sequence = sacn.next_sequence(self._sequence)
        with contextlib.suppress(OSError):  # no way there now; the next frame tries again
            self._socket.sendto(packet, self._to)
