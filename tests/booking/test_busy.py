"""When a space with units is full, against counting minute by minute."""

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from base_ops.core.spans import Span
from booking.domain import busy

START = datetime(2026, 9, 15, tzinfo=UTC)


def span(first: int, length: int) -> Span:
    return Span(START + timedelta(minutes=first), START + timedelta(minutes=first + length))


spans = st.lists(st.builds(span, st.integers(0, 40), st.integers(1, 20)), max_size=5)


@given(st.dictionaries(st.integers(1, 3), spans, max_size=3))
def test_a_minute_is_full_exactly_when_every_unit_is_taken(taken: dict[int, list[Span]]) -> None:
    full = busy.full(taken, range(1, 4))

    for n in range(60):
        at = START + timedelta(minutes=n)
        every = all(any(s.contains(at) for s in taken.get(unit, ())) for unit in range(1, 4))
        assert any(s.contains(at) for s in full) == every
    assert all(a.end < b.start for a, b in itertools.pairwise(full))


def test_borders_between_touching_spans_do_not_show() -> None:
    assert busy.full({0: [span(0, 10), span(10, 5)]}, [0]) == [span(0, 15)]
