"""Energy from a meter's counter, which only grows until it starts again from zero. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from base_ops.core.spans import Span

LONGEST_PAUSE = timedelta(minutes=5)  # meters are read each minute


@dataclass(frozen=True, slots=True)
class Reading:
    """The counter of one meter at one instant."""

    at: datetime
    wh: float


class Quality(StrEnum):
    """How well a figure is founded; the later, the worse."""

    COMPLETE = "complete"
    ESTIMATED = "estimated"  # pauses or resets within: the counter tells how much, not when
    PARTIAL = "partial"  # nothing is known of some of the time
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Reset:
    """The counter began again; what it had counted after its last reading is lost."""

    at: datetime
    before_wh: float
    after_wh: float


@dataclass(frozen=True, slots=True)
class Gap:
    """A time without readings; `bridged`: the counter ran on, so nothing is missing."""

    span: Span
    bridged: bool


@dataclass(frozen=True, slots=True)
class Account:
    """What one meter counted within a span, and what is wrong with that figure.

    Args:
        wh: watt-hours >= 0; None: fewer than two readings touch the span.
    """

    wh: float | None
    resets: Sequence[Reset] = ()
    gaps: Sequence[Gap] = ()

    @property
    def quality(self) -> Quality:
        """How well the figure is founded."""
        if self.wh is None:
            return Quality.UNKNOWN
        if not all(gap.bridged for gap in self.gaps):
            return Quality.PARTIAL
        return Quality.ESTIMATED if self.resets or self.gaps else Quality.COMPLETE


def account(readings: Sequence[Reading], span: Span) -> Account:
    """What one meter counted within the span.

    Between two readings the flow is taken as even, so edges are interpolated. A counter that fell
    started again from zero: what it shows then was counted since.

    Args:
        readings: of one meter, in order of time; better with one before and one after the span.
        span: the time asked about.
    """
    total, resets, gaps = 0.0, [], []
    covered: list[Span] = []
    for before, after in pairwise(readings):
        if after.at <= before.at:
            continue
        pause = Span(before.at, after.at)
        part = pause.intersect(span)
        if part is None:
            continue
        fell = after.wh < before.wh
        grown = after.wh if fell else after.wh - before.wh
        total += grown * (part.length / pause.length)
        covered.append(part)
        if fell:
            resets.append(Reset(after.at, before.wh, after.wh))
        if pause.length > LONGEST_PAUSE:
            gaps.append(Gap(part, bridged=True))
    if not covered:
        return Account(None, gaps=(Gap(span, bridged=False),))
    return Account(total, tuple(resets), tuple(_edges(span, covered, gaps)))


def _edges(span: Span, covered: Sequence[Span], gaps: Sequence[Gap]) -> list[Gap]:
    """The gaps, with those before the first reading and after the last one."""
    found = list(gaps)
    if span.start < covered[0].start:
        found.insert(0, Gap(Span(span.start, covered[0].start), bridged=False))
    if covered[-1].end < span.end:
        found.append(Gap(Span(covered[-1].end, span.end), bridged=False))
    return found


def consumed_wh(readings: Sequence[Reading], span: Span) -> float | None:
    """`account` without its doubts; None when fewer than two readings touch the span."""
    return account(readings, span).wh


def worst(qualities: Sequence[Quality]) -> Quality:
    """The quality of a sum of figures."""
    order = list(Quality)
    return max(qualities, key=order.index, default=Quality.UNKNOWN)
