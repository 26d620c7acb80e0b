"""The month at a glance against counting minute by minute."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from psycopg.types.range import TimestamptzRange

from base_ops.core.models import Space
from base_ops.core.spans import Span
from booking import selectors
from booking.models import Allocation
from booking.selectors import HOURS, Part
from tests import make
from tests.booking.rulings import rule
from tests.booking.test_search_rules import enforce

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
    spaces = [make.space(), make.space(unit_count=2), make.space(type=make.space_type())]
    live = {minute for space in spaces for minute in fill(space, random_)}
    late = {"MO": [["09:00", "26:00"]], "TU": [["10:00", "12:00"], ["20:00", "24:00"]]}
    shut = rule("opening_hours", scope={"space_types": [spaces[2].type.code]}, week=late)
    enforce(shut, now=ZERO)
    fill(make.space(), random_)  # nobody asked about this one
    month = Span(ZERO, ZERO + timedelta(days=DAYS))
    days = [date(2026, 9, 1) + timedelta(days=n) for n in range(DAYS)]

    opened = selectors.openings(spaces=spaces, days=days, parts=parts)
    found = selectors.taken_minutes(spaces=spaces, month=month, opened=opened, now=ZERO)

    expected: dict[tuple[int, int], int] = {}
    capacity: dict[tuple[int, int], int] = {}
    every = [(s, u, m) for s in spaces for u in selectors.units_of(s) for m in range(DAYS * 1440)]
    for space, unit, minute in every:
        day, of_day = divmod(minute, 1440)
        if space == spaces[2] and not late_open(minute):
            continue
        part = next(i for i, p in enumerate(parts) if p.from_min <= of_day < p.to_min)
        capacity[day, part] = capacity.get((day, part), 0) + 1
        if (space.pk, unit, minute) in live:
            expected[day, part] = expected.get((day, part), 0) + 1
    assert found == expected
    assert opened.minutes(spaces) == capacity


def late_open(minute: int) -> bool:
    """September begins on a Tuesday, after a Monday that was open until two in the morning."""
    day, of_day = divmod(minute, 1440)
    match (day + 1) % 7:
        case 0:
            return of_day >= 540
        case 1:
            return of_day < 120 or 600 <= of_day < 720 or of_day >= 1200
        case _:
            return False
