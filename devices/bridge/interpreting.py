"""Foreign messages become ours: read by conventions and bindings, which never touch anything.

A draft holds what a batch led to; the interpreter remembers it only when the database does.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from devices.bridge.inbox import Received
from devices.bridge.tally import Tally
from devices.domain.conventions import filters
from devices.domain.conventions.convention import Binding, Convention, Heard, Memory
from devices.domain.conventions.refusal import CodecError
from devices.domain.messages import Incoming
from devices.services.foreign import Word

logger = logging.getLogger(__name__)
MAX_BYTES = 4 * 1024 * 1024  # a hub describes its whole network in one message


@dataclass(slots=True)
class Bound:
    """A foreign device in service."""

    device_id: int
    code: str
    digest: str
    binding: Binding
    memory: Memory


@dataclass(slots=True)
class Draft:
    """What a batch led to, not yet committed."""

    words: list[Word] = field(default_factory=list)
    said: list[Incoming] = field(default_factory=list)
    memories: dict[int, Memory] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to be written."""
        return not (self.words or self.said or self.memories)


class Interpreter:
    """All bindings of the devices in service, and who speaks on which topic."""

    def __init__(self, conventions: Mapping[str, Convention], tally: Tally) -> None:
        self._conventions, self._tally = conventions, tally
        self.bound: dict[int, Bound] = {}
        self._exact: dict[str, list[Bound]] = {}
        self._wild: list[tuple[str, Bound]] = []

    @property
    def filters(self) -> frozenset[str]:
        """What must be subscribed to: the conventions' roots, and topics beyond them."""
        roots = [root for one in self._conventions.values() for root in one.roots]
        topics = [t for bound in self.bound.values() for t in bound.binding.topics]
        return filters.fewest([*roots, *topics])

    def replace(self, bound: Iterable[Bound], gone: Iterable[int]) -> None:
        """Take new bindings in, and let others go."""
        for one in bound:
            self.bound[one.device_id] = one
        for device_id in gone:
            self.bound.pop(device_id, None)
        exact: dict[str, list[Bound]] = defaultdict(list)
        self._wild = []
        for one in self.bound.values():
            for topic in one.binding.topics:
                if filters.is_wild(topic):
                    self._wild.append((topic, one))
                else:
                    exact[topic].append(one)
        self._exact = dict(exact)

    def read(self, batch: Sequence[Received], now_ms: int) -> Draft:
        """What these messages lead to."""
        draft = Draft()
        for raw in batch:
            if len(raw.payload) > MAX_BYTES:
                self._tally.refuse("too-long")
                continue
            self._discover(raw, draft)
            for bound in self._speaking(raw.topic):
                self._hear(bound, raw, now_ms, draft)
        return draft

    def _discover(self, raw: Received, draft: Draft) -> None:
        for name, convention in self._conventions.items():
            if not any(filters.covers(root, raw.topic) for root in convention.roots):
                continue
            try:
                found = convention.discover(raw.topic, raw.payload, retained=raw.retained)
            except CodecError as exc:
                self._refuse(exc, raw)
                continue
            if found is not None:
                draft.words.append(Word(name, found))

    def _speaking(self, topic: str) -> list[Bound]:
        found = list(self._exact.get(topic, ()))
        return found + [b for pattern, b in self._wild if filters.covers(pattern, topic)]

    def _hear(self, bound: Bound, raw: Received, now_ms: int, draft: Draft) -> None:
        memory = draft.memories.get(bound.device_id, bound.memory)
        try:
            heard = bound.binding.heard(
                memory, raw.topic, raw.payload, retained=raw.retained, now_ms=now_ms
            )
        except CodecError as exc:
            if exc.reason != "unknown-topic":
                self._refuse(exc, raw)
            return
        self.note(bound, heard, draft)

    def note(self, bound: Bound, heard: Heard, draft: Draft) -> None:
        """Add to a draft what one device said or forgot."""
        before = draft.memories.get(bound.device_id, bound.memory)
        if heard.memory is not before:
            draft.memories[bound.device_id] = heard.memory
        draft.said += heard.said
        for fault in heard.faults:
            self._tally.refuse(fault.reason)

    def memory(self, bound: Bound, draft: Draft) -> Memory:
        """What a device remembers after a draft."""
        return draft.memories.get(bound.device_id, bound.memory)

    def commit(self, draft: Draft) -> None:
        """The database has it: remember."""
        for device_id, memory in draft.memories.items():
            if (bound := self.bound.get(device_id)) is not None:
                bound.memory = memory

    def _refuse(self, exc: CodecError, raw: Received) -> None:
        self._tally.refuse(exc.reason)
        if exc.reason != "empty":
            logger.warning(
                "bridge.message_refused",
                extra={"reason": exc.reason, "topic": raw.topic[:120], "why": str(exc)[:200]},
            )
