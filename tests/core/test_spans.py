"""Spans: the code against its meaning, minute by minute."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base_ops.core.spans import Span, merged

START = datetime(2026, 9, 1, tzinfo=UTC)


def minutes(first: int, end: int) -> Span:
    return Span(START + timedelta(minutes=first), START + timedelta(minutes=end))


spans = st.builds(
    lambda first, length: minutes(first, first + length),
    st.integers(0, 90),
    st.integers(1, 30),
)


@given(spans, spans)
def test_spans_overlap_exactly_when_they_share_a_minute(a: Span, b: Span) -> None:
    shared = [m for m in range(120) if all(s.contains(minutes(m, m + 1).start) for s in (a, b))]

    assert a.overlaps(b) == bool(shared)
    common = a.intersect(b)
    assert (common is not None) == bool(shared)
    assert common is None or common.length == timedelta(minutes=len(shared))


@given(st.lists(spans, max_size=8))
def test_merging_keeps_each_minute_and_leaves_gaps_between(taken: list[Span]) -> None:
    result = merged(taken)

    for m in range(121):
        instant = START + timedelta(minutes=m)
        assert any(s.contains(instant) for s in taken) == any(s.contains(instant) for s in result)
    assert all(a.end < b.start for a, b in pairwise(result))


def test_an_empty_or_zoneless_span_cannot_be() -> None:
    with pytest.raises(ValueError, match="empty"):
        Span(START, START)
    with pytest.raises(ValueError, match="time zone"):
        Span(datetime(2026, 1, 1), datetime(2026, 1, 2))  # noqa: DTZ001
