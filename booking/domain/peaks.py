"""How much of something is in use at once: the peak of quantities over half-open spans."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from base_ops.core.spans import Span


def levels(window: Span, taken: Iterable[tuple[Span, int]]) -> Iterator[tuple[datetime, int]]:
    """Each instant in `window` from which another quantity is in use, and how much, in order.

    The first is the start of the window. What ends at an instant makes room for what starts then.
    """
    changes: dict[datetime, int] = {window.start: 0}
    for span, quantity in taken:
        if common := span.intersect(window):
            changes[common.start] = changes.get(common.start, 0) + quantity
            changes[common.end] = changes.get(common.end, 0) - quantity
    level = 0
    for instant in sorted(changes):
        level += changes[instant]
        if instant < window.end:
            yield instant, level


def peak(window: Span, taken: Iterable[tuple[Span, int]]) -> int:
    """The highest quantity in use at any instant of `window`."""
    return max(level for _, level in levels(window, taken))


def fits(window: Span, taken: Iterable[tuple[Span, int]], *, wanted: int, available: int) -> bool:
    """Whether `wanted` more stay within `available` during the whole window."""
    return peak(window, taken) + wanted <= available
