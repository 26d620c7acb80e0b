"""When the code at a door changes, and how long one counts. Pure arithmetic of seconds."""

from datetime import UTC, datetime, timedelta

STEP = timedelta(seconds=30)
COUNTS = timedelta(seconds=90)
AHEAD = timedelta(seconds=30)  # the clock of the process that signed it may be so far ahead


def slot_of(now: datetime) -> int:
    """The number of the half minute."""
    return int(now.timestamp() // STEP.total_seconds())


def start_of(slot: int) -> datetime:
    """When a half minute begins."""
    return datetime.fromtimestamp(slot * STEP.total_seconds(), UTC)


def counts(slot: int, now: datetime) -> bool:
    """Whether a code of that half minute still counts, and already does."""
    age = now - start_of(slot)
    return -AHEAD <= age < COUNTS
