"""Who listens where, and one message on its way to them."""

from dataclasses import dataclass

from devices.domain.conventions.convention import Fault
from devices.domain.conventions.homeassistant.availability import Source
from devices.domain.conventions.homeassistant.templates import Payload


class Listeners:
    """Who listens on one filter."""

    __slots__ = ("slots", "sources")

    def __init__(self) -> None:
        self.sources: list[tuple[str, Source]] = []
        self.slots: list[tuple[int, str]] = []


class Payloads:
    """A payload in the encodings that are asked for, read once each."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._read: dict[str, Payload | None] = {}

    def text(self, encoding: str) -> Payload | None:
        """None when it is not in that encoding; bytes where there is none."""
        if encoding not in self._read:
            self._read[encoding] = self._as(encoding)
        return self._read[encoding]

    def _as(self, encoding: str) -> Payload | None:
        if not encoding:
            return Payload(self._payload)
        try:
            return Payload.of(self._payload.decode(encoding))
        except UnicodeError:
            return None


@dataclass(frozen=True, slots=True)
class Run:
    """One message on its way through the entities."""

    payloads: Payloads
    now_ms: int
    retained: bool
    faults: list[Fault]


def matches(pattern: list[str], parts: list[str]) -> bool:
    """Whether a topic fits a filter, both in parts."""
    for place, want in enumerate(pattern):
        if want == "#":
            return True
        if place >= len(parts) or want not in ("+", parts[place]):
            return False
    return len(pattern) == len(parts)
