"""Energy from a meter's counter, which only grows until it starts again from zero. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from base_ops.core.spans import Span


@dataclass(frozen=True, slots=True)
class Reading:
    """The counter of one meter at one instant."""

    at: datetime
    wh: float


def consumed_wh(readings: Sequence[Reading], span: Span) -> float | None:
    """What one meter counted within the span.

    Between two readings the flow is taken as even, so edges are interpolated. A counter that fell
    started again from zero: what it shows then was counted since.

    Args:
        readings: of one meter, in order of time; better with one before and one after the span.
        span: the time asked about.

    Returns:
        Watt-hours >= 0, or None when fewer than two readings touch the span.
    """
    total, touched = 0.0, False
    for before, after in pairwise(readings):
        if after.at <= before.at:
            continue
        part = Span(before.at, after.at).intersect(span)
        if part is None:
            continue
        grown = after.wh - before.wh if after.wh >= before.wh else after.wh
        total += grown * (part.length / (after.at - before.at))
        touched = True
    return total if touched else None
