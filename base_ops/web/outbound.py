"""The sending side of one WebSocket under daphne, which by itself would buffer without end.

Twisted's transport tells its producer when more than `bufferSize` bytes wait, and when none do.
Daphne leaves the finished HTTP channel registered there; this takes its place.
"""

import asyncio
import socket
import time
from typing import Any

from twisted.internet import reactor
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

HIGH_WATER_BYTES = 256 * 1024
KERNEL_BUFFER_BYTES = 128 * 1024
GOODBYE_S = 5.0


@implementer(IPushProducer)
class Outbound:
    """Writes frames and knows whether they are read."""

    def __init__(self, protocol: Any) -> None:
        self.writable = True
        self.stalled_at: float | None = None
        self._protocol = protocol
        self._drained = asyncio.Event()
        self._drained.set()
        transport = protocol.transport
        transport.bufferSize = HIGH_WATER_BYTES
        # Without a bound the kernel takes megabytes before anybody notices that nobody reads.
        transport.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER_BYTES)
        transport.setTcpNoDelay(True)
        transport.unregisterProducer()
        transport.registerProducer(self, True)

    def send(self, frame: bytes) -> None:
        """Write a text frame; on a connection that is gone it goes nowhere.

        Prepared, because autobahn's sendMessage holds the cap for clients' messages against ours.
        """
        if self._protocol.state == self._protocol.STATE_OPEN:
            prepared = self._protocol.factory.prepareMessage(frame, isBinary=False)
            self._protocol.sendPreparedMessage(prepared)

    async def ready(self) -> None:
        """Return once the reader keeps up, or is gone."""
        await self._drained.wait()

    def close(self, code: int) -> None:
        """Send the close frame, and drop the connection soon when its reader does not take it."""
        # With a paused producer registered, Twisted would never end a connection by itself.
        self._protocol.transport.unregisterProducer()
        self._drained.set()
        if self._protocol.state == self._protocol.STATE_OPEN:
            say_goodbye(self._protocol, code)
        later: Any = reactor
        later.callLater(GOODBYE_S, self._drop)

    def _drop(self) -> None:
        """Hang up whatever is still unsent."""
        transport = self._protocol.transport
        if transport is not None and transport.connected:
            transport.abortConnection()

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        """The transport is full; nor do we read from whoever does not read from us."""
        self.writable = False
        self._drained.clear()
        self._protocol.transport.pauseProducing()
        self.stalled_at = time.monotonic()

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        """The transport is empty again."""
        self.writable = True
        self.stalled_at = None
        self._drained.set()
        self._protocol.transport.resumeProducing()

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's name
        """The connection is gone."""
        self.writable = False
        self._drained.set()


def say_goodbye(protocol: Any, code: int) -> None:
    """Send a close frame; autobahn's own `sendClose` knows neither 1001 nor 1013."""
    protocol.sendCloseFrame(code=code, isReply=False)
