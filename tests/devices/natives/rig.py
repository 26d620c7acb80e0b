"""A broker, a registry and a bridge in memory, around one convention: what the tests drive."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from devices.domain import messages
from devices.domain import shadow as shadows
from devices.domain.conventions.convention import Binding, Convention, Heard, Memory
from devices.domain.conventions.refusal import CodecError
from devices.domain.conventions.wire import Published
from devices.domain.shadow import Link, Shadow

START = datetime(2026, 3, 2, 20, 0, tzinfo=UTC)


def matches(pattern: str, topic: str) -> bool:
    """Whether an MQTT filter covers a topic."""
    parts = [re.escape(p) if p not in ("+", "#") else p for p in pattern.split("/")]
    text = "/".join("[^/]*" if p == "+" else p for p in parts)
    return (
        re.fullmatch(text.removesuffix("/#") + ("(/.*)?" if text.endswith("/#") else ""), topic)
        is not None
    )


class Rig:
    """All devices of one convention, each with its documents, binding, memory and shadow."""

    def __init__(self, convention: Convention) -> None:
        self.convention = convention
        self.now = START
        self.documents: dict[str, dict[str, Mapping[str, Any]]] = {}  # by key, then topic
        self.bindings: dict[str, Binding] = {}
        self.memories: dict[str, Memory] = {}
        self.shadows: dict[str, Shadow] = {}
        self.said: list[messages.Incoming] = []  # by the last message
        self.heard: list[Heard] = []
        self.refused: list[CodecError] = []
        self._commands = 0

    @property
    def now_ms(self) -> int:
        return round(self.now.timestamp() * 1000)

    @property
    def key(self) -> str:
        """The only device."""
        (key,) = self.documents
        return key

    def recv(self, topic: str, payload: str | bytes, *, retained: bool = False) -> None:
        """Deliver one message to discovery and to every device that listens."""
        self.now += timedelta(seconds=1)
        raw = payload.encode() if isinstance(payload, str) else payload
        self.said, self.heard, self.refused = [], [], []
        try:
            self._discover(topic, raw, retained=retained)
        except CodecError as exc:
            self.refused.append(exc)
        for key, binding in self.bindings.items():
            if any(matches(one, topic) for one in binding.topics):
                self._hear(key, binding, topic, raw, retained=retained)

    def _discover(self, topic: str, payload: bytes, *, retained: bool) -> None:
        found = self.convention.discover(topic, payload, retained=retained)
        if found is None:
            return
        named = {device.key: device.document for device in found.devices}
        for key in [key for key, docs in self.documents.items() if found.topic in docs]:
            if key not in named:
                del self.documents[key][found.topic]
        for key, document in named.items():
            self.documents.setdefault(key, {})[found.topic] = document
        for key in [key for key, docs in self.documents.items() if not docs]:
            del self.documents[key]
            self.bindings.pop(key, None)
        for key in named:
            try:
                self._bind(key)
            except CodecError as exc:  # one device that makes no sense takes no other with it
                self.refused.append(exc)

    def _bind(self, key: str) -> None:
        binding = self.convention.bind(self.documents[key], key)
        known = self.memories.get(key) if key in self.bindings else None
        self.bindings[key] = binding
        self.memories[key] = (
            binding.resume(known, self.now_ms) if known else binding.begin(self.now_ms)
        )
        self.shadows.setdefault(key, Shadow())

    def _hear(
        self, key: str, binding: Binding, topic: str, payload: bytes, *, retained: bool
    ) -> None:
        try:
            heard = binding.heard(
                self.memories[key], topic, payload, retained=retained, now_ms=self.now_ms
            )
        except CodecError as exc:
            self.refused.append(exc)
            return
        self._keep(key, heard)

    def _keep(self, key: str, heard: Heard) -> None:
        self.heard.append(heard)
        self.memories[key] = heard.memory
        self.said += heard.said
        for message in heard.said:
            assert message.device == key
            self.shadows[key] = shadows.merge(self.shadows[key], message, now=self.now)

    def outgoing(
        self, state: Mapping[str, Any], *, key: str | None = None, if_v: int | None = None
    ) -> messages.Outgoing:
        """A new command."""
        self._commands += 1
        return messages.Outgoing(
            id=f"01J{self._commands:023d}",
            device=key or self.key,
            op="set",
            state=state,
            expires_at=self.now + timedelta(minutes=1),
            if_v=if_v,
            actor="system:test",
            booking=None,
        )

    def publish(self, command: messages.Outgoing) -> list[Published]:
        """Send a command; it may be refused."""
        binding = self.bindings[command.device]
        published = list(binding.encode(self.memories[command.device], command, self.now_ms))
        assert published
        self._keep(
            command.device, binding.sent(self.memories[command.device], command, self.now_ms)
        )
        return published

    def command(self, state: Mapping[str, Any], *, key: str | None = None) -> list[Published]:
        """Send a new command."""
        return self.publish(self.outgoing(state, key=key))

    def observed(self, command: messages.Outgoing) -> bool | None:
        """Whether its effect shows."""
        return self.bindings[command.device].observed(self.memories[command.device], command)

    def link(self, key: str | None = None) -> Link:
        """As it is shown now."""
        shadow = self.shadows[key or self.key]
        return shadows.link_at(shadow.link, shadow.last_seen_at, self.now)

    def state(self, key: str | None = None) -> Mapping[str, Any]:
        """What it reports."""
        return self.shadows[key or self.key].reported or {}

    def metrics(self) -> dict[str, float]:
        """What the last message measured."""
        tele = [m for m in self.said if isinstance(m, messages.Tele)]
        return {name: value for m in tele for name, value in m.metrics.items()}

    def acks(self) -> list[messages.Ack]:
        """The answers in the last message."""
        return [m for m in self.said if isinstance(m, messages.Ack)]

    def events(self) -> list[messages.Event]:
        """What the last message says happened."""
        return [m for m in self.said if isinstance(m, messages.Event)]
