"""Starts of free time: what gaps of single units say together of a space."""

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from booking.domain.rules import floor_to_grid

DAY_MIN = 24 * 60


class Run(NamedTuple):
    """One unit is free for a booking that starts at `first` (on the grid) .. `latest`, both in."""

    first: datetime
    latest: datetime


def starts(runs: Iterable[Run], *, units: int, step_min: int) -> Iterator[datetime]:
    """Every grid start at which as many units are free for the whole booking, in order."""
    for run in together(runs, units):
        start = run.first
        while start <= run.latest:
            yield start
            start = next_on_grid(start, step_min)


def nearest(
    runs: Iterable[Run], wished: datetime, *, units: int, step_min: int, limit: int
) -> list[datetime]:
    """The starts nearest to a wished one; of two equally near the earlier first."""
    near = [
        start for run in together(runs, units) for start in _near(run, wished, step_min, limit)
    ]
    return heapq.nsmallest(limit, near, key=lambda start: (abs(start - wished), start))


def _near(run: Run, wished: datetime, step_min: int, limit: int) -> Iterator[datetime]:
    """The run's starts nearest to the wished one on either side of it, so many of each."""
    before = floor_to_grid(min(run.latest, wished), step_min)
    for _ in range(limit):
        if before < run.first:
            break
        yield before
        before = floor_to_grid(before - timedelta(microseconds=1), step_min)
    after = max(run.first, next_on_grid(floor_to_grid(wished, step_min), step_min))
    for _ in range(limit):
        if after > run.latest:
            break
        yield after
        after = next_on_grid(after, step_min)


def together(runs: Iterable[Run], units: int) -> list[Run]:
    """Where at least `units` of the runs overlap, in order and apart from each other."""
    turns = sorted(turn for run in runs for turn in ((run.first, -1), (run.latest, 1)))
    found: list[Run] = []
    open_runs = 0
    since: datetime | None = None
    for at, change in turns:  # at one instant runs begin (-1) before others end (1)
        open_runs -= change
        if change < 0 and open_runs == units:
            since = at
        elif change > 0 and open_runs == units - 1 and since is not None:
            found.append(Run(since, at))
            since = None
    return found


def next_on_grid(start: datetime, step_min: int) -> datetime:
    """The grid instant after one on the grid, which begins anew at each local midnight."""
    following = start + timedelta(minutes=step_min)
    return following if DAY_MIN % step_min == 0 else _not_past_midnight(start, following)


def _not_past_midnight(start: datetime, following: datetime) -> datetime:
    midnight = floor_to_grid(start, DAY_MIN) + timedelta(days=1)
    return min(following, midnight)


def sellable_min(length_min: int, *, min_min: int, step_min: int) -> int:
    """The wished length as a space sells it: not under its minimum, in whole steps."""
    return -(-max(length_min, min_min) // step_min) * step_min
