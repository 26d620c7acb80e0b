"""From the Command table, which is the outbox, to the broker: NOTIFY wakes us, a poll backs it."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime

import psycopg
from django.db import InterfaceError, OperationalError, connection

from devices import services as devices
from devices.bridge import tally
from devices.bridge.line import Line
from devices.domain import codec
from devices.models import Command

logger = logging.getLogger(__name__)
CLAIM = 200
POLL_S = 0.2
CONFIRM_S = 2.0
RETRY_S = 1.0


class Outlet:
    """Claims only while the broker is there, so nothing waits in memory past its expiry."""

    def __init__(self, line: Line, now: Callable[[], datetime]) -> None:
        self._line, self._now = line, now

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; survives the database."""
        while not stop.is_set():
            try:
                self._serve(stop)
            except (psycopg.OperationalError, OperationalError, InterfaceError) as exc:
                logger.warning("bridge.outlet_waits", extra={"why": str(exc)[:200]})
                connection.close()
                stop.wait(RETRY_S)
        connection.close()

    def _serve(self, stop: threading.Event) -> None:
        with contextlib.closing(_listen()) as listener:
            while not stop.is_set():
                more = self._line.up.is_set() and self.send_due() == CLAIM
                if not more:
                    for _ in listener.notifies(timeout=POLL_S, stop_after=1):
                        pass

    def send_due(self) -> int:
        """Publish what is queued now; returns how many were claimed."""
        claimed = devices.claim_commands(CLAIM, self._now())
        taken = self._publish(claimed)
        if taken:
            devices.commands_published(taken, self._now())
            tally.PUBLISHED.inc(len(taken))
        return len(claimed)

    def _publish(self, claimed: Sequence[Command]) -> list[str]:
        """The ids that the broker confirmed; the rest is claimed again when its lease ends."""
        handed = []
        for command in claimed:
            message = codec.encode(command.outgoing.sent_at(self._now()))
            if lifetime_s := message.lifetime_s(self._now()):
                handed.append((command.pk, self._line.publish(message, lifetime_s)))
        deadline = time.monotonic() + CONFIRM_S
        taken = []
        for pk, info in handed:
            with contextlib.suppress(RuntimeError, ValueError):  # not connected, or queue full
                info.wait_for_publish(max(0.0, deadline - time.monotonic()))
                if info.is_published():
                    taken.append(pk)
        return taken


def _listen() -> psycopg.Connection[tuple[object, ...]]:
    """A connection of its own that hears of queued commands."""
    params = connection.get_connection_params()
    names = ("dbname", "user", "password", "host", "port", "connect_timeout")
    listener = psycopg.connect(
        autocommit=True, **{name: params[name] for name in names if params.get(name)}
    )
    listener.execute(f"LISTEN {devices.COMMANDS_CHANNEL}")
    return listener
