"""The overlap vectors once more, booked for good: through the services, and past them.

What stands already is booked first, by others; a vector whose own bookings would conflict keeps
those that fit. What peaks follow is followed here too: a seat is numbered and its booking keeps
it, so bookings are put where they leave the least idle.
"""

from datetime import datetime, timedelta
from typing import Any

import pytest

from base_ops.core.models import Space
from base_ops.core.spans import Span
from booking import services
from booking.models import Allocation, Booking
from booking.services import BookingWish, Change, Extra, SlotTaken, locking
from booking.services.series import SeriesConflicts, SeriesWish
from tests import make
from tests.booking import series_world, world
from tests.booking.rulings import document, rule
from tests.booking.test_pool_vectors import WRONG, blocked, instances, span
from tests.booking.vectors import cases

pytestmark = pytest.mark.usefixtures("prices")
LIVE = ("confirmed", "held")


def spaces_of(vector: dict[str, Any]) -> dict[str, Space]:
    """A space for each resource: seats where several fit, and one gap after each booking."""
    return {
        code: make.space(
            type=make.space_type(setup_min=0, teardown_min=resource["buffer_minutes"]),
            unit_count=resource["capacity"] if resource["capacity"] > 1 else None,
        )
        for code, resource in vector["resources"].items()
    }


def ahead(vector: dict[str, Any], now: datetime) -> timedelta:
    """Whole days by which the vector's times are moved to lie before us."""
    times = [row["start"] for row in vector["existing"]]
    times += [wish.start.isoformat() for wish in instances(vector["request"])]
    first = min(datetime.fromisoformat(text) for text in times)
    return timedelta(days=(now + timedelta(days=7) - first).days)


def moved(wish: Span, by: timedelta) -> Span:
    return Span(wish.start + by, wish.end + by)


def book(space: Space, wish: Span, now: datetime, **more: Any) -> Booking | None:
    asked = BookingWish(space=space, tenant=make.tenant(), span=wish, **more)
    try:
        return services.book(wish=asked, actor=world.STAFF, hold=False, now=now)
    except SlotTaken:
        return None


def ask(vector: dict[str, Any], spaces: dict[str, Space], by: timedelta, now: datetime) -> int:
    """Book what the vector requests, beside what stands; how many bookings that made."""
    request = vector["request"]
    stands = {
        row["ref"]: book(spaces[row["resource"]], moved(span((row["start"], row["end"])), by), now)
        for row in vector["existing"]
    }
    room, *others = [spaces[code] for code in request["resources"]]
    wishes = [moved(wish, by) for wish in instances(request)]
    extras = tuple(Extra(space=space) for space in others)
    if own := stands.get(request.get("updates", "")):
        change = Change(
            space=room, starts_at=wishes[0].start, ends_at=wishes[0].end, extras=extras
        )
        try:
            services.move(booking=own, change=change, actor=world.STAFF, now=now)
        except SlotTaken:
            return 0
        return 1
    if len(wishes) == 1:
        return int(book(room, wishes[0], now, extras=extras) is not None)
    return _in_a_row(room, wishes, request["on_conflict"], now)


def _in_a_row(room: Space, wishes: list[Span], on_conflict: str, now: datetime) -> int:
    """As a series of these dates."""
    first = BookingWish(space=room, tenant=make.tenant(), span=wishes[0])
    asked = SeriesWish(first, "", rdates=[wish.start for wish in wishes])
    mode = {"skip": "skip", "fail": "atomic"}[on_conflict]
    try:
        return len(series_world.create(asked, now, mode=mode).bookings)
    except SeriesConflicts:
        return 0


@pytest.mark.parametrize("vector", cases("overlap_librebooking"))
def test_the_services_follow(vector: dict[str, Any], now: datetime) -> None:
    services.publish_rules(
        document=document(rule("hold_ttl", minutes=10)), actor=world.STAFF, now=now
    )
    wanted = len(instances(vector["request"]))

    made = ask(vector, spaces_of(vector), ahead(vector, now), now)

    follows = vector["expect"] == "accept" and vector["id"] not in WRONG
    assert made == vector.get("instances_kept", wanted if follows else 0)


ALONE = [
    param
    for param in cases("overlap_librebooking")
    if all(resource["capacity"] == 1 for resource in param.values[0]["resources"].values())
]


@pytest.mark.parametrize("vector", ALONE)
def test_so_does_the_constraint_without_any_service(vector: dict[str, Any], now: datetime) -> None:
    """Places are inserted unlooked; the constraint alone lets some through."""
    spaces, by, request = spaces_of(vector), ahead(vector, now), vector["request"]

    def put(code: str, wish: Span) -> bool:
        block = blocked(moved(wish, by), vector["resources"][code]["buffer_minutes"])
        place = locking.Place(spaces[code].pk, None, 0, block)
        booking = world.booked(now=now, start_min=60 * 24)
        return locking.insert([(place, booking.pk, None)]) == 1

    for row in vector["existing"]:
        if row["ref"] != request.get("updates"):
            put(row["resource"], span((row["start"], row["end"])))
    kept = [all(put(code, wish) for code in request["resources"]) for wish in instances(request)]

    follows = vector["expect"] == "accept" and vector["id"] not in WRONG
    if request.get("on_conflict") == "skip":
        assert sum(kept) == vector["instances_kept"]
    else:
        assert all(kept) is follows
    assert Allocation.objects.filter(active=True, space__in=spaces.values()).exists()
