"""Half-open spans of time, [start, end)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The instants t with start <= t < end; never empty, always with a time zone."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a span needs instants with a time zone")
        if self.end <= self.start:
            raise ValueError(f"empty span: {self.start} .. {self.end}")

    @property
    def length(self) -> timedelta:
        """End minus start, > 0."""
        return self.end - self.start

    @property
    def hours(self) -> float:
        """Length in hours, for people and logs; money is computed from `length`."""
        return self.length.total_seconds() / 3600

    def overlaps(self, other: "Span") -> bool:
        """Whether some instant lies in both."""
        return self.start < other.end and other.start < self.end

    def contains(self, instant: datetime) -> bool:
        """Whether the instant lies inside; the end does not."""
        return self.start <= instant < self.end

    def encloses(self, other: "Span") -> bool:
        """Whether every instant of the other lies inside."""
        return self.start <= other.start and other.end <= self.end

    def intersect(self, other: "Span") -> "Span | None":
        """The instants in both, or None."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Span(start, end) if start < end else None

    def widened(self, *, before: timedelta, after: timedelta) -> "Span":
        """The span with time added on each side, as setup and teardown do."""
        return Span(self.start - before, self.end + after)


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same instants as few spans as possible, in order; touching spans join."""
    result: list[Span] = []
    for span in sorted(spans):
        if result and span.start <= result[-1].end:
            result[-1] = Span(result[-1].start, max(result[-1].end, span.end))
        else:
            result.append(span)
    return result
