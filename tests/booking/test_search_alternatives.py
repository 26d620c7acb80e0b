"""What is offered instead of a taken slot: near in time, equal in kind, best first."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from psycopg.types.range import TimestamptzRange

from base_ops.core.models import Space, SpaceType
from base_ops.core.spans import Span
from booking import selectors
from booking.domain import starting
from booking.models import Allocation
from booking.services import BookingWish, wishes
from tests import make
from tests.booking import world

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 9, 16, 4, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WISH = Span(NOON, NOON + timedelta(hours=2))


def block(space: Space, start: datetime, minutes: int) -> None:
    span = TimestamptzRange(start, start + minutes * MINUTE, "[)")
    Allocation.objects.create(space=space, block=span, kind="blackout")


def take(space: Space) -> None:
    """Take the wished time."""
    block(space, WISH.start, 120)


@pytest.fixture
def studio() -> Space:
    space = make.space(features=["safe", "macro"])
    take(space)
    return space


def beside(studio: Space, **changes: object) -> Space:
    """Another room, by default exactly like the studio."""
    fields = {"type": studio.type, "features": studio.features, "capacity": studio.capacity}
    return make.space(**fields | changes)


def other_type(studio: Space, **changes: object) -> SpaceType:
    return make.space_type(**{"group": studio.type.group} | changes)


def test_an_equal_room_at_the_time_is_best_and_one_that_lacks_something_says_what(
    studio: Space, now: datetime
) -> None:
    lacking = beside(studio, features=["safe"])
    different = beside(studio, type=other_type(studio))
    equal = beside(studio)

    found = selectors.alternatives(studio, WISH, 2, now=now)

    rooms = [o for o in found if o["kind"] == "space"]
    assert [o["space"] for o in rooms] == [equal.code, lacking.code, different.code]
    assert [o["missing_features"] for o in rooms] == [[], ["macro"], []]
    assert [o["same_type"] for o in rooms] == [True, True, False]
    assert found[0]["space"] == equal.code


def test_near_times_of_the_room_are_on_both_sides_and_respect_its_buffers(
    studio: Space, now: datetime
) -> None:
    found = selectors.alternatives(studio, WISH, 2, now=now)

    # Two hours and 15 + 15 minutes lie between two starts, on a grid of half an hour.
    assert [(o["kind"], o["shift_min"]) for o in found] == [
        ("time", -150), ("time", 150), ("time", -180),
    ]  # fmt: skip


def test_a_room_that_is_free_a_little_later_is_offered_when_none_is_free_at_the_time(
    studio: Space, now: datetime
) -> None:
    later = beside(studio)
    block(later, WISH.start - 60 * MINUTE, 60)

    found = selectors.alternatives(studio, WISH, 2, now=now)

    assert (found[0]["kind"], found[0]["space"], found[0]["shift_min"]) == ("both", later.code, 30)


def test_rooms_of_other_groups_too_small_or_sold_only_longer_are_not_offered(
    studio: Space, now: datetime
) -> None:
    beside(studio, type=make.space_type(group="training"))
    beside(studio, capacity=1)
    beside(studio, type=other_type(studio, min_min=240))
    beside(studio, bookable=False)

    found = selectors.alternatives(studio, WISH, 2, now=now)

    assert {o["space"] for o in found} == {studio.code}
    assert selectors.equal_spaces(studio, WISH, 2, now=now) == []


def test_as_many_units_are_offered_as_were_wished(now: datetime) -> None:
    makeup = make.space(unit_count=3)
    kind = {"type": makeup.type}
    for unit in (1, 2):
        Allocation.objects.create(
            space=makeup, unit=unit, kind="blackout",
            block=TimestamptzRange(WISH.start, WISH.end, "[)"),
        )  # fmt: skip
    two, _ = make.space(unit_count=2, **kind), make.space(unit_count=None, **kind)

    found = selectors.alternatives(makeup, WISH, 1, units=2, now=now)

    assert {o["space"] for o in found if o["kind"] != "time"} == {two.code}
    assert {o["shift_min"] for o in found if o["kind"] == "time"} == {-150, 150, -180}
    assert selectors.equal_spaces(makeup, WISH, 1, units=2, now=now) == [two]


@pytest.mark.usefixtures("prices")
def test_prices_are_compared_only_for_a_renter(now: datetime) -> None:
    single, team = world.single(), make.space_type(code="studio_team", tariff_code="TF-TEAM")
    room, other = make.space(type=single), make.space(type=team)
    take(room)
    renter = make.tenant()

    seen = selectors.alternatives(room, WISH, 2, renter=renter, prices_of=renter, now=now)
    hidden = selectors.alternatives(room, WISH, 2, now=now)

    def quoted(space: Space) -> int:
        return wishes.price(BookingWish(space=space, tenant=renter, span=WISH), now=now).total_fen

    by_space = {o["space"]: o["price_diff_fen"] for o in seen}
    assert by_space == {other.code: quoted(other) - quoted(room), room.code: None}
    assert quoted(other) > quoted(room)
    assert {o["price_diff_fen"] for o in hidden} == {None}


@pytest.mark.parametrize("seed", range(20))
def test_the_nearest_starts_are_the_nearest_of_all_starts(seed: int) -> None:
    random_ = random.Random(seed)
    midnight = int(datetime(2026, 9, 15, 16, 0, tzinfo=UTC).timestamp())
    step = random_.choice([15, 30, 60, 100])
    runs, minute = [], 0
    grid = [m for m in range(2880) if m % 1440 % step == 0]
    while (first := next((m for m in grid if m >= minute), None)) is not None:
        latest = first + random_.choice([0, 7, 45, 300])
        runs.append(starting.Run(midnight + first * 60, midnight + latest * 60))
        minute = latest + random_.choice([1, 60, 200])
    wished = midnight + random_.randint(-100, 3000) * 60
    limit = random_.choice([1, 3])

    found = starting.nearest(runs, wished, units=1, step_min=step, limit=limit)

    every = starting.starts(runs, units=1, step_min=step)
    assert found == sorted(every, key=lambda s: (abs(s - wished), s))[:limit]
