"""A bad network between the bridge and the broker: a loopback proxy that knows MQTT packets.

It runs in a thread of its own. `fault` says what is wrong from now on, `heal` that nothing is.
Bytes that were under way when a line went black are lost with it, as TCP loses them: whole, by a
reset; never a hole in the middle of a stream.
"""

import asyncio
import contextlib
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

DROP, BLACK_HOLE, HALF_OPEN = "drop", "black hole", "half-open"
DELAY, DUPLICATE, REORDER = "delay", "duplicate", "reorder"
KINDS = (DROP, BLACK_HOLE, HALF_OPEN, DELAY, DUPLICATE, REORDER)
PUBLISH, PUBACK = 3, 4


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and for how long each packet is held where that is what is wrong."""

    kind: str = ""
    delay_s: float = 0.0


@dataclass(eq=False)
class Link:
    """One connection through the proxy."""

    client: asyncio.StreamWriter
    broker: asyncio.StreamWriter
    lost: bool = False  # bytes of it are gone: it ends when the network heals
    deaf: bool = False  # the broker's end is closed and the client has not heard of it
    twice: dict[int, int] = field(default_factory=dict)  # packet ids whose second receipt is ours

    def abort(self) -> None:
        """Reset both ends."""
        for writer in (self.client, self.broker):
            writer.transport.abort()


class Proxy:
    """Listens on a free port and forwards to the broker's."""

    def __init__(self, broker_port: int, seed: int) -> None:
        self._broker_port, self._rng = broker_port, random.Random(seed)
        self._fault = Fault()
        self._links: set[Link] = set()
        self._loop = asyncio.new_event_loop()
        self.port = 0
        self.harmed = 0  # packets that were held, doubled or put out of order

    @property
    def url(self) -> str:
        """For MQTT_URL."""
        return f"mqtt://127.0.0.1:{self.port}"

    def fault(self, fault: Fault) -> None:
        """From now on this is wrong."""
        self._call(self._begin, fault)

    def heal(self) -> None:
        """From now on nothing is; what was lost ends."""
        self._call(self._begin, Fault())

    def _call(self, deed: object, *args: object) -> None:
        done = threading.Event()

        def run() -> None:
            deed(*args)  # type: ignore[operator]
            done.set()

        self._loop.call_soon_threadsafe(run)
        assert done.wait(10)

    def _begin(self, fault: Fault) -> None:
        self._fault = fault
        for link in list(self._links):
            if fault.kind == DROP or link.lost:
                link.abort()
            elif fault.kind == HALF_OPEN:
                link.deaf = True
                link.broker.transport.abort()

    @contextlib.contextmanager
    def running(self) -> Iterator["Proxy"]:
        """In a thread, for the length of a with block."""
        ready = threading.Event()
        thread = threading.Thread(target=self._run, args=(ready,), name="proxy", daemon=True)
        thread.start()
        assert ready.wait(10)
        try:
            yield self
        finally:
            self._call(self._end)
            thread.join(10)

    def _run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._loop.call_soon(ready.set)
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    def _end(self) -> None:
        for link in list(self._links):
            link.abort()
        self._loop.stop()

    async def _accept(self, up: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        if self._fault.kind in (DROP, HALF_OPEN):
            client.transport.abort()
            return
        try:
            down, broker = await asyncio.open_connection("127.0.0.1", self._broker_port)
        except OSError:
            client.transport.abort()
            return
        link = Link(client, broker)
        self._links.add(link)
        try:
            pumps = self._pump(link, up, broker), self._pump(link, down, client)
            await asyncio.gather(*pumps)
        finally:
            self._links.discard(link)
            link.abort()

    async def _pump(
        self, link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Forward packet by packet, as the fault of the moment has it."""
        held: bytes | None = None
        while True:
            try:
                packet = await asyncio.wait_for(_packet(reader), 0.3 if held else None)
            except TimeoutError:
                writer.write(held or b"")
                held = None
                continue
            except (OSError, asyncio.IncompleteReadError):
                break
            if link.deaf and not self._fault.kind:
                break  # nobody is there any more: the answer to whatever comes is a reset
            if link.deaf or link.lost or self._fault.kind == BLACK_HOLE:
                link.lost = True
                continue
            if self._fault.kind == DELAY:
                self.harmed += 1
                await asyncio.sleep(self._fault.delay_s * self._rng.uniform(0.2, 1))
            held = self._forward(link, packet, held, writer)
        if not (link.deaf and self._fault.kind):
            link.abort()

    def _forward(
        self, link: Link, packet: bytes, held: bytes | None, writer: asyncio.StreamWriter
    ) -> bytes | None:
        kind = packet[0] >> 4
        if kind == PUBACK and self._is_ours(link, packet):
            return held
        if self._fault.kind == REORDER and kind == PUBLISH and held is None:
            self.harmed += 1
            return packet
        out = packet + (held or b"")
        if self._fault.kind == DUPLICATE and kind == PUBLISH and packet[0] & 0x06:
            self.harmed += 1
            link.twice[_packet_id(packet)] = 1
            out += bytes((packet[0] | 0x08,)) + packet[1:]
        with contextlib.suppress(OSError):
            writer.write(out)
        return None

    @staticmethod
    def _is_ours(link: Link, packet: bytes) -> bool:
        """The second receipt for a packet that came twice by our doing; nobody waits for it."""
        number = int.from_bytes(packet[2:4])
        if number not in link.twice:
            return False
        if link.twice[number]:
            link.twice[number] = 0
            return False
        del link.twice[number]
        return True


async def _packet(reader: asyncio.StreamReader) -> bytes:
    """One whole MQTT packet."""
    head = await reader.readexactly(1)
    length, shift = 0, 0
    while True:
        digit = await reader.readexactly(1)
        head += digit
        length |= (digit[0] & 0x7F) << shift
        shift += 7
        if not digit[0] & 0x80:
            break
    return head + await reader.readexactly(length)


def _packet_id(packet: bytes) -> int:
    """Of a PUBLISH with QoS 1 or 2."""
    at = 1
    while packet[at] & 0x80:
        at += 1
    at += 1
    topic = int.from_bytes(packet[at : at + 2])
    return int.from_bytes(packet[at + 2 + topic : at + 4 + topic])
