"""Which alternatives to a taken slot come first: near in time, equal in kind."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from base_ops.core.spans import Span

# What a difference is worth in minutes of waiting: people rather wait than miss what they need.
OTHER_TYPE_MIN = 120
MISSING_FEATURE_MIN = 60
SPARE_SEAT_MIN = 1


@dataclass(frozen=True, slots=True)
class Room:
    """A room as far as it can stand in for another."""

    code: str
    type_code: str
    capacity: int
    features: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Offer:
    """A free time in a room, compared with what was wished."""

    room: Room
    span: Span
    same_room: bool
    same_type: bool
    missing: tuple[str, ...]
    shift_min: int
    distance: int

    @property
    def kind(self) -> str:
        """What differs from the wish: its "time", its "space", or "both"."""
        if self.same_room:
            return "time"
        return "both" if self.shift_min else "space"


def offer(wished: Room, wish: Span, room: Room, start: datetime) -> Offer:
    """Compare one free start with the wish."""
    shift_min = round((start - wish.start) / timedelta(minutes=1))
    same_type = room.type_code == wished.type_code
    missing = tuple(sorted(wished.features - room.features))
    distance = (
        abs(shift_min)
        + (0 if same_type else OTHER_TYPE_MIN)
        + MISSING_FEATURE_MIN * len(missing)
        + SPARE_SEAT_MIN * abs(room.capacity - wished.capacity)
    )
    return Offer(
        room, Span(start, start + wish.length), room == wished, same_type, missing, shift_min,
        distance,
    )  # fmt: skip


def best(offers: Collection[Offer], *, times: int, rooms: int) -> list[Offer]:
    """So many other times of the room and so many other rooms, the least different first.

    Rooms that are free at the very time come before rooms that are not, whatever else differs:
    the wished time is why somebody searches time first.
    """
    ranked = sorted(offers, key=lambda o: (o.distance, o.span.start, o.room.code))
    same = [o for o in ranked if o.kind == "time"][:times]
    there = [o for o in ranked if o.kind == "space"]
    later = [o for o in ranked if o.kind == "both"]
    chosen = [*same, *(there + later)[:rooms]]
    return sorted(chosen, key=lambda o: (o.distance, o.span.start, o.room.code))
