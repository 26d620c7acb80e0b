"""When a room could not go live, proven by what its devices said and did. Pure.

A kind of equipment is out while every device of it in the room is out, each proven; the room is
out while some kind that a show needs is. A second camera that fails is a nuisance, the last one
an outage. Silence proves nothing: the base may have been deaf.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from base_ops.core.spans import Span, merged


class Cause(StrEnum):
    """What was wrong with a device."""

    OFFLINE = "offline"  # its farewell or its will: the broker saw the connection end
    UPLINK = "uplink"  # on air with a bad uplink, by its own measurements
    SILENT = "silent"  # no sign of life


PROVEN = frozenset({Cause.OFFLINE, Cause.UPLINK})
NEEDED = ("encoder", "camera", "light", "network")


@dataclass(frozen=True, slots=True)
class Spell:
    """One device that was out; `evidence` is what it was seen by."""

    device: str
    kind: str
    cause: Cause
    span: Span
    evidence: Mapping[str, Any] = field(default_factory=dict)
    running: bool = False

    @property
    def is_proven(self) -> bool:
        """Whether it would stand up to somebody who doubts it."""
        return self.cause in PROVEN


def room_out(spells: Sequence[Spell], *, sizes: Mapping[str, int], within: Span) -> list[Span]:
    """The proven outages of a room within a time, apart from each other, in order.

    Args:
        spells: of the room's devices, and of the base's network.
        sizes: how many devices there are of each kind.
        within: the time of the booking.
    """
    return merged(
        part
        for kind in NEEDED
        if sizes.get(kind)
        for part in _all_out([s for s in spells if s.kind == kind], sizes[kind], within)
    )


def _all_out(spells: Sequence[Spell], size: int, within: Span) -> list[Span]:
    """While at least `size` devices were out at once."""
    steps: list[tuple[datetime, int]] = []
    for device in sorted({s.device for s in spells}):
        parts = (s.span.intersect(within) for s in spells if s.device == device and s.is_proven)
        for part in merged(p for p in parts if p is not None):
            steps += [(part.start, 1), (part.end, -1)]
    found: list[Span] = []
    out, since = 0, within.start
    for at, step in sorted(steps):
        if out >= size and at > since:
            found.append(Span(since, at))
        out, since = out + step, at
    return merged(found)


def minutes(spans: Sequence[Span]) -> int:
    """Whole minutes of spans apart from each other."""
    return sum((s.length for s in spans), timedelta(0)) // timedelta(minutes=1)
