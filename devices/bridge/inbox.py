"""Between the network thread and the database: two bounded queues.

What must not be lost (QoS 1, retained) blocks the network when it is full, so the broker keeps it.
What may be lost (QoS 0) loses its oldest.
"""

import threading
import time
from collections import deque
from dataclasses import dataclass

from devices.bridge import tally

LINGER_S = 0.003


@dataclass(frozen=True, slots=True)
class Received:
    """One message as it came.

    `life` is the connection whose packet id `mid` belongs to; an `echo` is a command of our own.
    """

    topic: str
    payload: bytes
    retained: bool
    qos: int
    mid: int = 0
    life: int = 0
    echo: bool = False


class Inbox:
    """Many putters, one taker."""

    def __init__(self, *, durable: int = 20_000, droppable: int = 20_000) -> None:
        self._durable: deque[Received] = deque()
        self._droppable: deque[Received] = deque()
        self._room, self._loss_at = durable, droppable
        self._changed = threading.Condition()
        self._closed = self._waiting = False

    def put(self, message: Received) -> None:
        """Keep it; waits while the queue of what must not be lost is full."""
        with self._changed:
            if message.qos == 0 and not message.retained:
                if len(self._droppable) >= self._loss_at:
                    self._droppable.popleft()
                    tally.DROPPED.inc()
                self._droppable.append(message)
            else:
                self._changed.wait_for(self._has_room)
                self._durable.append(message)
            if self._waiting:
                self._changed.notify_all()

    def take(self, limit: int, timeout_s: float) -> list[Received]:
        """What there is, at most `limit` of each queue; empty when nothing came in time."""
        with self._changed:
            self._waiting = True
            self._changed.wait_for(lambda: len(self) > 0 or self._closed, timeout_s)
            self._waiting = False
            few = 0 < len(self) < limit and not self._closed
        if few:  # what is on its way comes along: a transaction costs far more than a message
            time.sleep(LINGER_S)
        with self._changed:
            taken = [
                queue.popleft()
                for queue in (self._durable, self._droppable)
                for _ in range(min(limit, len(queue)))
            ]
            self._changed.notify_all()
            return taken

    def close(self) -> None:
        """Let nobody wait any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __len__(self) -> int:
        return len(self._durable) + len(self._droppable)

    def _has_room(self) -> bool:
        return self._closed or len(self._durable) < self._room
