"""From the inbox into the database: one transaction per batch, acknowledged after commit."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime

from django.db import InterfaceError, OperationalError, connection

from base_ops.core.errors import Unavailable
from devices import services as devices
from devices.bridge.inbox import Inbox, Received
from devices.bridge.line import Line
from devices.bridge.tally import POISON, Tally
from devices.domain import codec
from devices.domain.messages import Incoming

logger = logging.getLogger(__name__)
BATCH = 1000
IDLE_S = 0.5
RETRY_S = (0.05, 5.0)
# SQLSTATE classes that pass by themselves: connection, rollback, resources, intervention, locks.
PASSING_ERRORS = (OperationalError, InterfaceError, Unavailable)
PASSING = ("08", "40", "53", "55", "57", "58")


class Pump:
    """Takes what there is: under load batches grow by themselves, otherwise nothing waits."""

    def __init__(
        self, inbox: Inbox, line: Line, tally: Tally, now: Callable[[], datetime]
    ) -> None:
        self._inbox, self._line, self._tally, self._now = inbox, line, tally, now
        self.progress_at = time.monotonic()

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; what is not committed then is not acknowledged."""
        while not stop.is_set():
            batch = self._inbox.take(BATCH, IDLE_S)
            if batch and self._commit(self._decode(batch), stop):
                self._line.ack(batch)
            self.progress_at = time.monotonic()
        connection.close()

    def _decode(self, batch: Sequence[Received]) -> list[Incoming]:
        decoded: list[Incoming] = []
        decode = codec.decode
        for raw in batch:
            if raw.echo:
                continue
            try:
                decoded.append(decode(raw.topic, raw.payload, retained=raw.retained))
            except codec.CodecError as refused:
                self._tally.refuse(refused.reason)
                if refused.reason != "empty":
                    logger.warning(
                        "bridge.message_refused",
                        extra={"reason": refused.reason, "topic": raw.topic[:120]},
                    )
        return decoded

    def _commit(self, batch: Sequence[Incoming], stop: threading.Event) -> bool:
        """Whether all of it is dealt with; not, when stopped while the database is gone."""
        wait_s = RETRY_S[0]
        while batch:
            try:
                devices.ingest(batch, self._now())
            except PASSING_ERRORS as exc:
                if not _passes(exc):
                    return self._halve(batch, exc, stop)
                logger.warning("bridge.database_unavailable", extra={"why": str(exc)[:200]})
                connection.close()
                self.progress_at = time.monotonic()  # waiting, not stuck
                if stop.wait(wait_s):
                    return False
                wait_s = min(RETRY_S[1], wait_s * 2)
            except Exception as exc:  # noqa: BLE001 - the rest goes on
                return self._halve(batch, exc, stop)
            else:
                self._tally.process(len(batch), self._now())
                return True
        return True

    def _halve(self, batch: Sequence[Incoming], exc: Exception, stop: threading.Event) -> bool:
        """Find the message that the database refuses, count it and go on without it."""
        self.progress_at = time.monotonic()
        if len(batch) == 1:
            self._tally.refuse(POISON)
            logger.error("bridge.poison", exc_info=exc, extra={"device": batch[0].device})
            return True
        middle = len(batch) // 2
        return self._commit(batch[:middle], stop) and self._commit(batch[middle:], stop)


def _passes(exc: Exception) -> bool:
    """Whether trying again can help."""
    state = getattr(exc.__cause__, "sqlstate", None)
    return state is None or state[:2] in PASSING
