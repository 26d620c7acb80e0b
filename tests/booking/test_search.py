"""Search against a plain minute-by-minute model: what is free, and which starts come next."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from psycopg.types.range import TimestamptzRange

from base_ops.core.models import Space
from base_ops.core.spans import Span
from booking import selectors
from booking.models import Allocation
from booking.selectors import Search
from tests import make

pytestmark = pytest.mark.django_db
ZERO = datetime(2026, 9, 15, 16, 0, tzinfo=UTC)  # midnight in Guangzhou
DAYS = 3
MINUTE = timedelta(minutes=1)


def at(minute: int) -> datetime:
    return ZERO + minute * MINUTE


def minutes(start: int, end: int) -> Span:
    return Span(at(start), at(end))


def block(space: Space, start: int, end: int, unit: int = 0, **changes: object) -> Allocation:
    """A blackout over the minutes; of a hold when it expires."""
    span = TimestamptzRange(at(start), at(end), "[)")
    return Allocation.objects.create(
        space=space, unit=unit, block=span, **{"kind": "blackout"} | changes
    )


@dataclass
class Model:
    """The minutes of each unit that are taken, as a set."""

    space: Space
    busy: dict[int, set[int]]

    def free_units(self, start: int, end: int) -> list[int]:
        kind = self.space.type
        wanted = range(start - kind.setup_min, end + kind.teardown_min)
        return [unit for unit, taken in self.busy.items() if taken.isdisjoint(wanted)]

    def starts(self, since: int, until: int, length: int, units: int) -> Iterator[int]:
        for minute in range(since, until):
            on_grid = minute % (24 * 60) % self.space.type.slot_min == 0
            if on_grid and len(self.free_units(minute, minute + length)) >= units:
                yield minute


def world(random_: random.Random) -> Model:
    """A space with random units, buffers, grid and blocks: live, freed, held, held too long."""
    kind = make.space_type(
        setup_min=random_.choice([0, 5, 15, 60]),
        teardown_min=random_.choice([0, 10, 45]),
        min_min=30,
        slot_min=random_.choice([15, 30, 60, 100]),
    )
    units = random_.choice([None, None, 1, 3])
    space = make.space(type=kind, unit_count=units)
    busy: dict[int, set[int]] = {}
    rows = []
    for unit in selectors.units_of(space):
        busy[unit] = set()
        minute = random_.randint(-3000, 200)
        while minute < (DAYS + 1) * 24 * 60:
            length = random_.choice([5, 30, 90, 240, 600, random_.randint(1, 2000)])
            fate = random_.choice(["live", "live", "live", "held", "expired", "freed"])
            rows.append(_row(space, unit, minute, minute + length, fate))
            if fate in ("live", "held"):
                busy[unit] |= set(range(minute, minute + length))
            minute += length + random_.choice([0, 0, 20, 60, 120, random_.randint(0, 900)])
    random_.shuffle(rows)
    Allocation.objects.bulk_create(rows)
    return Model(space, busy)


def _row(space: Space, unit: int, start: int, end: int, fate: str) -> Allocation:
    ends = {"held": at(1), "expired": at(0)}  # now is minute 0: at it, a hold is over
    return Allocation(
        space=space,
        unit=unit,
        block=TimestamptzRange(at(start), at(end), "[)"),
        kind="blackout",
        active=fate != "freed",
        expires_at=ends.get(fate),
    )


@pytest.mark.parametrize("seed", range(30))
def test_next_starts_are_those_of_the_minute_by_minute_model(seed: int) -> None:
    random_ = random.Random(seed)
    model = world(random_)
    kind = model.space.type
    for _ in range(6):
        since = random_.randint(-400, DAYS * 24 * 60)
        until = since + random_.choice([60, 24 * 60, DAYS * 24 * 60])
        wished = random_.choice([20, 30, 60, 95, 300])
        units = random_.choice([1, 1, 2])
        limit = random_.choice([1, 3, 50])
        search = Search(at(since), at(until), wished * MINUTE, units=units, limit=limit)

        found = selectors.next_starts(
            spaces=[model.space],
            search=search,
            sales=selectors.sales(spaces=[model.space], now=at(0)),
            now=at(0),
        )

        length = -(-max(wished, kind.min_min) // kind.slot_min) * kind.slot_min
        until = min(until, (DAYS + 1) * 24 * 60 + 3000)
        expected = list(model.starts(max(since, 0), until, length, units))[:limit]
        offers = found[model.space.pk]
        assert list(offers.starts) == [at(s) for s in expected]
        assert not expected or offers.length == length * MINUTE


@pytest.mark.parametrize("seed", range(30, 45))
def test_a_unit_is_free_for_a_window_exactly_when_no_minute_of_its_block_is_taken(
    seed: int,
) -> None:
    random_ = random.Random(seed)
    models = [world(random_) for _ in range(2)]
    for _ in range(10):
        start = random_.randint(-600, DAYS * 24 * 60)
        end = start + random_.choice([1, 30, 61, 500])

        found = selectors.free_units_of(
            spaces=[m.space for m in models], span=minutes(start, end), now=at(0)
        )

        for model in models:
            assert sorted(found[model.space.pk]) == model.free_units(start, end)
