"""What a foreign convention is: how strangers announce themselves, speak, and are told.

Two steps. `Convention.discover` reads announcements, without memory: each topic announces devices,
and whatever a topic says replaces what it said before. Who keeps the documents hands those of one
device to `Convention.bind`, which compiles them once. The `Binding` then turns that device's
messages into ours and our commands into its own.

Pure throughout: the time is given, and what must be remembered is a `Memory` that the caller
keeps: plain JSON, never changed in place, meaningful to its binding only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from devices.domain import capabilities, messages
from devices.domain.conventions.refusal import Reason
from devices.domain.conventions.wire import Published

Memory = Mapping[str, Any]
Documents = Mapping[str, Mapping[str, Any]]  # of one device: discovery topic → what it announced


@dataclass(frozen=True, slots=True)
class About:
    """What a device says it is; `kind` is one of ours where that is clear, else empty.

    `via` is the key of the hub that it hangs on, which may never announce itself.
    """

    kind: str = ""
    name: str = ""
    manufacturer: str = ""
    model: str = ""
    firmware: str = ""
    serial: str = ""
    via: str = ""


@dataclass(frozen=True, slots=True)
class Announced:
    """One device in an announcement; `key` is its lasting name within the convention."""

    key: str
    document: Mapping[str, Any]
    about: About


@dataclass(frozen=True, slots=True)
class Announcement:
    """What one topic says now, in place of all it said before.

    No devices: what it announced is gone, and a device of which no document is left is an orphan.
    `moving`: the topic lets go of what it announced because another topic is about to take over;
    keep its documents until that has happened, or until the topic says that they are gone.
    """

    topic: str
    devices: tuple[Announced, ...] = ()
    moving: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """A part of a message that was refused, without harm to the rest."""

    where: str  # the entity or field
    reason: Reason
    why: str


@dataclass(frozen=True, slots=True)
class Heard:
    """What a message, or time passing, led to; `said` is in order."""

    memory: Memory
    said: Sequence[messages.Incoming] = ()
    faults: Sequence[Fault] = field(default=())


class Binding(Protocol):
    """One device of a foreign convention, compiled from its documents."""

    @property
    def topics(self) -> frozenset[str]:
        """The filters on which it speaks."""

    @property
    def capabilities(self) -> capabilities.Table:
        """What it may be told, in our keys where the meaning is ours."""

    def begin(self, now_ms: int) -> Memory:
        """The memory of a device that we know nothing of yet."""

    def resume(self, memory: Memory, now_ms: int) -> Memory:
        """A memory of an earlier binding of the same device, without what exists no more."""

    def heard(
        self, memory: Memory, topic: str, payload: bytes, *, retained: bool, now_ms: int
    ) -> Heard:
        """What it says.

        Raises:
            CodecError: and nothing else, whatever topic and payload are.
        """

    def due_ms(self, memory: Memory) -> int | None:
        """When something changes by itself (a value expires), or None; then call `passed`."""

    def passed(self, memory: Memory, now_ms: int) -> Heard:
        """What changed because time passed."""

    def lost(self, memory: Memory, now_ms: int) -> Heard:
        """The line to the broker broke: what was said of presence holds no more."""

    def vouched(self, memory: Memory, now_ms: int) -> messages.Status | None:
        """That it is there, as its availability topic still says; repeat while the line holds.

        None when nothing vouches for it: then its own messages are the only signs of life.
        """

    def encode(
        self, memory: Memory, command: messages.Outgoing, now_ms: int
    ) -> Sequence[Published]:
        """The messages of a command, in order; never none.

        Raises:
            BadState, NotControllable: it cannot be told this.
        """

    def sent(self, memory: Memory, command: messages.Outgoing, now_ms: int) -> Heard:
        """After the broker took all messages of a command; what is assumed where nothing tells."""

    def observed(self, memory: Memory, command: messages.Outgoing) -> bool | None:
        """Whether the device reports what the command asks; None where it never reports it."""


class Convention(Protocol):
    """A way to announce and drive devices that others invented."""

    @property
    def name(self) -> str:
        """Lasting; stored beside the documents."""

    @property
    def roots(self) -> tuple[str, ...]:
        """The filters on which devices announce themselves."""

    def discover(self, topic: str, payload: bytes, *, retained: bool) -> Announcement | None:
        """Read an announcement; None when the topic announces nothing in this convention.

        Raises:
            CodecError: and nothing else; BadDiscovery says where and why.
        """

    def bind(self, documents: Documents, device: str) -> Binding:
        """Compile the documents of the device that we call `device`.

        Raises:
            BadDiscovery: they contradict each other or make no sense together.
        """
