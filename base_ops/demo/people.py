"""The demo's people: they come to their bookings, and now and then book another show."""

import logging
import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from base_ops.core.actors import Actor
from base_ops.core.errors import DomainError
from base_ops.core.jobs import Job
from base_ops.core.models import Space, Tenant
from base_ops.core.spans import Span
from booking import selectors as bookings
from booking import services as booking
from booking.models import Booking
from booking.services import BookingWish
from devices import selectors as devices
from devices.models import Grant, SceneRun
from devices.services import apply_scene

logger = logging.getLogger(__name__)

DEMO = Actor(kind="demo", id="demo", label="demo")
RATINGS = ("A", "B")
ABSENT_ONE_IN = 25
BUSY_ROOMS = 14
LEAD = timedelta(seconds=45)
PATIENCE = timedelta(seconds=45)
LATEST_ARRIVAL = timedelta(minutes=18)


def arrive(now: datetime) -> int:
    """Check in everybody whose time has come, but for a few who never show up."""
    due = Booking.objects.filter(
        status="confirmed", starts_at__gt=now - LATEST_ARRIVAL, starts_at__lte=now
    ).select_related("space__type", "tenant")
    return sum(_check_in(row, now) for row in due if not _stays_away(row.code))


def _stays_away(code: str) -> bool:
    return random.Random(code).randrange(ABSENT_ONE_IN) == 0  # noqa: S311 - a demo


def _check_in(row: Booking, now: datetime) -> bool:
    try:
        actor = replace(DEMO, tenant_id=row.tenant_id)
        booking.check_in(booking=row, actor=actor, pin=row.pin, now=now)
    except DomainError as exc:
        logger.info("demo.not_checked_in", extra={"booking": row.code, "code": exc.code})
        return False
    return True


def go_live(now: datetime) -> int:
    """Whoever is inside takes the room over; who has an encoder and is off air presses the button.

    The demo's shows of before the start are handed over here, once their devices have answered:
    commands to devices that nobody switched on yet would only expire and raise alarms.
    """
    on_air = devices.on_air_space_ids()
    inside = list(
        Booking.objects.filter(status="checked_in", ends_at__gt=now + LEAD).select_related(
            "space", "tenant"
        )
    )
    health = devices.space_health([row.space_id for row in inside], now)
    equipped = bookings.encoders_known(now)
    entitled = _entitled(inside)
    done = 0
    for row in inside:
        if not _answers(health[row.space_id]):
            continue
        if row.code not in entitled:
            done += _take_over(row, now)
        elif equipped.get(row.space_id) and row.space_id not in on_air and not _pressed(row, now):
            done += _go_live(row, now)
    return done


def _entitled(inside: Iterable[Booking]) -> set[str]:
    """The bookings whose people control their room."""
    codes = [row.code for row in inside]
    grants = Grant.objects.filter(booking_code__in=codes, revoked_at=None)
    return set(grants.values_list("booking_code", flat=True))


def _answers(health: devices.SpaceHealth) -> bool:
    """Whether every device of the room was heard of, and most are online."""
    heard = health.online + health.stale + health.offline
    return heard == health.total and 2 * health.online >= health.total


def _take_over(row: Booking, now: datetime) -> bool:
    actor = replace(DEMO, tenant_id=row.tenant_id)
    try:
        booking.hand_over(row, actor=actor, now=now)
    except DomainError as exc:
        logger.info("demo.not_handed_over", extra={"booking": row.code, "code": exc.code})
        return False
    return True


def _pressed(row: Booking, now: datetime) -> bool:
    return SceneRun.objects.filter(
        space_id=row.space_id, scene="on_air", created_at__gt=now - PATIENCE
    ).exists()


def _go_live(row: Booking, now: datetime) -> bool:
    actor = replace(DEMO, tenant_id=row.tenant_id)
    try:
        apply_scene(
            space=row.space,
            scene="on_air",
            actor=actor,
            booking_code=row.code,
            until=row.until,
            now=now,
        )
    except DomainError as exc:
        logger.info("demo.not_live", extra={"booking": row.code, "code": exc.code})
        return False
    return True


def book_more(now: datetime) -> int:
    """Keep the floor alive: while fewer than 14 rooms are taken in two hours, book one more."""
    window = Span(now + timedelta(hours=1), now + timedelta(hours=3))
    spaces = list(
        Space.objects.filter(bookable=True, booking_mode="hourly", unit_count=None)
        .filter(type__group="studio")
        .select_related("type")
    )
    taken = bookings.taken(space_ids=[space.pk for space in spaces], window=window, now=now)
    free = [space for space in spaces if not taken[space.pk]]
    if len(spaces) - len(free) >= BUSY_ROOMS or not free:
        return 0
    dice = random.Random(int(now.timestamp()))  # noqa: S311 - a demo
    return int(_book_one(dice.choice(free), dice, now))


def _book_one(space: Space, dice: random.Random, now: datetime) -> bool:
    slot = timedelta(minutes=space.type.slot_min)
    start = datetime.fromtimestamp(
        (now.timestamp() // slot.total_seconds() + 2) * slot.total_seconds(), now.tzinfo
    )
    length = max(timedelta(minutes=space.type.min_min), slot * dice.randint(2, 6))
    tenants = Tenant.objects.filter(compliance_rating__in=RATINGS, status="active")
    wish = BookingWish(
        space=space, tenant=dice.choice(list(tenants)), span=Span(start, start + length)
    )
    try:
        booking.book(wish=wish, actor=DEMO, hold=False, now=now)
    except DomainError as exc:
        logger.info("demo.not_booked", extra={"space": space.code, "code": exc.code})
        return False
    return True


JOBS = [
    Job("demo.arrive", 10, arrive),
    Job("demo.go_live", 10, go_live),
    Job("demo.book_more", 60, book_more),
]
