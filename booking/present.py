"""Makes a demo look alive: shows on air now, some about to start, some about to end.

Goes around the rules of time (grid, minimum length), never around the exclusion constraint.
"""

import itertools
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from base_ops.core.actors import SYSTEM
from base_ops.core.models import Space, Tenant
from base_ops.core.spans import Span
from booking import importers, selectors
from booking.domain.states import Status
from booking.models import Booking
from booking.services import preparing, staying
from booking.services.locking import allocate, lock_spaces
from booking.services.making import new_code

SOURCE = "present"


@dataclass(frozen=True, slots=True)
class Part:
    """One show, in minutes around now; `followed` puts another right behind its buffers."""

    title: str
    start_min: int
    end_min: int
    followed: bool = False


PARTS = (
    Part("晚间新品专场", -50, 70),
    Part("番禺珠宝源头直播", -95, 85),
    Part("秋冬服饰清仓", -30, 150),
    Part("工厂直播日", -57, 3, followed=True),
    Part("美妆试色间", -118, 2),
    Part("达人首播", 3, 63),
    Part("品牌会员日", 2, 122),
    Part("家居好物分享", 14, 134),
)


def stage(*, now: datetime) -> int:
    """Create the shows that are not staged yet, in rooms that are free for them.

    Returns:
        How many bookings were created; 0 while an earlier staging is still running.
    """
    minute = now.replace(second=0, microsecond=0)
    with transaction.atomic():
        if Booking.objects.filter(source=SOURCE, ends_at__gt=now).exists():
            return 0
        encoders = selectors.encoders_known(now)
        spaces = [s for s in selectors.bookable_spaces() if s.pk in encoders and s.type.is_studio]
        lock_spaces([s.pk for s in spaces])
        tenants = itertools.cycle(
            Tenant.objects.filter(status="active", compliance_rating__in="AB").exclude(
                category__in=("platform", "university", "training_institute", "public")
            )
        )
        free = _spread(spaces)
        return sum(_stage(part, free, tenants, minute, now) for part in PARTS)


def _spread(spaces: list[Space]) -> list[Space]:
    """One room of each type first, then the seconds, so that not one corner is busy alone."""
    by_type: dict[int, list[Space]] = {}
    for space in spaces:
        by_type.setdefault(space.type_id, []).append(space)
    rows = itertools.zip_longest(*by_type.values())
    return [space for row in rows for space in row if space is not None]


def _stage(
    part: Part, free: list[Space], tenants: Iterator[Tenant], minute: datetime, now: datetime
) -> int:
    span = Span(
        minute + timedelta(minutes=part.start_min), minute + timedelta(minutes=part.end_min)
    )
    for space in free:
        around = selectors.buffers(space)
        wanted = [span]
        if part.followed:
            start = span.end + around.teardown + around.setup
            wanted.append(Span(start, start + timedelta(hours=2)))
        whole = Span(around.block(wanted[0]).start, around.block(wanted[-1]).end)
        takings = selectors.taken(space_ids=[space.pk], window=whole, now=now)[space.pk]
        if not selectors.free_units(space, whole, takings):
            continue
        free.remove(space)
        for each in wanted:
            _create(space, next(tenants), each, part.title, now)
        return len(wanted)
    return 0


def _create(space: Space, tenant: Tenant, span: Span, title: str, now: datetime) -> None:
    began = span.start <= now
    booking = Booking(
        code=new_code(),
        tenant=tenant,
        space=space,
        starts_at=span.start,
        ends_at=span.end,
        status=Status.CHECKED_IN if began else Status.CONFIRMED,
        title=title,
        purpose="live_sales",
        headcount=min(2, space.capacity),
        pin=f"{secrets.randbelow(10**6):06d}",
        created_at=now - timedelta(days=2),
        confirmed_at=now - timedelta(days=2),
        checked_in_at=span.start if began else None,
        prepared_at=span.start - preparing.AHEAD if began else None,
        source=SOURCE,
    )
    importers.price(booking)
    booking.save()
    block = selectors.buffers(space).block(span)
    if not allocate(booking, units=list(selectors.units_of(space))[:1], block=block):
        raise AssertionError(f"{space.code} was locked and free, yet taken")
    if began:
        staying.hand_over(booking, actor=SYSTEM, now=now)
