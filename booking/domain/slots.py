"""Free time: what is left of a window, where a booking fits, and times near a wish."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

from base_ops.core.spans import Span, merged
from booking.domain.rules import ceil_to_grid


class Minutes(TypedDict):
    """Buffers as the columns of a booking."""

    setup_min: int
    teardown_min: int
    buffers_shared: bool


@dataclass(frozen=True, slots=True)
class Buffers:
    """Time around a booking that its allocation takes too.

    Shared buffers let the teardown of one booking and the setup of the next run at once: then the
    longer of both lies behind each booking, and nothing before it.
    """

    setup: timedelta
    teardown: timedelta
    shared: bool = False

    @classmethod
    def of_minutes(cls, setup_min: int, teardown_min: int, *, shared: bool = False) -> "Buffers":
        """From the minutes of a space type."""
        return cls(timedelta(minutes=setup_min), timedelta(minutes=teardown_min), shared)

    def as_minutes(self) -> "Minutes":
        """As a booking freezes them."""
        return {
            "setup_min": int(self.setup.total_seconds()) // 60,
            "teardown_min": int(self.teardown.total_seconds()) // 60,
            "buffers_shared": self.shared,
        }

    @property
    def before(self) -> timedelta:
        """What the block takes before the booking."""
        return timedelta(0) if self.shared else self.setup

    @property
    def after(self) -> timedelta:
        """What the block takes behind the booking."""
        return max(self.setup, self.teardown) if self.shared else self.teardown

    def block(self, span: Span) -> Span:
        """The block that a booking of `span` takes."""
        return span.widened(before=self.before, after=self.after)


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
        start = ceil_to_grid(max(gap.start + buffers.before, not_before), step_min)
        while start + length + buffers.after <= gap.end:
            yield start
            start += step


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
