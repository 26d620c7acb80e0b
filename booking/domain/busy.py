"""When a space is full: what somebody may know who may not know why."""

from collections.abc import Iterable, Mapping

from base_ops.core.spans import Span, merged


def full(taken: Mapping[int, Iterable[Span]], units: Iterable[int]) -> list[Span]:
    """The times at which every unit is taken, as few spans as possible.

    Touching spans join, so that the borders between other people's bookings do not show.
    """
    common: list[Span] | None = None
    for unit in units:
        spans = merged(taken.get(unit, ()))
        common = spans if common is None else _both(common, spans)
    return common or []


def _both(left: list[Span], right: list[Span]) -> list[Span]:
    """The instants in both; each list is in order and without overlaps."""
    found: list[Span] = []
    i = j = 0
    while i < len(left) and j < len(right):
        if (shared := left[i].intersect(right[j])) is not None:
            found.append(shared)
        if left[i].end <= right[j].end:
            i += 1
        else:
            j += 1
    return merged(found)
