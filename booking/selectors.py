"""Reads: who takes what when, free rooms, near and equal alternatives, somebody's bookings."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from psycopg.types.range import TimestamptzRange

from base_ops.core.errors import NotFound
from base_ops.core.models import Space, Tenant
from base_ops.core.spans import Span
from booking.domain import rules, slots
from booking.domain.states import Status
from booking.models import Allocation, Booking
from devices import selectors as devices
from devices.domain.shadow import Link, link_at
from devices.models import Device

SEARCH = timedelta(days=7)
DAY = timedelta(days=1)
NEAR = timedelta(hours=12)


class BookingNotFound(NotFound):
    """No such booking, or not one of the caller's."""

    code, title_zh, title_en = "booking_not_found", "找不到该预订", "No such booking"


@dataclass(frozen=True, slots=True)
class Taken:
    """One active allocation, as far as the caller may need it."""

    space_id: int
    unit: int
    span: Span
    kind: str
    booking_code: str | None
    tenant_id: int | None


def active(now: datetime) -> QuerySet[Allocation]:
    """Allocations that block at `now`: those of expired holds do not, swept or not."""
    return Allocation.objects.filter(active=True).filter(
        Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    )


def taken(*, space_ids: Collection[int], window: Span, now: datetime) -> dict[int, list[Taken]]:
    """What is taken in `window`, by space id; one query."""
    rows = (
        active(now)
        .filter(
            space_id__in=space_ids, block__overlap=TimestamptzRange(window.start, window.end, "[)")
        )
        .values_list(
            "space_id", "unit", "block", "kind", "booking__code", "booking__tenant_id",
            "lease__tenant_id",
        )
    )  # fmt: skip
    found: dict[int, list[Taken]] = defaultdict(list)
    for space_id, unit, block, kind, code, tenant_id, lessee_id in rows:
        span = Span(block.lower, block.upper)
        found[space_id].append(Taken(space_id, unit, span, kind, code, tenant_id or lessee_id))
    return found


def buffers(space: Space) -> slots.Buffers:
    """Setup and teardown of a space, from its type."""
    return slots.Buffers.of_minutes(space.type.setup_min, space.type.teardown_min)


def room(space: Space) -> rules.Room:
    """The space as the rules see it."""
    return rules.Room(
        code=space.code,
        bookable=space.bookable,
        capacity=space.capacity,
        unit_count=space.unit_count,
        slot_min=space.type.slot_min,
        min_min=space.type.min_min,
    )


def renter(tenant: Tenant) -> rules.Renter:
    """The tenant as the rules see it."""
    return rules.Renter(tenant.code, tenant.compliance_rating, tenant.status == "active")


def units_of(space: Space) -> range:
    """The resources of a space: 0 for the whole, or its units from 1."""
    return range(1, space.unit_count + 1) if space.unit_count else range(1)


def free_units(space: Space, block: Span, takings: Iterable[Taken]) -> list[int]:
    """The resources of the space that nothing takes during the block."""
    busy = {t.unit for t in takings if t.span.overlaps(block)}
    return [unit for unit in units_of(space) if unit not in busy]


def next_start(
    space: Space, takings: Sequence[Taken], wish: Span, *, now: datetime
) -> datetime | None:
    """The first start from the wished one on, within a week, at which any unit is free."""
    around = buffers(space)
    window = Span(around.block(wish).start, wish.start + SEARCH)
    found = (
        slots.next_free(
            window,
            (t.span for t in takings if t.unit == unit),
            wish.length,
            around,
            step_min=space.type.slot_min,
            not_before=max(now, wish.start),
        )
        for unit in units_of(space)
    )
    return min((start for start in found if start is not None), default=None)


def _near_times(
    space: Space, wish: Span, takings: Sequence[Taken], *, now: datetime
) -> list[Span]:
    """Up to three free times in the same space nearest to the wish."""
    around = buffers(space)
    found = {
        span
        for unit in units_of(space)
        for span in slots.nearest(
            wish,
            [t.span for t in takings if t.unit == unit],
            around,
            step_min=space.type.slot_min,
            not_before=now,
        )
    }
    return sorted(found, key=lambda s: (abs(s.start - wish.start), s.start))[:3]


def equal_spaces(
    space: Space, wish: Span, headcount: int, *, now: datetime, limit: int = 3
) -> list[Space]:
    """Free spaces of the same type, or else of the same group, that hold as many people."""
    rivals = _rivals(space, headcount)
    takings = taken(space_ids=[r.pk for r in rivals], window=_around(wish, [*rivals]), now=now)
    return _free_rivals(space, wish, rivals, takings)[:limit]


def _rivals(space: Space, headcount: int) -> list[Space]:
    """Other spaces of the same group that hold as many people."""
    rows = Space.objects.select_related("type", "floor").exclude(pk=space.pk)
    return list(rows.filter(type__group=space.type.group, bookable=True, capacity__gte=headcount))


