"""What a blackout is for, where it stands, and what it may span."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum

from base_ops.core.errors import FieldFault
from base_ops.core.spans import Span

LONGEST = timedelta(days=366)
HORIZON = timedelta(days=731)
LATE = timedelta(hours=24)


class BlackoutKind(StrEnum):
    """What for."""

    MAINTENANCE = "maintenance"
    EVENT = "event"


class BlackoutState(StrEnum):
    """Where it stands; only a cancellation is a deed, the rest is time's."""

    PLANNED = "planned"
    RUNNING = "running"
    OVER = "over"
    CANCELLED = "cancelled"


# Their names in here; the API's description has others' kinds and states too.
Kind = BlackoutKind
State = BlackoutState


def state(span: Span, *, cancelled: bool, now: datetime) -> State:
    """Where a blackout stands at an instant."""
    if cancelled:
        return State.CANCELLED
    if now < span.start:
        return State.PLANNED
    return State.RUNNING if now < span.end else State.OVER


def faults(span: Span, *, now: datetime) -> Iterator[FieldFault]:
    """What is wrong with the time; a fault found now may be noted up to a day late."""
    if span.start < now - LATE:
        yield FieldFault("starts_at", "最多补记 24 小时", "At most 24 hours in the past")
    if span.start > now + HORIZON:
        yield FieldFault("starts_at", "最多提前两年", "At most two years ahead")
    if span.end <= now:
        yield FieldFault("ends_at", "须晚于现在", "Must be in the future")
    if span.length > LONGEST:
        yield FieldFault("ends_at", "最长一年", "At most a year long")
