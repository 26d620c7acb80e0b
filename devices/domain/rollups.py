"""Measurements gathered into buckets of time, and the grain that fits a question. Pure.

A bucket knows only the samples in it, and two neighbours join into the bucket of both. So a minute
can be made anew at any time, an hour is the sum of its minutes, and it does not matter in which
order they are made. A counter's growth from one bucket to the next is found when they are joined.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import reduce
from itertools import groupby, pairwise

MOST = 1e300  # beyond, a sum of many would leave what a float holds
ORIGIN = datetime.fromisoformat("2000-01-01T00:00:00+08:00")  # bins of days begin here at midnight
RAW_KEPT = timedelta(days=30)
ROLLUPS_KEPT = timedelta(days=3 * 366)

_COUNTERS = ("_wh", "_kwh", "_total", "_hours")


@dataclass(frozen=True, slots=True)
class Bucket:
    """What the samples of one metric in one stretch of time come to.

    Args:
        grown: how far the value rose from sample to sample; where it fell, a counter began again
            from zero, and what it showed then was counted since.
        resets: how often it fell.
    """

    count: int
    low: float
    high: float
    total: float
    first: float
    last: float
    grown: float = 0.0
    resets: int = 0

    @property
    def mean(self) -> float:
        """The average of the samples."""
        return min(max(self.total / self.count, self.low), self.high)

    def then(self, later: "Bucket") -> "Bucket":
        """The bucket of both; `later` begins where this one ends, or after a gap."""
        step, fell = _step(self.last, later.first)
        return Bucket(
            count=self.count + later.count,
            low=min(self.low, later.low),
            high=max(self.high, later.high),
            total=self.total + later.total,
            first=self.first,
            last=later.last,
            grown=self.grown + step + later.grown,
            resets=self.resets + fell + later.resets,
        )


def _step(before: float, after: float) -> tuple[float, int]:
    return (after, 1) if after < before else (after - before, 0)


def growth(before: Bucket, bucket: Bucket) -> float:
    """How far a counter came from the end of one bucket to the end of the next."""
    return _step(before.last, bucket.first)[0] + bucket.grown


def bucket(values: Sequence[float]) -> Bucket:
    """The bucket of samples in order of time; at least one."""
    known = [min(max(v, -MOST), MOST) for v in values]
    steps = [_step(a, b) for a, b in pairwise(known)]
    return Bucket(
        count=len(known),
        low=min(known),
        high=max(known),
        total=sum(known),
        first=known[0],
        last=known[-1],
        grown=sum(step for step, _ in steps),
        resets=sum(fell for _, fell in steps),
    )


def counts_up(metric: str) -> bool:
    """Whether a metric is a counter, by the end of its name: energy_wh, lamp_hours, sent_total."""
    return metric.endswith(_COUNTERS)


class Grain(StrEnum):
    """How finely measurements are kept."""

    RAW = "raw"
    MINUTE = "minute"
    HOUR = "hour"


_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_OF_MINUTES = tuple(timedelta(minutes=n) for n in (1, 2, 5, 10, 15, 30))
_OF_HOURS = tuple(timedelta(hours=n) for n in (1, 2, 3, 6, 12, 24))


@dataclass(frozen=True, slots=True)
class Resolution:
    """From which grain to answer, and how wide a bin of the answer is."""

    grain: Grain
    width: timedelta


def fitting(length: timedelta, *, points: int, grain: Grain | None = None) -> Resolution:
    """The finest bins of which at most `points` cover a time; `grain` asks for its own bins.

    Bins of minutes divide the hour, bins of hours the day; then they are whole days. One point is
    spared for a bin that is cut at the start.
    """
    most = max(points - 1, 1)
    if grain is not Grain.HOUR:
        for width in _OF_MINUTES:
            if length <= most * width:
                return Resolution(Grain.MINUTE, width)
    if grain is Grain.MINUTE:
        return Resolution(Grain.MINUTE, _HOUR * _ceil(length, most * _HOUR))
    for width in _OF_HOURS:
        if length <= most * width:
            return Resolution(Grain.HOUR, width)
    return Resolution(Grain.HOUR, _DAY * _ceil(length, most * _DAY))


def _ceil(length: timedelta, part: timedelta) -> int:
    return -(-length // part)


Timed = tuple[datetime, Bucket]


def binned(buckets: Iterable[Timed], width: timedelta) -> list[Timed]:
    """Buckets in order of time, joined into bins; a bin bears its first bucket's instant."""
    return [
        (found[0][0], reduce(Bucket.then, (one for _, one in found)))
        for _, group in groupby(buckets, key=lambda timed: (timed[0] - ORIGIN) // width)
        if (found := list(group))
    ]
