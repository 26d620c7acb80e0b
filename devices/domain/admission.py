"""How many strangers the registry takes in, so that a flood cannot fill the database. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caps:
    """The most that may wait in quarantine, and the most that may come within an hour."""

    waiting: int
    per_hour: int


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many wait now, and how many of them came within the last hour."""

    waiting: int
    lately: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many may come in, and why the others may not ("" when all may)."""

    admitted: int
    reason: str


FULL, TOO_FAST = "quarantine_full", "too_many_newcomers"


def judge(wanting: int, crowd: Crowd, caps: Caps) -> Verdict:
    """How many of those who want to come in may."""
    room = max(0, caps.waiting - crowd.waiting)
    pace = max(0, caps.per_hour - crowd.lately)
    admitted = min(wanting, room, pace)
    if admitted == wanting:
        return Verdict(admitted, "")
    return Verdict(admitted, FULL if room <= pace else TOO_FAST)
