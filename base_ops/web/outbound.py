"""The sending side of one WebSocket under daphne, which by itself would buffer without end.

Twisted's transport tells its producer when more than `bufferSize` bytes wait, and when none do.
Daphne leaves the finished HTTP channel registered there; this takes its place.
"""

import socket
import time
from typing import Any

from twisted.internet import reactor
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

HIGH_WATER_BYTES = 256 * 1024
KERNEL_BUFFER_BYTES = 128 * 1024
GOODBYE_S = 1.0


@implementer(IPushProducer)
class Outbound:
    """Writes frames and knows whether they are read."""

    def __init__(self, protocol: Any) -> None:
        self.writable = True
        self.stalled_at: float | None = None
        self._protocol = protocol
        transport = protocol.transport
        transport.bufferSize = HIGH_WATER_BYTES
        # Without a bound the kernel takes megabytes before anybody notices that nobody reads.
        transport.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER_BYTES)
        transport.setTcpNoDelay(True)
        transport.unregisterProducer()
        transport.registerProducer(self, True)

    def send(self, frame: bytes) -> None:
        """Write a text frame; on a connection that is gone it goes nowhere."""
        if self._protocol.state == self._protocol.STATE_OPEN:
            self._protocol.sendMessage(frame, False)

    def close(self, code: int) -> None:
        """Send the close frame, and drop the connection soon when its reader does not take it."""
        # With a paused producer registered, Twisted would never end a connection by itself.
        self._protocol.transport.unregisterProducer()
        if self._protocol.state == self._protocol.STATE_OPEN:
            self._protocol.sendClose(code=code)
        later: Any = reactor
        later.callLater(GOODBYE_S, self._drop)

    def _drop(self) -> None:
        """Hang up whatever is still unsent."""
        transport = self._protocol.transport
        if transport is not None and transport.connected:
            transport.abortConnection()

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        """The transport is full."""
        self.writable = False
        self.stalled_at = time.monotonic()

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        """The transport is empty again."""
        self.writable = True
        self.stalled_at = None

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's name
        """The connection is gone."""
        self.writable = False
