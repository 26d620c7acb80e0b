"""Instances of a series that differ from their rule: moved, longer, shorter (RECURRENCE-ID)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Change:
    """When an instance really is."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance: known for ever by its original start, wherever it was moved."""

    recurrence_id: datetime
    start: datetime
    end: datetime


def instances(
    starts: Iterable[datetime],
    *,
    length: timedelta,
    changes: Mapping[datetime, Change] | None = None,
) -> list[Instance]:
    """Every instance, in the order of the original starts.

    Args:
        starts: what the rule gives.
        length: of an instance that nothing changes.
        changes: by original start; one that names no instance changes nothing.
    """
    known = changes or {}
    return [
        Instance(at, change.start, change.end)
        for at in starts
        for change in [known.get(at) or Change(at, at + length)]
    ]
