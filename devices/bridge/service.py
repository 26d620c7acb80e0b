"""The bridge process: its parts, their threads, its pulse and its watchdog."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import Error, connection

from devices import services as devices
from devices.bridge import tally as tallies
from devices.bridge.foreign import ForeignLine
from devices.bridge.inbox import Inbox
from devices.bridge.line import Address, Line
from devices.bridge.outlet import Outlet
from devices.bridge.pump import Pump
from devices.bridge.snapshot import read_snapshot
from devices.bridge.tally import Tally
from devices.domain.conventions.convention import Convention
from devices.domain.conventions.known import CONVENTIONS

logger = logging.getLogger(__name__)
BEAT_S = 1.0
END_S = 3.0
UNHEARD_AFTER_S = 3.0


@dataclass(frozen=True, slots=True)
class Setup:
    """How one bridge runs. With `group`, several share the messages by MQTT 5."""

    address: Address
    name: str = "base-ops-bridge"
    group: str = ""
    stuck_after_s: float = 30.0
    conventions: Mapping[str, Convention] = field(default_factory=lambda: CONVENTIONS)


class Stuck(Exception):
    """Messages wait and nothing moves: end, so that the supervisor starts afresh."""


class Bridge:
    """Messages in, commands out, a heartbeat row; `run` in the main thread."""

    def __init__(self, setup: Setup, now: Callable[[], datetime]) -> None:
        self._setup, self._now = setup, now
        self.tally, self.inbox = Tally(), Inbox()
        self._line = Line(setup.address, setup.name, self.inbox, group=setup.group)
        self._pump = Pump(self.inbox, self._line, self.tally, now)
        self._outlet = Outlet(self._line, now)
        self.foreign = ForeignLine(
            setup.address, setup.group or setup.name, setup.conventions, self.tally, now
        )
        self._halt = threading.Event()
        self._down_since: float | None = time.monotonic()

    @property
    def connected(self) -> bool:
        """Whether the broker hears us and has our subscription."""
        return self._line.subscribed.is_set()

    def run(self, stop: threading.Event) -> None:
        """Run until told to stop.

        Raises:
            Stuck: messages wait, but none was processed for `stuck_after_s`; or a part died.
        """
        parts = [
            threading.Thread(target=work, args=(self._halt,), name=name, daemon=True)
            for name, work in (
                ("pump", self._pump.run),
                ("outlet", self._outlet.run),
                ("foreign", self.foreign.run),
                ("snapshots", self._read_snapshots),
                ("pulse", self._beat_on),
            )
        ]
        for part in parts:
            part.start()
        self._line.start()
        try:
            while not stop.wait(BEAT_S):
                self._look_after(parts)  # without the database: it may be what we are stuck on
        finally:
            self._end(parts)

    def _look_after(self, parts: list[threading.Thread]) -> None:
        if dead := [part.name for part in parts if not part.is_alive()]:
            raise Stuck(f"ended by itself: {', '.join(dead)}")
        waiting, idle_s = len(self.inbox), time.monotonic() - self._pump.progress_at
        tallies.QUEUED.set(waiting)
        if waiting and idle_s > self._setup.stuck_after_s:
            raise Stuck(f"{waiting} messages wait, nothing processed for {idle_s:.0f} s")
        if time.monotonic() - self.foreign.progress_at > self._setup.stuck_after_s:
            raise Stuck("the foreign devices' line stands still")

    def _beat_on(self, stop: threading.Event) -> None:
        while not stop.wait(BEAT_S):
            self._beat()
        self._beat(leaving=True)
        connection.close()

    def _beat(self, *, leaving: bool = False) -> None:
        connected = self._line.up.is_set() and not leaving
        try:
            self._note_silence(connected=connected)
            devices.bridge_beat(
                bridge=self._setup.name,
                connected=connected,
                last_processed_at=self.tally.last_processed_at,
                processed=self.tally.processed,
                refused=self.tally.reasons,
                now=self._now(),
            )
        except Error as exc:
            logger.warning("bridge.no_pulse", extra={"why": str(exc)[:200]})
            connection.close()

    def _note_silence(self, *, connected: bool) -> None:
        """Without the broker we know nothing: after a moment all online devices are stale."""
        if connected or self._halt.is_set():
            self._down_since = None
            return
        began = self._down_since = self._down_since or time.monotonic()
        if time.monotonic() - began > UNHEARD_AFTER_S:
            devices.mark_stale(self._now(), silence=timedelta(0))

    def _read_snapshots(self, stop: threading.Event) -> None:
        """After each connect, what the broker kept."""
        seen = 0
        while not stop.wait(0.1):
            life = self._line.life
            if life == seen or not self._line.up.is_set():
                continue
            try:
                name = f"{self._setup.name}-snapshot"
                read_snapshot(self._setup.address, name, self.inbox, stop)
                seen = life
            except OSError as exc:
                logger.warning("bridge.no_snapshot", extra={"why": str(exc)})
                stop.wait(1.0)

    def _end(self, parts: list[threading.Thread]) -> None:
        self._halt.set()
        self.inbox.close()
        self.foreign.inbox.close()
        deadline = time.monotonic() + END_S
        for part in parts:
            part.join(max(0.0, deadline - time.monotonic()))
        self._line.stop()
        logger.info("bridge.stopped", extra={"processed": self.tally.processed})
