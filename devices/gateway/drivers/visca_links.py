"""The way to a VISCA camera: datagrams with numbers, or a bare TCP stream."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol, cast

from devices.domain.gear import visca, visca_ip
from devices.domain.gear.visca import Ack, Completion, Data, Fault, Why
from devices.domain.gear.visca_ip import Frame, Kind
from devices.gateway.driver import Refused, Silent

TRIES = 3
FULL_PAUSE_S = 0.1
_CODES = {
    Why.SYNTAX: "not_understood",
    Why.LENGTH: "not_understood",
    Why.BUFFER_FULL: "gear_busy",
    Why.NOT_EXECUTABLE: "not_executable",
}
Answer = Ack | Completion | Data


class Link(Protocol):
    """Questions and commands to one camera."""

    async def open(self) -> None:
        """Connect, and let the camera count anew."""

    async def ask(self, message: bytes) -> Answer:
        """Data of an inquiry, or that a command was understood.

        Raises:
            Refused: the camera will not.
            Silent: it does not answer.
        """

    def close(self) -> None:
        """Let go."""


async def patiently(once: Callable[[], "asyncio.Future[Answer]"]) -> Answer:
    """Ask again, a little later, a camera that has too much to do."""
    for _ in range(TRIES):
        with contextlib.suppress(_Full):
            return await once()
        await asyncio.sleep(FULL_PAUSE_S)
    raise Refused("gear_busy", "its buffer stays full")


class _Full(Exception):
    """The command buffer is full."""


class _OutOfSequence(Exception):
    """The camera has seen this number, or expects another."""


def _judged(reply: visca.Reply) -> Answer | None:
    """An answer; None for what answers nothing.

    Raises:
        _Full, Refused: what the camera says instead.
    """
    match reply:
        case Ack() | Completion() | Data():
            return reply
        case Fault(reason=Why.BUFFER_FULL):
            raise _Full
        case Fault(reason=reason):
            known = reason in tuple(Why)
            raise Refused(_CODES.get(Why(reason), "gear_fault") if known else "gear_fault")
        case _:
            return None


class Datagrams(asyncio.DatagramProtocol):
    """VISCA over IP; each question waits for the answer of its own number."""

    def __init__(self, host: str, port: int, timeout_s: float) -> None:
        self._host, self._port, self._timeout_s = host, port, timeout_s
        self._transport: asyncio.DatagramTransport | None = None
        self._waiting: dict[int, asyncio.Future[visca.Reply]] = {}
        self._reset: asyncio.Future[None] | None = None
        self._number = 0
        self.lost: str = ""

    async def open(self) -> None:
        """A socket of our own, and the counter of the camera at its start."""
        loop = asyncio.get_running_loop()
        try:
            await loop.create_datagram_endpoint(lambda: self, remote_addr=(self._host, self._port))
        except OSError as exc:
            raise Silent(str(exc)) from exc
        await self._count_anew()

    async def _count_anew(self) -> None:
        self._reset = asyncio.get_running_loop().create_future()
        for _ in range(TRIES):
            self._send(visca_ip.reset())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._reset), self._timeout_s)
                self._number = 0
                return
        raise Silent(self.lost or "no answer to the reset of the counter")

    async def ask(self, message: bytes) -> Answer:
        """Ask; sent again under the same number while no answer comes."""
        return await patiently(lambda: asyncio.ensure_future(self._ask(message)))

    async def _ask(self, message: bytes) -> Answer:
        kind = visca_ip.kind_of(message)
        for _ in range(2):
            self._number = number = visca_ip.after(self._number)
            datagram = visca_ip.encode(Frame(kind, number, message))
            try:
                return await self._deliver(number, datagram)
            except _OutOfSequence as exc:
                if str(exc) == "again" and kind is Kind.COMMAND:
                    return Ack(0)  # the first one arrived, only its answer was lost
                await self._count_anew()
        raise Silent("the camera counts otherwise")

    async def _deliver(self, number: int, datagram: bytes) -> Answer:
        waiting: asyncio.Future[visca.Reply] = asyncio.get_running_loop().create_future()
        self._waiting[number] = waiting
        try:
            for attempt in range(TRIES):
                self._send(datagram)
                try:
                    reply = await asyncio.wait_for(asyncio.shield(waiting), self._timeout_s)
                except TimeoutError:
                    continue
                except _OutOfSequence:
                    raise _OutOfSequence("again" if attempt else "first") from None
                if answer := _judged(reply):
                    return answer
        finally:
            del self._waiting[number]
        raise Silent(self.lost or "no answer")

    def _send(self, datagram: bytes) -> None:
        if self._transport is None:
            raise Silent("closed")
        self._transport.sendto(datagram)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Wake whoever asked; what is no answer to a question is dropped."""
        try:
            frame = visca_ip.decode(data)
            if frame.kind is Kind.CONTROL_REPLY:
                self._control(frame)
            elif frame.kind is Kind.REPLY:
                self._answer(frame.number, visca.read_reply(frame.payload))
        except (visca_ip.BadFrame, visca.BadReply):
            return

    def _control(self, frame: Frame) -> None:
        if frame.payload == visca_ip.OUT_OF_SEQUENCE:
            waiting = self._waiting.get(frame.number)
            if waiting is not None and not waiting.done():
                waiting.set_exception(_OutOfSequence())
        elif frame.payload == b"\x01" and self._reset is not None and not self._reset.done():
            self._reset.set_result(None)

    def _answer(self, number: int, reply: visca.Reply) -> None:
        waiting = self._waiting.get(number)
        if waiting is not None and not waiting.done() and not isinstance(reply, visca.Notice):
            waiting.set_result(reply)

    def error_received(self, exc: Exception) -> None:
        """Nobody listens there: the question times out, and says so."""
        self.lost = str(exc)

    def close(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None


class Stream:
    """Bare VISCA over TCP: one question at a time, for answers carry no number."""

    def __init__(self, host: str, port: int, timeout_s: float) -> None:
        self._host, self._port, self._timeout_s = host, port, timeout_s
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._splitter = visca.Splitter()
        self._read: list[bytes] = []
        self._turn = asyncio.Lock()

    async def open(self) -> None:
        """Connect."""
        self._splitter, self._read = visca.Splitter(), []
        try:
            async with asyncio.timeout(self._timeout_s * TRIES):
                self._streams = await asyncio.open_connection(self._host, self._port)
        except (OSError, TimeoutError) as exc:
            raise Silent(str(exc) or "no connection") from exc

    async def ask(self, message: bytes) -> Answer:
        """Ask, and read on to the answer."""
        return await patiently(lambda: asyncio.ensure_future(self._ask(message)))

    async def _ask(self, message: bytes) -> Answer:
        inquiry = visca_ip.kind_of(message) is Kind.INQUIRY
        async with self._turn:
            try:
                async with asyncio.timeout(self._timeout_s * TRIES):
                    return await self._exchange(message, inquiry=inquiry)
            except (OSError, TimeoutError, EOFError, visca.BadReply) as exc:
                raise Silent(str(exc) or "no answer") from exc

    async def _exchange(self, message: bytes, *, inquiry: bool) -> Answer:
        if self._streams is None:
            raise Silent("closed")
        reader, writer = self._streams
        writer.write(message)
        await writer.drain()
        while True:
            reply = visca.read_reply(await self._next(reader))
            if isinstance(reply, Fault) and reply.reason in (Why.CANCELLED, Why.NO_SOCKET):
                continue  # of a command before this one
            answer = _judged(reply)
            if isinstance(answer, Data if inquiry else Ack):
                return answer

    async def _next(self, reader: asyncio.StreamReader) -> bytes:
        while not self._read:
            data = await reader.read(1024)
            if not data:
                raise EOFError("the camera closed the connection")
            self._read += self._splitter.feed(data)
        return self._read.pop(0)

    def close(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None
