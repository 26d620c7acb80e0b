"""The booking figures against a naive computation, and what of them the district may see."""

import random
import statistics
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from psycopg.types.range import TimestamptzRange

from base_ops.core.models import Space, Tenant
from booking import reporting
from booking.domain import figures
from booking.domain.rulebook.params import WEEKDAYS
from booking.models import Allocation, Booking
from booking.selectors.figures import By
from booking.services import count_refusal
from tests import make
from tests.booking.rulings import rule
from tests.booking.test_resources import pool
from tests.booking.test_search_rules import enforce

pytestmark = pytest.mark.usefixtures("prices")
FIRST, LAST = date(2026, 9, 1), date(2026, 11, 1)
ZERO = datetime(2026, 8, 31, 16, 0, tzinfo=UTC)  # the first of September in Guangzhou
NOW = datetime(2026, 10, 10, 3, 17, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BANDS = {"off_peak": (0, 540), "standard": (540, 1140), "prime": (1140, 1440)}
BOOKED = ("confirmed", "checked_in", "completed", "no_show")
TOTAL = (LAST - FIRST).days * 1440


@dataclass
class World:
    spaces: list[Space]
    bookings: list[Booking]
    closed: list[tuple[Space, int, int]]


def world(seed: int) -> World:
    """Two months and their edges full of bookings of every fate."""
    random_ = random.Random(seed)
    tenants = [make.tenant(category=c) for c in ("brand", "brand", "brand", "anchor", "anchor")]
    spaces = [
        make.space(), make.space(unit_count=4), make.space(type=make.space_type(group="event")),
    ]  # fmt: skip
    plain = make.space(bookable=False)
    rows = [_booking(random_, random_.choice([*spaces, plain]), tenants, n) for n in range(300)]
    closed = [(s, m, m + 900) for s in spaces for m in (-400, 9000, TOTAL - 300)]
    for space, start, end in closed:
        Allocation.objects.create(
            space=space, unit=space.unit_count or 0, kind="blackout",
            block=TimestamptzRange(ZERO + start * MINUTE, ZERO + end * MINUTE, "[)"),
        )  # fmt: skip
    made = World(spaces, Booking.objects.bulk_create(rows), closed)
    for row in random_.sample(made.bookings, 60):
        _beside(random_, row, spaces)
    nights = rule(
        "opening_hours",
        scope={"space_types": [spaces[2].type.code]},
        week=dict.fromkeys(WEEKDAYS, [["08:00", "26:00"]]),  # noqa: RUF024 - only read
    )
    enforce(nights, now=ZERO)
    return made


def _beside(random_: random.Random, row: Booking, spaces: list[Space]) -> None:
    """Two spaces beside the room, a little before and after, and something borrowed."""
    row.part_count = 3
    row.save(update_fields=["part_count"])
    for space in random_.sample(spaces, 2):
        start = row.starts_at + random_.choice([-90, 0, 45]) * MINUTE
        end = start + random_.choice([30, 120]) * MINUTE
        quantity = random_.choice([1, 2]) if space.unit_count else 1
        row.parts.create(space=space, quantity=quantity, starts_at=start, ends_at=end)
    row.parts.create(pool=pool(), starts_at=row.starts_at, ends_at=row.ends_at)


def _booking(random_: random.Random, space: Space, tenants: list[Tenant], n: int) -> Booking:
    start = ZERO + random_.randint(-3000, TOTAL + 500) * MINUTE
    end = start + random_.choice([30, 60, 180, 600, 2000]) * MINUTE
    status = random_.choice([*BOOKED, "completed", "completed", "cancelled", "held", "expired"])
    confirmed = status in BOOKED or random_.random() < 0.5
    in_use = status in ("checked_in", "completed")
    return Booking(
        code=f"F{n:07d}",
        tenant=random_.choice(tenants),
        space=space,
        starts_at=start,
        ends_at=end,
        overtime_until=end + 30 * MINUTE if random_.random() < 0.2 else None,
        status=status,
        expires_at=start if status == "held" else None,
        purpose="live_sales",
        headcount=1,
        units=random_.choice([1, 2]) if space.unit_count else 1,
        pin="000000",
        created_at=start - random_.randint(-100, 20_000) * MINUTE,
        confirmed_at=start if confirmed else None,
        checked_in_at=start + random_.randint(-10, 20) * MINUTE if in_use else None,
        ended_at=end - random_.randint(0, 25) * MINUTE if status == "completed" else None,
    )


def used(row: Booking) -> tuple[datetime, datetime] | None:
    if row.checked_in_at is None:
        return None
    end = row.ended_at or min(NOW, row.overtime_until or row.ends_at)
    start = max(row.starts_at, row.checked_in_at)
    return (start, end) if start < end else None


def minutes_of(span: tuple[datetime, datetime]) -> Iterator[int]:
    start, end = (round((t - ZERO) / MINUTE) for t in span)
    yield from range(max(start, 0), min(end, TOTAL))


def group_of(by: By, space: Space, minute: int) -> str:
    day = FIRST + timedelta(days=minute // 1440)
    groups: dict[str, str] = {
        "total": "",
        "day": day.isoformat(),
        "week": (day - timedelta(days=day.weekday())).isoformat(),
        "month": day.isoformat()[:7],
        "space_type": space.type.code,
    }
    return groups[by]


def band_of(minute: int) -> str:
    return next(b for b, (since, until) in BANDS.items() if since <= minute % 1440 < until)


def naive_minutes(world: World, by: By) -> dict[str, dict[tuple[str, str], float]]:
    """Minute by minute: open, booked and used, by group and band."""
    found: dict[str, dict[tuple[str, str], float]] = defaultdict(lambda: defaultdict(float))

    def add(what: str, space: Space, minute: int, weight: int) -> None:
        if space == world.spaces[2] and 120 <= minute % 1440 < 480:
            weight = 0  # it is shut at night
        found[what][group_of(by, space, minute), band_of(minute)] += weight

    opened = [(s, 0, TOTAL, s.unit_count or 1) for s in world.spaces]
    closed = [(s, max(start, 0), min(end, TOTAL), -1) for s, start, end in world.closed]
    for space, start, end, weight in opened + closed:
        for minute in range(start, end):
            add("open", space, minute, weight)
    for took in (t for r in world.bookings if r.status in BOOKED for t in takings(r)):
        for minute in minutes_of((took.starts_at, took.ends_at)):
            add("booked", took.space, minute, took.units)
        for minute in minutes_of(took.used or (ZERO, ZERO)):
            add("used", took.space, minute, took.units)
    return found


@dataclass
class Took:
    """One bookable space that a booking takes, and when it was in use."""

    space: Space
    units: int
    starts_at: datetime
    ends_at: datetime
    used: tuple[datetime, datetime] | None


def takings(row: Booking) -> Iterator[Took]:
    if row.space.bookable:
        yield Took(row.space, row.units, row.starts_at, row.ends_at, used(row))
    for part in row.parts.exclude(space=None) if row.part_count else ():
        assert part.space is not None
        span = (part.starts_at, min(part.ends_at, row.ended_at or NOW))
        in_use = row.checked_in_at is not None and span[0] < span[1]
        yield Took(
            part.space, part.quantity, part.starts_at, part.ends_at, span if in_use else None
        )


def report(by: By = "total", *, aggregate: bool = False) -> dict[str, Any]:
    found = reporting.booking_figures(first=FIRST, last=LAST, by=by, aggregate=aggregate, now=NOW)
    return {figure.code: figure for figure in found.figures}


ALL_BY: list[By] = ["total", "day", "week", "month", "space_type"]


@pytest.mark.parametrize("by", ALL_BY)
def test_minutes_by_band_are_those_counted_one_by_one(by: By) -> None:
    naive = naive_minutes(made := world(1), by)

    found = report(by)

    for code, name in (("utilisation", "used"), ("booked_ratio", "booked")):
        values = {(v.group, v.part): v for v in found[code].values}
        assert values.keys() == naive["open"].keys()
        for key, value in values.items():
            assert value.of["open_min"] == naive["open"][key]
            assert value.of[f"{name}_min"] == naive[name][key]
            assert value.value == round(naive[name][key] / naive["open"][key], 4)
    assert found["booked_ratio"].coverage.bookings == sum(
        1
        for row in made.bookings
        if row.status in BOOKED
        and any(True for t in takings(row) for _ in minutes_of((t.starts_at, t.ends_at)))
    )  # fmt: skip


@pytest.mark.parametrize("by", ALL_BY)
def test_rates_lead_times_and_lengths_are_those_of_the_rows(by: By) -> None:
    made = world(2)
    groups: dict[str, list[Booking]] = defaultdict(list)
    for row in made.bookings:
        minute = round((row.starts_at - ZERO) / MINUTE)
        if row.space.bookable and 0 <= minute < TOTAL:
            groups[group_of(by, row.space, minute)].append(row)

    found = report(by)

    def value(code: str, group: str) -> float | None:
        return next((v.value for v in found[code].values if v.group == group), None)

    for group, rows in groups.items():
        of = defaultdict(list)
        for row in rows:
            of[row.status].append(row)
        done, missed = len(of["completed"]), len(of["no_show"])
        booked = [row for row in rows if row.status in BOOKED]
        cancelled = [row for row in of["cancelled"] if row.confirmed_at]
        leads = sorted(
            (row.starts_at - row.created_at) / timedelta(hours=1)
            for row in [*booked, *cancelled]
            if row.created_at <= row.starts_at
        )
        every = len(cancelled) + len(booked)
        assert value("no_show_rate", group) == _ratio(missed, done + missed)
        assert value("cancellation_rate", group) == _ratio(len(cancelled), every)
        assert value("average_length_min", group) == _rounded(
            statistics.fmean((r.ends_at - r.starts_at) / MINUTE for r in booked)
            if booked
            else None
        )
        assert value("lead_median_h", group) == _rounded(
            statistics.median(leads) if leads else None
        )
        assert value("lead_p90_h", group) == _rounded(_quantile(leads, 0.9))
    assert found["cancellation_rate"].coverage.bookings == sum(
        row.status in BOOKED or (row.status == "cancelled" and row.confirmed_at is not None)
        for rows in groups.values()
        for row in rows
    )


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _rounded(value: float | None) -> Any:
    """Half a cent of an hour may be rounded either way."""
    return None if value is None else pytest.approx(value, abs=0.0051)


def _quantile(values: list[float], at: float) -> float | None:
    """Between the two nearest, as percentile_cont does."""
    if not values:
        return None
    place = at * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)


def test_sessions_and_hours_by_type_and_category_are_those_of_the_rows() -> None:
    made = world(3)
    sessions: dict[tuple[str, str], int] = defaultdict(int)
    hours: dict[tuple[str, str], float] = defaultdict(float)
    for row in made.bookings:
        minute = round((row.starts_at - ZERO) / MINUTE)
        if row.space.bookable and 0 <= minute < TOTAL and row.checked_in_at:
            key = (row.space.type.code, row.tenant.category)
            sessions[key] += 1
            start, end = used(row) or (ZERO, ZERO)
            hours[key] += (end - start) / timedelta(hours=1)

    values = report()["sessions"].values

    assert {(v.space_type, v.tenant_category): v.value for v in values} == sessions
    assert {(v.space_type, v.tenant_category): v.of["hours"] for v in values} == {
        key: pytest.approx(value, abs=0.01) for key, value in hours.items()
    }


@pytest.mark.parametrize("by", ["total", "month", "space_type"])
def test_the_district_sees_nothing_that_tells_of_one_or_two_tenants(by: By) -> None:
    world(4)

    manager, district = report(by), report(by, aggregate=True)

    cells = {(v.space_type, v.tenant_category): v for v in district["sessions"].values}
    # Two anchors only; the brands' cells are three tenants each.
    hidden = {key for key, cell in cells.items() if cell.suppressed}
    assert {category for _, category in hidden} >= {"anchor"}
    assert all(cells[key].value is None and cells[key].of == {} for key in hidden)
    for code, figure in district.items():
        for seen, full in zip(figure.values, manager[code].values, strict=False):
            assert seen.suppressed or seen.value == full.value or code == "refusals"


def test_one_tenant_alone_is_told_of_nowhere() -> None:
    space, tenant = make.space(), make.tenant()
    random_ = random.Random(5)
    Booking.objects.bulk_create(_booking(random_, space, [tenant], n) for n in range(60))

    district = report(aggregate=True)

    for code in district.keys() - {"refusals"}:
        assert district[code].coverage.bookings is None
        assert {v.value for v in district[code].values if v.suppressed} <= {None}
        assert not [v for v in district[code].values if v.value and not v.suppressed]


def test_hidden_cells_stand_on_three_tenants_together_or_hide_everything() -> None:
    for seed in range(300):
        random_ = random.Random(seed)
        cells = {
            n: frozenset(random_.sample(range(8), random_.randint(0, 6)))
            for n in range(random_.randint(0, 6))
        }

        hidden = figures.suppressed(cells)

        behind = {tenant for key in hidden for tenant in cells[key]}
        told = [key for key, tenants in cells.items() if tenants and key not in hidden]
        assert all(len(cells[key]) >= 3 for key in told)
        assert not hidden or len(behind) >= 3 or not told


def test_every_figure_says_in_both_languages_what_it_is_and_what_it_stands_on() -> None:
    world(6)

    for figure in report().values():
        assert all([figure.name_zh, figure.name_en, figure.definition_zh, figure.definition_en])
        assert figure.source == "SYS"
        assert figure.coverage.bookings is not None


def test_refusals_are_counted_by_shanghai_day_rule_and_type() -> None:
    space = make.space()
    last_minute = datetime(2026, 9, 30, 15, 59, tzinfo=UTC)
    for _ in range(2):
        count_refusal(rules={"horizon", "capacity"}, space=space.code, now=last_minute)
    count_refusal(rules={"horizon"}, now=last_minute)
    count_refusal(rules={"horizon"}, now=ZERO - MINUTE)  # the day before

    values = report()["refusals"].values
    district = report(aggregate=True)["refusals"].values

    assert {(v.rule, v.space_type): v.value for v in values} == {
        ("capacity", space.type.code): 2, ("horizon", space.type.code): 2, ("horizon", ""): 1,
    }  # fmt: skip
    assert {(v.rule, v.space_type): v.value for v in district} == {
        ("capacity", None): 2, ("horizon", None): 3,
    }  # fmt: skip
