"""Starts of free time: what gaps of single units say together of a space.

Instants are whole seconds since 1970 here: searches weigh thousands of them.
"""

import heapq
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

DAY_MIN = 24 * 60
DAY_S = 60 * DAY_MIN
ZONE_S = 8 * 3600  # Shanghai is ahead of UTC by this, all year


class Run(NamedTuple):
    """One unit is free for a booking that starts at `first` (on the grid) .. `latest`, both in."""

    first: int
    latest: int


def starts(runs: Iterable[Run], *, units: int, step_min: int) -> Iterator[int]:
    """Every grid start at which as many units are free for the whole booking, in order."""
    if DAY_MIN % step_min == 0:
        step_s = 60 * step_min
        for first, latest in together(runs, units):
            yield from range(first, latest + 1, step_s)
        return
    for run in together(runs, units):
        start = run.first
        while start <= run.latest:
            yield start
            start = following(start, step_min)


def nearest(
    runs: Iterable[Run], wished: int, *, units: int, step_min: int, limit: int
) -> list[int]:
    """The starts nearest to a wished one; of two equally near the earlier first."""
    near = [
        start for run in together(runs, units) for start in _near(run, wished, step_min, limit)
    ]
    return heapq.nsmallest(limit, near, key=lambda start: (abs(start - wished), start))


def _near(run: Run, wished: int, step_min: int, limit: int) -> Iterator[int]:
    """The run's starts nearest to the wished one on either side of it, so many of each."""
    before = on_grid(min(run.latest, wished), step_min)
    for _ in range(limit):
        if before < run.first:
            break
        yield before
        before = on_grid(before - 1, step_min)
    after = max(run.first, following(on_grid(wished, step_min), step_min))
    for _ in range(limit):
        if after > run.latest:
            break
        yield after
        after = following(after, step_min)


def together(runs: Iterable[Run], units: int) -> list[Run]:
    """Where at least `units` of the runs overlap, in order and apart from each other."""
    ordered = sorted(runs)
    if units == 1 and _apart(ordered):
        return ordered
    turns = sorted(turn for run in ordered for turn in ((run.first, -1), (run.latest, 1)))
    found: list[Run] = []
    open_runs = since = 0
    for at, change in turns:  # at one instant runs begin (-1) before others end (1)
        open_runs -= change
        if change < 0 and open_runs == units:
            since = at
        elif change > 0 and open_runs == units - 1:
            found.append(Run(since, at))
    return found


def _apart(runs: Sequence[Run]) -> bool:
    """Whether these, in order, do not even touch: so it is with the runs of a single unit."""
    end = -1
    for first, latest in runs:
        if first <= end:
            return False
        end = latest
    return True


def on_grid(instant: int, step_min: int) -> int:
    """The last grid instant not after this one; the grid begins anew at each local midnight."""
    of_day = (instant + ZONE_S) % DAY_S
    return instant - of_day % (60 * step_min)


def within(runs: Iterable[Run], windows: Sequence[Run]) -> list[Run]:
    """What of the runs lies in the windows, which are in order and apart from each other."""
    ends = [window.latest for window in windows]
    found = []
    for run in runs:
        for window in islice(windows, bisect_left(ends, run.first), None):
            if window.first > run.latest:
                break
            found.append(Run(max(run.first, window.first), min(run.latest, window.latest)))
    return found


def aligned(runs: Iterable[Run], step_min: int) -> list[Run]:
    """The runs with their first start on the grid, without those that then have none."""
    found = (Run(following(on_grid(r.first - 1, step_min), step_min), r.latest) for r in runs)
    return [run for run in found if run.first <= run.latest]


def following(start: int, step_min: int) -> int:
    """The grid instant after one on the grid."""
    to_midnight = DAY_S - (start + ZONE_S) % DAY_S
    return start + min(60 * step_min, to_midnight)


def sellable_min(length_min: int, *, min_min: int, step_min: int) -> int:
    """The wished length as a space sells it: not under its minimum, in whole steps."""
    return -(-max(length_min, min_min) // step_min) * step_min
