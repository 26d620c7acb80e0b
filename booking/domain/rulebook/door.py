"""The door: when a stay may begin, and when a room nobody came to is given away."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from base_ops.core.spans import Span


@dataclass(frozen=True, slots=True)
class Door:
    """What the rules say of one space and renter.

    `opens` is how long before the start, None: when setup begins; `grace` None: never given away.
    Without check-in the room is simply the renter's for the booked time.
    """

    needed: bool = True
    opens: timedelta | None = None
    grace: timedelta | None = timedelta(minutes=20)


class Refusal(StrEnum):
    """Why somebody cannot check in."""

    NOT_NEEDED = "not_needed"
    TOO_EARLY = "too_early"
    TOO_LATE = "too_late"


def opens_at(door: Door, span: Span, *, setup: timedelta) -> datetime:
    """The first instant at which one may check in."""
    return span.start - (setup if door.opens is None else door.opens)


def closes_at(door: Door, span: Span) -> datetime:
    """The last instant at which one may check in; at the end of the span nobody may any more."""
    return span.end if door.grace is None else min(span.start + door.grace, span.end)


def refusal(
    door: Door, span: Span, *, setup: timedelta, kept: bool, now: datetime
) -> Refusal | None:
    """Why one cannot check in now; `kept` rooms (on air) are not given away before the end."""
    if not door.needed:
        return Refusal.NOT_NEEDED
    if now < opens_at(door, span, setup=setup):
        return Refusal.TOO_EARLY
    if now >= span.end or (now > closes_at(door, span) and not kept):
        return Refusal.TOO_LATE
    return None


def given_away(door: Door, span: Span, *, kept: bool, now: datetime) -> bool:
    """Whether a room nobody checked in to is released."""
    if not door.needed or door.grace is None or kept:
        return False
    return now >= span.start + door.grace


def may_check_out(door: Door, *, checked_in: bool) -> bool:
    """Only who is in can leave."""
    return door.needed and checked_in
