"""What search offers keeps the rules: exactly the starts that the judge of bookings lets pass."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from base_ops.core import auth, clock
from base_ops.core.models import Role, Space, Tenant
from base_ops.core.spans import Span
from booking import selectors, services
from booking.domain.rulebook import Case
from booking.domain.rulebook.params import WEEKDAYS
from booking.domain.rules import ceil_to_grid
from booking.models import Allocation
from booking.selectors import Search
from booking.services import series
from tests import make
from tests.booking import rulings, world
from tests.booking.rulings import rule
from tests.booking.series_world import wish

pytestmark = pytest.mark.django_db
ZERO = datetime(2026, 9, 15, 16, 0, tzinfo=UTC)  # a Wednesday begins in Guangzhou
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
OPENINGS: list[list[list[str]]] = [
    [], [["00:00", "24:00"]], [["09:00", "22:00"]], [["08:00", "12:00"], ["13:30", "26:30"]],
    [["22:00", "30:00"]], [["18:00", "48:00"]],
]  # fmt: skip


def daily(start: str, end: str) -> dict[str, Any]:
    return {day: [[start, end]] for day in WEEKDAYS}


def at(minute: int) -> datetime:
    return ZERO + minute * MINUTE


def enforce(*rules: dict[str, Any], now: datetime = ZERO) -> None:
    """These rules instead of those that were."""
    document = rulings.document(*rules)
    services.publish_rules(document=document, actor=world.STAFF, now=now - DAY)


def rules_of_time(random_: random.Random) -> list[dict[str, Any]]:
    """Rules about time as a base might have them, and other hours for anchors."""

    def hours() -> dict[str, Any]:
        week = {day: random_.choice(OPENINGS) for day in WEEKDAYS}
        return {"week": week | {"MO": [["10:00", "20:00"]]}, "dates": {"2026-09-17": []}}

    horizon: dict[str, Any] = random_.choice([
        {"days": 2}, {"minutes": 3000}, {"days": 1, "count": "calendar"},
        {"minutes": 2000, "measured_at": "end"}, {"days": 2, "measured_at": "end"}, {},
    ])  # fmt: skip
    return [
        rule(
            "opening_hours",
            **(hours() if random_.random() < 0.7 else {"week": daily("00:00", "24:00")}),
        ),
        rule("opening_hours", scope={"tenant_categories": ["anchor"]}, **hours()),
        rule("step", minutes=random_.choice([15, 60, "own"])),
        rule("min_length", minutes=random_.choice([None, 45, "own"])),
        rule("max_length", minutes=random_.choice([None, 720])),
        rule("max_days", days=random_.choice([None, 1, 2])),
        rule("min_notice", minutes=random_.choice([None, 200])),
        rule("horizon", **horizon),
    ]


def passing(
    space: Space, renter: Tenant, length: timedelta, search: Search, now: datetime
) -> list[datetime]:
    """Every quarter of an hour from which the judge lets the length pass."""
    book = selectors.current_book(now=now)
    place, who = selectors.place(space, book), selectors.renter(renter)
    start, found = search.since, []
    while start < search.until:
        case = Case((place,), who, Span(start, start + length), now)
        if not book.judge(case).broken:
            found.append(start)
        start += 15 * MINUTE
    return found


@pytest.mark.parametrize("seed", range(25))
def test_every_start_that_the_judge_lets_pass_is_offered_and_no_other(seed: int) -> None:
    random_ = random.Random(seed)
    enforce(*rules_of_time(random_))
    space = make.space(type=make.space_type(setup_min=0, teardown_min=0, slot_min=30, min_min=60))
    renter = make.tenant(category=random_.choice(["brand", "anchor"]))
    search = Search(at(0), at(4 * 1440), random_.choice([30, 60, 200, 700]) * MINUTE)

    sales = selectors.sales(spaces=[space], renter=renter, now=at(0))
    found = selectors.next_starts(spaces=[space], search=search, sales=sales, now=at(0))

    length = sales[space.pk].length(search.minutes)
    expected = [] if length is None else passing(space, renter, length * MINUTE, search, at(0))
    assert list(found[space.pk].starts) == expected
    assert not expected or found[space.pk].length == (length or 0) * MINUTE


def test_the_first_starts_lie_where_the_space_is_both_free_and_open() -> None:
    enforce(rule("opening_hours", week=daily("09:00", "12:10")))
    space = make.space(
        type=make.space_type(setup_min=0, teardown_min=0, slot_min=30, min_min=60), unit_count=2
    )
    for unit, start in ((1, 600), (2, 540), (2, 660)):  # from 10:00; from 9:00 and 11:00
        span = (at(start), at(start + 60))
        Allocation.objects.create(space=space, unit=unit, block=span, kind="blackout")
    sales = selectors.sales(spaces=[space], now=at(0))

    def first(limit: int, units: int) -> list[datetime]:
        search = Search(at(0), at(3 * 1440), 60 * MINUTE, units=units, limit=limit)
        found = selectors.next_starts(spaces=[space], search=search, sales=sales, now=at(0))
        return list(found[space.pk].starts)

    assert first(4, units=1) == [at(540), at(600), at(660), at(1440 + 540)]
    assert first(2, units=2) == [at(1440 + 540), at(1440 + 570)]


def test_a_closed_room_is_not_free_and_says_when_it_next_is() -> None:
    now = clock.now()
    start = ceil_to_grid(now + DAY, 1440)  # midnight
    enforce(rule("opening_hours", week=daily("09:00", "18:00")), now=now)
    room = world.studio()
    token, _ = auth.new_token(user=make.user(Role.MANAGER), name="t", now=now)
    caller = Client(headers={"Authorization": f"Bearer {token}"})

    def asked(hour: int) -> dict[str, Any]:
        window = {"from": start + hour * 60 * MINUTE, "to": start + (hour + 1) * 60 * MINUTE}
        query = {name: instant.isoformat() for name, instant in window.items()}
        answer = caller.get("/api/v1/availability", query)
        (item,) = answer.json()["items"]
        return dict(item)

    closed, opened = asked(7), asked(10)

    assert (closed["free"], closed["open"], closed["free_units"]) == (False, False, 1)
    next_free = datetime.fromisoformat(closed["next_free_at"])
    assert next_free == start + 9 * 60 * MINUTE
    assert (opened["free"], opened["open"], opened["space"]) == (True, True, room.code)


def test_rooms_that_are_closed_or_sold_on_another_grid_are_no_alternatives() -> None:
    enforce(rule("step", minutes=30), rule("min_length", minutes=30))
    wished = Span(at(20 * 60), at(21 * 60 + 30))
    room = make.space(features=[])
    twin = make.space(type=room.type)
    shut = make.space(type=room.type)
    hourly = make.space(type=room.type)
    enforce(
        rule("step", minutes=30), rule("min_length", minutes=30),
        rule("step", scope={"spaces": [hourly.code]}, minutes=60),
        rule(
            "opening_hours", scope={"spaces": [shut.code]},
            week=daily("06:00", "10:00"),
        ),
    )  # fmt: skip

    found = selectors.alternatives(room, wished, 1, now=at(0))
    equal = selectors.equal_spaces(room, wished, 1, now=at(0))

    assert {o["space"] for o in found if o["kind"] == "space"} == {twin.code}
    assert {o["space"] for o in found} == {room.code, twin.code, shut.code}
    assert {space.code for space in equal} == {twin.code, hourly.code}


@pytest.mark.usefixtures("prices")
def test_a_series_is_offered_only_times_and_rooms_that_are_open(now: datetime) -> None:
    room, shut = world.studio(), world.studio()
    start = ceil_to_grid(now, 1440) + DAY + 12 * 60 * MINUTE  # at noon
    enforce(
        rule("step", minutes=30),
        rule("opening_hours", week=daily("09:00", "14:00")),
        rule("opening_hours", scope={"spaces": [shut.code]}, week=daily("18:00", "24:00")),
        now=now,
    )
    asked = wish(room, make.tenant(), start, rrule="FREQ=DAILY;COUNT=2")
    taken = (start, start + 60 * MINUTE)
    Allocation.objects.create(space=room, block=taken, kind="blackout")

    seen = series.look(series.expanded(asked), now=now)
    series.propose(seen, now=now)

    assert [one.verdict for one in seen] == ["conflict", "ok"]
    found = [(a["kind"], datetime.fromisoformat(a["starts_at"])) for a in seen[0].alternatives]
    assert found == [("time", start - minutes * MINUTE) for minutes in (90, 120, 150)]
