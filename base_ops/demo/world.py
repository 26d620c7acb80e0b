"""Makes the demo world be now: some rooms live, some starting and some ending within minutes."""

import logging
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from base_ops.core.actors import Actor
from base_ops.core.errors import DomainError
from base_ops.core.models import Space, Tenant
from base_ops.core.spans import Span
from booking import services as booking
from booking.services import BookingWish

logger = logging.getLogger(__name__)

DEMO = Actor(kind="demo", id="demo", label="demo")
RATINGS = ("A", "B")
OVERRIDE = frozenset({"slot_grid", "min_length"})


@dataclass(frozen=True, slots=True)
class Show:
    """When a demo show begins and ends, in minutes from now."""

    begins_min: int
    ends_min: int


# No-show grace is 20 minutes, so shows that began up to 14 minutes ago can still check in.
SHOWS = [
    *(Show(-begun, 60 + 25 * n) for n, begun in enumerate((3, 5, 6, 8, 9, 11, 12, 14))),
    *(Show(1 + n, 121 + 60 * n) for n in range(3)),
    *(Show(-10 - n, 1 + n) for n in range(3)),
    *(Show(30 + 20 * n, 180 + 20 * n) for n in range(4)),
]


def stage_now(*, now: datetime, seed: int = 1) -> int:
    """Book demo shows around `now` in rooms that are free; returns how many.

    Rooms that history and future already take are left alone. Repeating adds nothing where a room
    is taken.
    """
    dice = random.Random(seed)  # noqa: S311 - a demo, not a secret
    now = now.replace(second=0, microsecond=0)
    tenants = list(Tenant.objects.filter(compliance_rating__in=RATINGS, status="active"))
    spaces = list(
        Space.objects.filter(bookable=True, booking_mode="hourly", unit_count=None)
        .filter(type__group__in=["studio", "training"])
        .select_related("type")
    )
    dice.shuffle(spaces)
    dice.shuffle(tenants)
    staged = 0
    for show, space in _pairs(spaces):
        tenant = tenants[staged % len(tenants)]
        staged += _try(space, tenant, show, dice, now)
        if staged == len(SHOWS):
            break
    return staged


def _pairs(spaces: list[Space]) -> Iterator[tuple[Show, Space]]:
    """Every show with every space once, all shows before any second try."""
    for shift in range(len(spaces)):
        for n, show in enumerate(SHOWS):
            if n + shift < len(spaces):
                yield show, spaces[n + shift]


def _try(space: Space, tenant: Tenant, show: Show, dice: random.Random, now: datetime) -> bool:
    """Book one show through the same door as everybody, as seen from before it began."""
    span = Span(now + timedelta(minutes=show.begins_min), now + timedelta(minutes=show.ends_min))
    wish = BookingWish(
        space=space,
        tenant=tenant,
        span=span,
        headcount=dice.randint(1, max(1, min(space.capacity, 4))),
        title=dice.choice(("晚间专场", "新品首发", "品牌日", "清仓专场", "探店连线")),
        override=OVERRIDE,
    )
    try:
        booking.book(wish=wish, actor=DEMO, hold=False, now=span.start - timedelta(hours=1))
    except DomainError as exc:
        logger.debug("demo.show_refused", extra={"space": space.code, "code": exc.code})
        return False
    return True
