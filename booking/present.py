"""Makes a demo look alive: shows on air now, some about to start, some about to end.

Goes around the rules of time (grid, minimum length), never around the exclusion constraint.
"""

import itertools
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from base_ops.core.models import Space, Tenant
from base_ops.core.spans import Span
from booking import importers, selectors
from booking.domain.slots import Buffers
from booking.domain.states import Status
from booking.models import Booking
from booking.services import preparing
from booking.services.locking import Place, allocate, lock_spaces
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
    Part("美妆试色间", -118, 3),
    Part("零食品鉴会", -87, 3),
    Part("达人首播", 3, 63),
    Part("品牌会员日", 2, 122),
    Part("数码尝鲜夜", 3, 93),
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
        shows = _cast(_spread(spaces), minute, now)
        rows = [_show(space, next(tenants), span, title, now) for space, span, title in shows]
        importers.price(rows)
        for row in rows:
            _save(row)
    return len(rows)


def _spread(spaces: list[Space]) -> list[Space]:
    """One room of each type first, then the seconds, so that not one corner is busy alone."""
    by_type: dict[int, list[Space]] = {}
    for space in spaces:
        by_type.setdefault(space.type_id, []).append(space)
    rows = itertools.zip_longest(*by_type.values())
    return [space for row in rows for space in row if space is not None]


def _cast(free: list[Space], minute: datetime, now: datetime) -> Iterator[tuple[Space, Span, str]]:
    """Each part with the first room that is free for it; a part that fits nowhere is left out."""
    day = Span(minute - timedelta(hours=4), minute + timedelta(hours=6))
    takings = selectors.taken(space_ids=[space.pk for space in free], window=day, now=now)
    for part in PARTS:
        for space in free:
            spans = _spans(part, selectors.buffers(space), minute)
            around = selectors.buffers(space)
            whole = Span(around.block(spans[0]).start, around.block(spans[-1]).end)
            if selectors.free_units(space, whole, takings[space.pk]):
                free.remove(space)
                yield from ((space, span, part.title) for span in spans)
                break


def _spans(part: Part, around: Buffers, minute: datetime) -> list[Span]:
    """The part's time, and that of the show that follows it."""
    first = Span(
        minute + timedelta(minutes=part.start_min), minute + timedelta(minutes=part.end_min)
    )
    if not part.followed:
        return [first]
    start = first.end + around.after + around.before
    return [first, Span(start, start + timedelta(hours=2))]


def _show(space: Space, tenant: Tenant, span: Span, title: str, now: datetime) -> Booking:
    """A booking, not yet saved; one that began is checked in, and takes its room over later."""
    began = span.start <= now
    return Booking(
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
        **selectors.buffers(space).as_minutes(),
    )


def _save(booking: Booking) -> None:
    booking.save()
    unit = selectors.units_of(booking.space)[0]
    block = booking.buffers.block(booking.span)
    if not allocate(booking, [Place(booking.space_id, None, unit, block)]):
        raise AssertionError(f"{booking.space.code} was locked and free, yet taken")
