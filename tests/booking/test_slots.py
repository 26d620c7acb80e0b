"""Free time against its meaning."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from base_ops.core.spans import Span
from booking.domain import slots
from booking.domain.rules import ceil_to_grid, floor_to_grid

ZERO = datetime(2026, 9, 15, 16, 0, tzinfo=UTC)  # midnight in Guangzhou


def minutes(start: int, end: int) -> Span:
    return Span(ZERO + timedelta(minutes=start), ZERO + timedelta(minutes=end))


spans = st.tuples(st.integers(-20, 110), st.integers(1, 60)).map(
    lambda pair: minutes(pair[0], pair[0] + pair[1])
)


@given(st.lists(spans, max_size=8))
def test_each_minute_is_free_exactly_when_nothing_takes_it(taken: list[Span]) -> None:
    free = slots.free_spans(minutes(0, 100), taken)

    for m in range(100):
        minute = minutes(m, m + 1)
        assert any(minute.overlaps(f) for f in free) != any(minute.overlaps(t) for t in taken)


@given(st.lists(spans, max_size=8), st.integers(1, 40), st.integers(0, 10), st.integers(0, 10))
def test_a_booking_fits_at_each_start_that_conflicts_with_nothing(
    taken: list[Span], length: int, setup: int, teardown: int
) -> None:
    around = slots.Buffers.of_minutes(setup, teardown)
    window = minutes(0, 100)

    free = slots.free_spans(window, taken)
    found = slots.starts(free, timedelta(minutes=length), around, step_min=5, not_before=ZERO)

    fitting = [
        start
        for m in range(0, 100, 5)
        if window.encloses(block := around.block(minutes(m, m + length)))
        and not any(block.overlaps(t) for t in taken)
        for start in [ZERO + timedelta(minutes=m)]
    ]
    assert list(found) == fitting


def test_nearest_offers_both_sides_and_never_the_past() -> None:
    around = slots.Buffers.of_minutes(15, 15)
    wish = minutes(600, 660)

    both = slots.nearest(wish, [around.block(wish)], around, step_min=30, not_before=ZERO)
    late = slots.nearest(wish, [around.block(wish)], around, step_min=30, not_before=wish.start)

    # 15 + 15 minutes lie between two bookings: 90 minutes from start to start, on the grid.
    assert both[:2] == [minutes(510, 570), minutes(690, 750)]
    assert all(span.start >= wish.start for span in late)


def test_the_grid_counts_from_local_midnight() -> None:
    instant = datetime(2026, 9, 15, 7, 50, tzinfo=UTC)  # 15:50 in Guangzhou

    assert floor_to_grid(instant, 60) == datetime(2026, 9, 15, 7, 0, tzinfo=UTC)
    assert ceil_to_grid(instant, 30) == datetime(2026, 9, 15, 8, 0, tzinfo=UTC)
    assert ceil_to_grid(ZERO, 45) == ZERO
