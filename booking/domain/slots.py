"""Free time: what is left of a window, the next free slot, and times near a wish."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from base_ops.core.spans import Span, merged
from booking.domain.rules import ceil_to_grid


@dataclass(frozen=True, slots=True)
class Buffers:
    """Time around a booking that its allocation takes too."""

    setup: timedelta
    teardown: timedelta

    @classmethod
    def of_minutes(cls, setup_min: int, teardown_min: int) -> "Buffers":
        """From the minutes of a space type."""
        return cls(timedelta(minutes=setup_min), timedelta(minutes=teardown_min))

    def block(self, span: Span) -> Span:
        """The block that a booking of `span` takes."""
        return span.widened(before=self.setup, after=self.teardown)


def free_spans(window: Span, taken: Iterable[Span]) -> list[Span]:
    """What of `window` no taken span covers, in order."""
    free: list[Span] = []
    start = window.start
    for span in merged(taken):
        if span.end <= start:
            continue
        if span.start >= window.end:
            break
        if start < span.start:
            free.append(Span(start, span.start))
        start = span.end
    if start < window.end:
        free.append(Span(start, window.end))
    return free


def starts(
    free: Sequence[Span],
    length: timedelta,
    buffers: Buffers,
    *,
    step_min: int,
    not_before: datetime,
) -> Iterator[datetime]:
    """Every grid start at which a booking of `length` fits, with its buffers, into free time."""
    step = timedelta(minutes=step_min)
    for gap in free:
        start = ceil_to_grid(max(gap.start + buffers.setup, not_before), step_min)
        while start + length + buffers.teardown <= gap.end:
            yield start
            start += step


def next_free(
    window: Span,
    taken: Iterable[Span],
    length: timedelta,
    buffers: Buffers,
    *,
    step_min: int,
    not_before: datetime,
) -> datetime | None:
    """The first start in `window` at which a booking fits, or None."""
    free = free_spans(window, taken)
    return next(starts(free, length, buffers, step_min=step_min, not_before=not_before), None)


def nearest(
    wish: Span,
    taken: Iterable[Span],
    buffers: Buffers,
    *,
    step_min: int,
    not_before: datetime,
    within: timedelta = timedelta(hours=12),
    limit: int = 3,
) -> list[Span]:
    """Free times of the same length nearest to the wish, the nearest first."""
    window = buffers.block(wish).widened(before=within, after=within)
    free = free_spans(window, taken)
    found = starts(free, wish.length, buffers, step_min=step_min, not_before=not_before)
    near = sorted(found, key=lambda start: (abs(start - wish.start), start))[:limit]
    return [Span(start, start + wish.length) for start in near]
