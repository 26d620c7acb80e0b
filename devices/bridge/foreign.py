"""The line to devices of foreign conventions: one bridge at a time, one thread for all of it.

Announcements, messages, commands and the passing of time are dealt with one after another, so
that a memory has one owner. What is remembered is committed with what it led to: whoever takes
over goes on from there. Where a brand does not answer commands, its reports do.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import psycopg
from django.db import InterfaceError, OperationalError, connection
from paho.mqtt.client import MQTTMessageInfo

from base_ops.core.errors import DomainError, Unavailable
from devices import directory
from devices import services as devices
from devices.bridge import tally
from devices.bridge.inbox import Inbox, Received
from devices.bridge.interpreting import Bound, Draft, Interpreter
from devices.bridge.line import Address, Line
from devices.bridge.owning import Ownership
from devices.bridge.snapshot import read_snapshot
from devices.bridge.tally import POISON, Tally
from devices.domain.commands import IN_FLIGHT
from devices.domain.conventions import filters
from devices.domain.conventions.convention import Convention
from devices.domain.conventions.refusal import CodecError
from devices.domain.messages import Ack
from devices.models import Command
from devices.services import foreign

logger = logging.getLogger(__name__)
BATCH = 1000
LOOK_S = 0.05
SEND_EVERY_S = 0.1
TICK_S = 1.0
VOUCH_EVERY_S = 15.0
CLAIM = 50
CONFIRM_S = 2.0
RETRY_S = 1.0
# A device that reports already what it is told may never report it again: believed after this.
SETTLED_S = 2.0
OVERDUE = timedelta(seconds=5)
DATABASE_ERRORS = (psycopg.OperationalError, OperationalError, InterfaceError, Unavailable)


class ForeignLine:
    """Takes part while this bridge is the owner; otherwise waits for its turn."""

    def __init__(
        self,
        address: Address,
        name: str,
        conventions: Mapping[str, Convention],
        counts: Tally,
        now: Callable[[], datetime],
    ) -> None:
        self._address, self._name = address, name
        self._conventions, self._tally, self._now = conventions, counts, now
        self.inbox = Inbox()
        self.interpreter = Interpreter(conventions, counts)
        self.progress_at = time.monotonic()
        self.handled = 0
        self._line: Line | None = None
        self._life = 0
        self._in_flight: dict[str, Command] = {}
        self._sent_at: dict[str, float] = {}
        self._sent_look = self._ticked = self._vouched = 0.0
        self._reading: threading.Thread | None = None
        self._unread: set[str] = set()

    @property
    def ready(self) -> bool:
        """Whether this bridge is the owner, and the broker hears it."""
        return self._line is not None and self._line.subscribed.is_set()

    @property
    def lost(self) -> bool:
        """Whether the line is down and every device's presence forgotten."""
        return self._life == 0

    @property
    def at_rest(self) -> bool:
        """Whether nothing that the broker keeps is still to be read."""
        busy = self._reading is not None and self._reading.is_alive()
        return not (busy or self._unread or len(self.inbox))

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; survives the database and waits while another is the owner."""
        ownership = Ownership()
        while not stop.is_set():
            self.progress_at = time.monotonic()
            try:
                if ownership.take():
                    self._serve(ownership, stop)
            except DATABASE_ERRORS as exc:
                logger.warning("foreign.waits", extra={"why": str(exc)[:200]})
                connection.close()
            finally:
                self._hang_up()
            stop.wait(RETRY_S)
        ownership.release()
        connection.close()

    def _serve(self, ownership: Ownership, stop: threading.Event) -> None:
        """Own the foreign devices until told to stop, or until the lock is lost."""
        self.interpreter = Interpreter(self._conventions, self._tally)
        self._life, self._in_flight, self._sent_at = 0, {}, {}
        self._take_up()
        self._refresh()
        self._lose()
        line = self._line = Line(
            self._address,
            f"{self._name}-foreign",
            self.inbox,
            topics=self.interpreter.filters,
            gauge=tally.FOREIGN,
        )
        line.start()
        logger.info("foreign.owned", extra={"devices": len(self.interpreter.bound)})
        while not stop.is_set():
            batch = self.inbox.take(BATCH, LOOK_S)
            self._watch_line(line)
            self._handle(batch)
            line.ack(batch)
            self.handled += len(batch)
            self.progress_at = time.monotonic()
            self._send(line)
            if time.monotonic() - self._ticked >= TICK_S:
                if not ownership.take():
                    return
                self._tick(line, stop)

    def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.stop()

    def _take_up(self) -> None:
        """Commands that were sent before this bridge became the owner."""
        rows = Command.objects.filter(status__in=IN_FLIGHT, device__foreign__isnull=False)
        for command in rows.select_related("device", "grant"):
            self._in_flight[command.pk] = command
            self._sent_at[command.pk] = time.monotonic()

    # What comes in.

    def _watch_line(self, line: Line) -> None:
        """Without the line nothing is known of presence, until the broker says it again."""
        up = line.up.is_set()
        if self._life and (not up or line.life != self._life):
            self._life = 0
            self._lose()
        if up and self._life != line.life:
            self._life = line.life
            self._unread |= self.interpreter.filters

    def _lose(self) -> None:
        now_ms = self._now_ms()
        draft = Draft()
        for bound in self.interpreter.bound.values():
            heard = bound.binding.lost(self.interpreter.memory(bound, draft), now_ms)
            self.interpreter.note(bound, heard, draft)
        self._commit(draft)

    def _handle(self, batch: Sequence[Received]) -> None:
        if not batch:
            return
        try:
            self._understand(batch)
        except DATABASE_ERRORS:
            raise
        except Exception:
            if len(batch) == 1:
                self._tally.refuse(POISON)
                logger.exception("foreign.poison", extra={"topic": batch[0].topic[:120]})
                return
            middle = len(batch) // 2
            self._handle(batch[:middle])
            self._handle(batch[middle:])

    def _understand(self, batch: Sequence[Received]) -> None:
        draft = self.interpreter.read(batch, self._now_ms())
        self._observe(draft)
        if draft.words and foreign.announced(draft.words, self._now()):
            self._commit(draft)  # as the devices were before
            self._refresh()
        else:
            self._commit(draft)
        self._tally.process(len(batch), self._now())

    def _commit(self, draft: Draft, published: Sequence[str] = ()) -> None:
        if draft.said or draft.memories or published:
            foreign.heard(draft.said, draft.memories, published, self._now())
        self.interpreter.commit(draft)

    def _refresh(self) -> None:
        """Bind what came into service or was announced anew; let go of what left."""
        rows = {row.device_id: row for row in foreign.in_service()}
        bound = self.interpreter.bound
        new = [
            one
            for row in rows.values()
            if row.convention in self._conventions
            and (row.device_id not in bound or bound[row.device_id].digest != row.digest)
            and (one := self._bind(row)) is not None
        ]
        gone = bound.keys() - rows.keys()
        if not new and not gone:
            return
        directory.forget()  # what came into service may be known here as a stranger
        self.interpreter.replace(new, gone)
        if self._line is not None:
            self._line.listen(self.interpreter.filters)
        self._unread |= {topic for one in new for topic in one.binding.topics}

    def _bind(self, row: foreign.Row) -> Bound | None:
        documents, saved = foreign.documents_of(row.device_id)
        try:
            binding = self._conventions[row.convention].bind(documents, row.code)
        except CodecError as exc:
            logger.warning("foreign.unbound", extra={"device": row.code, "why": str(exc)[:200]})
            return None
        held = self.interpreter.bound.get(row.device_id)
        memory = held.memory if held is not None else saved
        now_ms = self._now_ms()
        begun = binding.begin(now_ms) if memory is None else binding.resume(memory, now_ms)
        return Bound(row.device_id, row.code, row.digest, binding, begun)

    # What goes out.

    def _send(self, line: Line) -> None:
        if not line.up.is_set() or time.monotonic() - self._sent_look < SEND_EVERY_S:
            return
        self._sent_look = time.monotonic()
        claimed = devices.claim_commands(CLAIM, self._now(), foreign=True)
        if not claimed:
            return
        handed = [(c, infos) for c in claimed if (infos := self._publish(c, line)) is not None]
        deadline = time.monotonic() + CONFIRM_S
        taken = []
        for command, infos in handed:
            with contextlib.suppress(RuntimeError, ValueError):  # not connected, or queue full
                for info in infos:
                    info.wait_for_publish(max(0.0, deadline - time.monotonic()))
                if all(info.is_published() for info in infos):
                    taken.append(command)
        self._note_sent(taken)

    def _publish(self, command: Command, line: Line) -> Sequence[MQTTMessageInfo] | None:
        """Hand a command over in the device's own words; None when it has none for it."""
        bound = self.interpreter.bound.get(command.device_id)
        if bound is None:
            self._refuse(command, "not_bound")
            return None
        try:
            messages = bound.binding.encode(bound.memory, command.outgoing, self._now_ms())
        except DomainError as exc:
            self._refuse(command, exc.code)
            return None
        if not all(message.lifetime_s(self._now()) for message in messages):
            return None
        return [line.publish(m, m.lifetime_s(self._now())) for m in messages]

    def _refuse(self, command: Command, code: str) -> None:
        foreign.refuse_command(
            command_id=command.pk, device_id=command.device_id, code=code, now=self._now()
        )

    def _note_sent(self, taken: Sequence[Command]) -> None:
        draft, now_ms = Draft(), self._now_ms()
        for command in taken:
            bound = self.interpreter.bound[command.device_id]
            memory = self.interpreter.memory(bound, draft)
            heard = bound.binding.sent(memory, command.outgoing, now_ms)
            self.interpreter.note(bound, heard, draft)
            if bound.binding.observed(heard.memory, command.outgoing) is None:
                draft.said.append(Ack(bound.code, command.pk, "done", "not_observable"))
            else:
                self._in_flight[command.pk] = command
                self._sent_at[command.pk] = time.monotonic()
        self._commit(draft, [c.pk for c in taken])
        tally.PUBLISHED.inc(len(taken))

    def _observe(self, draft: Draft, *, settled: bool = False) -> None:
        """Close commands whose effect the devices report.

        `settled`: also those that asked for what was reported before, after a moment.
        """
        for command in list(self._in_flight.values()):
            bound = self.interpreter.bound.get(command.device_id)
            if bound is None or self._now() > command.expires_at + OVERDUE:
                self._forget(command)
                continue
            spoke = any(m.device == bound.code for m in draft.said)
            waited = time.monotonic() - self._sent_at[command.pk] >= SETTLED_S
            if not spoke and not (settled and waited):
                continue
            memory = self.interpreter.memory(bound, draft)
            if bound.binding.observed(memory, command.outgoing) is True:
                draft.said.append(Ack(bound.code, command.pk, "done", "observed"))
                self._forget(command)

    def _forget(self, command: Command) -> None:
        self._in_flight.pop(command.pk, None)
        self._sent_at.pop(command.pk, None)

    # What time brings.

    def _tick(self, line: Line, stop: threading.Event) -> None:
        self._ticked = time.monotonic()
        self._refresh()
        draft, now_ms = Draft(), self._now_ms()
        vouch = line.up.is_set() and self._ticked - self._vouched >= VOUCH_EVERY_S
        for bound in self.interpreter.bound.values():
            memory = self.interpreter.memory(bound, draft)
            due = bound.binding.due_ms(memory)
            if due is not None and due <= now_ms:
                self.interpreter.note(bound, bound.binding.passed(memory, now_ms), draft)
            if vouch and (status := bound.binding.vouched(bound.memory, now_ms)) is not None:
                draft.said.append(status)
        if vouch:
            self._vouched = self._ticked
        self._observe(draft, settled=True)
        self._commit(draft)
        if line.up.is_set():
            self._lay_ghosts(line)
            self._read_kept(stop)

    def _lay_ghosts(self, line: Line) -> None:
        """Publish empty retained messages where somebody confirmed it."""
        found = foreign.ghosts()
        infos = [(pk, line.publish_empty(topic)) for pk, topic in found]
        deadline = time.monotonic() + CONFIRM_S
        done = []
        for pk, info in infos:
            with contextlib.suppress(RuntimeError, ValueError):
                info.wait_for_publish(max(0.0, deadline - time.monotonic()))
                if info.is_published():
                    done.append(pk)
        if done:
            foreign.cleaned(done, self._now())

    def _read_kept(self, stop: threading.Event) -> None:
        """What the broker kept on topics that are new to us, read beside the live line."""
        if not self._unread or (self._reading is not None and self._reading.is_alive()):
            return
        topics, self._unread = sorted(filters.fewest(self._unread)), set()
        self._reading = threading.Thread(
            target=self._read, args=(topics, stop), name="foreign-snapshot", daemon=True
        )
        self._reading.start()

    def _read(self, topics: Sequence[str], stop: threading.Event) -> None:
        try:
            name = f"{self._name}-foreign-snapshot"
            read_snapshot(self._address, name, self.inbox, stop, topics)
        except OSError as exc:
            logger.warning("foreign.no_snapshot", extra={"why": str(exc)})
            self._unread |= set(topics)

    def _now_ms(self) -> int:
        return round(self._now().timestamp() * 1000)
