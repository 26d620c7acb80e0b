"""The month at a glance against counting minute by minute."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from psycopg.types.range import TimestamptzRange

from base_ops.core.models import Space
from base_ops.core.spans import Span
from booking import selectors
from booking.models import Allocation
from booking.selectors import HOURS, Part
from tests import make

pytestmark = pytest.mark.django_db
ZERO = datetime(2026, 8, 31, 16, 0, tzinfo=UTC)  # September begins in Guangzhou
DAYS = 30
BANDS = [Part(0, 540), Part(540, 1140), Part(1140, 1440)]
Minutes = set[tuple[int, int, int]]


def fill(space: Space, random_: random.Random) -> Minutes:
    """Blocks of every fate over the month and its edges; the live minutes within the month."""
    live: Minutes = set()
    rows = []
    for unit in selectors.units_of(space):
        minute = random_.randint(-3000, 500)
        while minute < (DAYS + 1) * 1440:
            length = random_.choice([17, 60, 240, 1440, 3000])
            fate = random_.choice(["live", "live", "held", "expired", "freed"])
            start, end = (ZERO + timedelta(minutes=m) for m in (minute, minute + length))
            rows.append(
                Allocation(
                    space=space, unit=unit, block=TimestamptzRange(start, end, "[)"),
                    kind="blackout", active=fate != "freed",
                    expires_at={
                        "held": ZERO + timedelta(minutes=1), "expired": ZERO,
                    }.get(fate),
                )
            )  # fmt: skip
            if fate in ("live", "held"):
                inside = range(max(minute, 0), min(minute + length, DAYS * 1440))
                live |= {(space.pk, unit, m) for m in inside}
            minute += length + random_.choice([0, 30, 600, 2000])
    Allocation.objects.bulk_create(rows)
    return live


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("parts", [BANDS, HOURS], ids=["bands", "hours"])
def test_taken_minutes_are_those_counted_one_by_one(seed: int, parts: list[Part]) -> None:
    random_ = random.Random(seed)
    spaces = [make.space(), make.space(unit_count=2)]
    live = {minute for space in spaces for minute in fill(space, random_)}
    fill(make.space(), random_)  # nobody asked about this one
    month = Span(ZERO, ZERO + timedelta(days=DAYS))

    found = selectors.taken_minutes(spaces=spaces, month=month, parts=parts, now=ZERO)

    expected: dict[tuple[int, int], int] = {}
    for _, _, minute in live:
        day, of_day = divmod(minute, 1440)
        part = next(i for i, p in enumerate(parts) if p.from_min <= of_day < p.to_min)
        expected[day, part] = expected.get((day, part), 0) + 1
    assert found == expected