def _around(wish: Span, spaces: Iterable[Space]) -> Span:
    """The wish with the widest buffers of any of the spaces."""
    blocks = [wish, *(buffers(space).block(wish) for space in spaces)]
    return Span(min(b.start for b in blocks), max(b.end for b in blocks))


def _free_rivals(
    space: Space, wish: Span, rivals: Iterable[Space], takings: Mapping[int, Sequence[Taken]]
) -> list[Space]:
    """Those that are free for the wish, those of the same type first."""
    free = [
        rival
        for rival in rivals
        if free_units(rival, buffers(rival).block(wish), takings.get(rival.pk, ()))
        and wish.length >= timedelta(minutes=rival.type.min_min)
    ]
    free.sort(key=lambda r: (r.type_id != space.type_id, r.capacity, r.code))
    return free


def alternatives(
    space: Space, wish: Span, headcount: int, *, now: datetime
) -> list[dict[str, Any]]:
    """Near times in the same space, then equal spaces at the same time, as JSON; two queries."""
    rivals = _rivals(space, headcount)
    window = _around(wish, [space, *rivals]).widened(before=NEAR, after=NEAR)
    takings = taken(space_ids=[space.pk, *(r.pk for r in rivals)], window=window, now=now)
    times = [
        _offer("time", space, span)
        for span in _near_times(space, wish, takings.get(space.pk, ()), now=now)
    ]
    equal = _free_rivals(space, wish, rivals, takings)[:3]
    return times + [_offer("space", room, wish) for room in equal]


def _offer(kind: str, space: Space, span: Span) -> dict[str, Any]:
    return {
        "kind": kind,
        "space": space.code,
        "name_zh": space.name_zh,
        "name_en": space.name_en,
        "starts_at": span.start.isoformat(),
        "ends_at": span.end.isoformat(),
    }


def bookings_for(tenant_id: int | None) -> QuerySet[Booking]:
    """The bookings a caller may see: a tenant's own, or all (None: people of the base)."""
    rows = Booking.objects.select_related("space__type", "space__floor", "tenant")
    return rows if tenant_id is None else rows.filter(tenant_id=tenant_id)


def filtered(
    rows: QuerySet[Booking],
    *,
    statuses: Sequence[str],
    space: str | None,
    tenant: str | None,
    start: datetime | None,
    end: datetime | None,
    now: datetime,
) -> QuerySet[Booking]:
    """Narrow a list of bookings; a hold whose time is over counts as expired, swept or not."""
    if statuses:
        overdue = Q(status=Status.HELD, expires_at__lte=now)
        wanted = Q(status__in=statuses) & ~overdue
        rows = rows.filter(wanted | overdue if Status.EXPIRED in statuses else wanted)
    if space:
        rows = rows.filter(space__code=space)
    if tenant:
        rows = rows.filter(tenant__code=tenant)
    if start:
        rows = rows.filter(ends_at__gt=start)
    return rows.filter(starts_at__lt=end) if end else rows


def booking_for(*, code: str, tenant_id: int | None) -> Booking:
    """One booking.

    Raises:
        BookingNotFound: there is none, or it is somebody else's; the answers do not differ.
    """
    found = bookings_for(tenant_id).filter(code=code).first()
    if found is None:
        raise BookingNotFound(f"no booking {code}")
    return found


def bookable_spaces(
    *, type_code: str | None = None, floor: str | None = None, capacity: int = 0
) -> list[Space]:
    """Spaces that can be booked by time, filtered."""
    rows = Space.objects.select_related("type", "floor").filter(
        bookable=True, capacity__gte=capacity
    )
    if type_code:
        rows = rows.filter(type__code=type_code)
    if floor:
        rows = rows.filter(floor__code=floor)
    return list(rows)


def streaming_encoders(space: Space) -> list[Device]:
    """The encoders of a space that stream, or are about to."""
    rows = Device.objects.filter(space=space, kind="encoder", status="active")
    return list(rows.filter(shadow__reported__run__in=["starting", "live"]))


def on_air(now: datetime) -> set[int]:
    """Spaces that stream, or may stream unseen because their encoder fell silent mid-show."""
    seen = devices.on_air_space_ids()
    lost = set(Space.objects.filter(bookable=True).values_list("pk", flat=True)) - seen
    unseen = devices.on_air_of(lost, now=now).items()
    return seen | {space_id for space_id, show in unseen if show.holds(now)}


def encoders_known(now: datetime) -> dict[int, bool]:
    """The spaces with an encoder in service, and whether one of them is online."""
    rows = Device.objects.filter(kind="encoder", status="active").values_list(
        "space_id", "shadow__link", "shadow__last_seen_at"
    )
    known: dict[int, bool] = {}
    for space_id, link, seen_at in rows:
        if space_id is not None:
            online = link_at(Link(link or Link.UNKNOWN), seen_at, now) is Link.ONLINE
            known[space_id] = known.get(space_id, False) or online
    return known
