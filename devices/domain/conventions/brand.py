"""The parts of a binding that are the same for every brand with an availability topic."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from devices.domain import messages
from devices.domain.capabilities import Table
from devices.domain.conventions import journal as journals
from devices.domain.conventions import lamp
from devices.domain.conventions.convention import Heard, Memory
from devices.domain.conventions.journal import Journal
from devices.domain.conventions.reading import MAX_BYTES
from devices.domain.conventions.refusal import CodecError
from devices.domain.conventions.wire import Published


@dataclass(frozen=True, slots=True)
class Told:
    """One message of a command."""

    topic: str
    payload: str
    qos: Literal[0, 1, 2] = 1


class Brand(ABC):
    """A device of a brand: what it hears and tells differs, how it is remembered does not.

    Args:
        device: what we call it.
        topics: the filters on which it speaks.
        via: its availability topic; when that changes, its presence is unknown again.
        table: what it may be told.
        reads: the keys that it only reports.
        silent: keys that it can be told and never reports.
    """

    def __init__(
        self,
        device: str,
        *,
        topics: frozenset[str],
        via: str,
        table: Table,
        reads: frozenset[str] = frozenset(),
        silent: frozenset[str] = frozenset(),
    ) -> None:
        self.device, self.topics, self.capabilities = device, topics, table
        self._via, self._reads, self._silent = via, reads, silent

    def begin(self, now_ms: int) -> Memory:
        """The memory of a device that we know nothing of yet."""
        return {**journals.begin(), "via": self._via}

    def resume(self, memory: Memory, now_ms: int) -> Memory:
        """A memory of an earlier binding, without what exists no more."""
        journal = Journal(self.device, memory, now_ms)
        known = self.capabilities.keys() | self._reads
        for part in ("state", "asked"):
            journal.memory[part] = {k: v for k, v in memory.get(part, {}).items() if k in known}
        if memory.get("via") != self._via:
            journal.unknown()
        return {**journal.memory, "via": self._via}

    def heard(
        self, memory: Memory, topic: str, payload: bytes, *, retained: bool, now_ms: int
    ) -> Heard:
        """What it says.

        Raises:
            CodecError: and nothing else, whatever topic and payload are.
        """
        if len(payload) > MAX_BYTES:
            raise CodecError("too-long")
        journal = Journal(self.device, memory, now_ms, retained=retained)
        self._hear(journal, topic, payload)
        return journal.close()

    def due_ms(self, memory: Memory) -> int | None:
        """Nothing changes by itself."""
        return None

    def passed(self, memory: Memory, now_ms: int) -> Heard:
        """Nothing changes by itself."""
        return Heard(memory)

    def lost(self, memory: Memory, now_ms: int) -> Heard:
        """The line to the broker broke: what was said of presence holds no more."""
        journal = Journal(self.device, memory, now_ms)
        journal.unknown()
        return journal.close()

    def vouched(self, memory: Memory, now_ms: int) -> messages.Status | None:
        """That it is there, as its availability topic still says."""
        return journals.vouched(self.device, memory, now_ms)

    def encode(
        self,
        memory: Memory,
        command: messages.Outgoing,
        now_ms: int,
    ) -> Sequence[Published]:
        """The messages of a command, in order.

        Raises:
            BadState, NotControllable: it cannot be told this.
        """
        lamp.check(command.state, self.capabilities)
        journals.check_version(memory, command)
        told = self._tell(memory, command)
        return [
            Published(t.topic, t.payload.encode(), command.expires_at, qos=t.qos) for t in told
        ]

    def sent(self, memory: Memory, command: messages.Outgoing, now_ms: int) -> Heard:
        """What was asked is remembered, to know it again in the device's own steps."""
        wanted = self._awaited(command.state)
        return journals.asked(self.device, memory, wanted, now_ms, near=self._near).close()

    def observed(self, memory: Memory, command: messages.Outgoing) -> bool | None:
        """Whether the device reports what the command asks; None where it never does."""
        wanted = self._awaited(command.state)
        return lamp.observed(memory, wanted, near=self._near, silent=self._silent)

    def _awaited(self, state: Mapping[str, Any]) -> Mapping[str, Any]:
        """The part of a wish that is sent and whose effect is waited for."""
        return lamp.awaited(state)

    def _near(self, key: str, asked: object, reported: object) -> bool:
        return lamp.near(key, asked, reported)

    @abstractmethod
    def _hear(self, journal: Journal, topic: str, payload: bytes) -> None:
        """Note in the journal what a message says."""

    @abstractmethod
    def _tell(self, memory: Memory, command: messages.Outgoing) -> list[Told]:
        """The messages of a command whose every key and value is within the capabilities."""
