"""One client socket as the hub sees it: where frames go, and whether they arrive."""

import time
from typing import Protocol

from base_ops.core.live import frames
from base_ops.core.live.identity import Caller

STALLED_S = 8.0
SILENT_S = 3.5 * frames.HEARTBEAT_S


class Outbound(Protocol):
    """The sending side of a connection; the web server puts one into the scope's extensions."""

    writable: bool
    stalled_at: float | None

    def send(self, frame: bytes) -> None:
        """Write a text frame; never waits."""

    async def ready(self) -> None:
        """Return once the reader keeps up, or is gone."""

    def close(self, code: int) -> None:
        """Say goodbye with a code, and hang up soon after whether it is read or not."""


class Socket:
    """A follower of feeds with a caller behind it."""

    def __init__(self, outbound: Outbound, caller: Caller) -> None:
        self.caller = caller
        self.topics: set[str] = set()
        self.heard_at = time.monotonic()
        self.pinged_at = self.heard_at
        self._outbound = outbound
        self._held = False
        self.closed = False

    @property
    def writable(self) -> bool:
        """Whether the reader keeps up; remembers that something was held back when not."""
        if not self._outbound.writable:
            self._held = True
        return self._outbound.writable

    @property
    def drained(self) -> bool:
        """True once after the reader caught up with us again."""
        if self._held and self._outbound.writable:
            self._held = False
            return True
        return False

    def send(self, frame: bytes) -> None:
        """Write a frame unless we said goodbye already."""
        if not self.closed:
            self._outbound.send(frame)

    async def ready(self) -> None:
        """Return once the reader keeps up, or is gone."""
        await self._outbound.ready()

    def too_slow(self, present: float) -> bool:
        """Whether its reader stalled, or stopped answering pings, for too long."""
        stalled_at = self._outbound.stalled_at
        stalled = stalled_at is not None and present - stalled_at > STALLED_S
        return stalled or present - self.heard_at > SILENT_S

    def close(self, code: int) -> None:
        """Hang up once."""
        if not self.closed:
            self.closed = True
            self._outbound.close(code)

    def revoke(self) -> None:
        """Tell that all rights ended, then hang up."""
        for topic in sorted(self.topics):
            self.send(frames.pack("revoked", topic=topic))
        self.close(frames.FORBIDDEN)
