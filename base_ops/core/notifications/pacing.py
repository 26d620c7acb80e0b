"""When to try again, when to leave an endpoint alone, and how fast a robot may talk."""

from dataclasses import dataclass
from datetime import datetime, timedelta

FIRST_RETRY = timedelta(seconds=10)
LONGEST_RETRY = timedelta(hours=4)
MOST_ATTEMPTS = 12  # the last about six hours after the first
FAILURES_TO_OPEN = 3
LONGEST_OPEN = timedelta(minutes=15)
FIRST_OPEN = timedelta(seconds=30)


def retry_after(attempts: int, *, dice: float) -> timedelta:
    """The pause after so many failed attempts: doubled each time, a quarter more or less.

    Args:
        attempts: how many failed, at least 1.
        dice: in [0, 1): spreads what failed together.
    """
    pause = FIRST_RETRY * (1 << min(max(attempts, 1) - 1, 20))
    return min(pause, LONGEST_RETRY) * (0.75 + dice / 2)


def open_for(failures: int, *, dice: float) -> timedelta | None:
    """How long nothing is sent after so many failures in a row; None: go on."""
    if failures < FAILURES_TO_OPEN:
        return None
    pause = FIRST_OPEN * (1 << min(failures - FAILURES_TO_OPEN, 10))
    return min(pause, LONGEST_OPEN) * (0.75 + dice / 2)


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `burst` at once and one more each `every`: burst + span / every within any span."""

    burst: int
    every: timedelta


# Both robots refuse more than 20 messages a minute; DingTalk then stays silent for ten minutes.
ROBOT_RATE = Rate(burst=10, every=timedelta(seconds=6))


def admitted(
    rate: Rate, paced_until: datetime | None, wanted: int, *, now: datetime
) -> tuple[int, datetime]:
    """(How many of `wanted` may go now, what to remember): the generic cell rate algorithm."""
    at = max(paced_until or now, now)
    room = rate.burst - -(-(at - now) // rate.every)
    count = max(0, min(wanted, room))
    return count, at + count * rate.every
