"""Shapes answers that put several reads together: availability, timeline, occupancy."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg.types.range import TimestamptzRange

from base_ops.core.models import Role, Space, Tenant, User
from base_ops.core.schemas import TenantRef
from base_ops.core.spans import Span
from billing import services as billing
from billing.domain.quote import Quote
from booking import occupancy, selectors
from booking.models import Allocation
from booking.schemas import (
    AvailabilityOut,
    AvailableOut,
    BlockOut,
    LaneOut,
    OccupancyOut,
    TimelineOut,
)


def availability(
    *, spaces: Sequence[Space], wish: Span, renter: Tenant | None, now: datetime
) -> AvailabilityOut:
    """Each space for the window: free or busy, when it is free next, what it costs."""
    window = Span(wish.start, wish.end + selectors.SEARCH).widened(
        before=selectors.DAY, after=selectors.DAY
    )
    takings = selectors.taken(space_ids=[s.pk for s in spaces], window=window, now=now)
    prices = billing.quote_many(tenant=renter, spaces=spaces, span=wish, now=now) if renter else {}
    items = [_available(s, wish, takings[s.pk], prices.get(s.pk), now) for s in spaces]
    items.sort(key=lambda item: (not item.free, item.floor, item.space))
    return AvailabilityOut(starts_at=wish.start, ends_at=wish.end, items=items)


def _available(
    space: Space,
    wish: Span,
    takings: Sequence[selectors.Taken],
    price: Quote | None,
    now: datetime,
) -> AvailableOut:
    free = selectors.free_units(space, selectors.buffers(space).block(wish), takings)
    start = wish.start if free else selectors.next_start(space, takings, wish, now=now)
    return AvailableOut(
        space=space.code,
        name_zh=space.name_zh,
        name_en=space.name_en,
        type=space.type.code,
        type_zh=space.type.name_zh,
        type_en=space.type.name_en,
        floor=space.floor.code,
        capacity=space.capacity,
        features=space.features,
        free=bool(free),
        free_units=len(free),
        unit_count=space.unit_count,
        next_free_at=start,
        list_fen=price.list_fen if price else None,
        price_fen=price.total_fen if price else None,
    )


def timeline(*, window: Span, tenant_id: int | None, named: bool, now: datetime) -> TimelineOut:
    """The allocations of every space that can be taken, in order."""
    rows = (
        selectors.active(now)
        .filter(block__overlap=TimestamptzRange(window.start, window.end, "[)"))
        .select_related("booking__tenant", "lease__tenant")
        .defer("booking__quote")
        .order_by("block", "unit")
    )
    lanes: dict[int, list[BlockOut]] = defaultdict(list)
    for row in rows:
        lanes[row.space_id].append(_block(row, tenant_id=tenant_id, named=named))
    spaces = Space.objects.select_related("type", "floor").order_by("floor__level", "code")
    return TimelineOut(
        from_=window.start,
        to=window.end,
        lanes=[
            LaneOut(
                space=s.code,
                name_zh=s.name_zh,
                name_en=s.name_en,
                type=s.type.code,
                floor=s.floor.code,
                blocks=lanes[s.pk],
            )
            for s in spaces
            if s.bookable or s.rentable_monthly
        ],
    )


def _block(row: Allocation, *, tenant_id: int | None, named: bool) -> BlockOut:
    """One allocation; named for the base and for whose it is."""
    owner = (row.booking.tenant if row.booking else None) or (
        row.lease.tenant if row.lease else None
    )
    span = row.span
    own = owner is not None and owner.pk == tenant_id
    if not named and not own:
        return BlockOut(from_=span.start, to=span.end, kind="busy", unit=row.unit)
    return BlockOut(
        from_=span.start,
        to=span.end,
        starts_at=row.booking.starts_at if row.booking else None,
        ends_at=row.booking.until if row.booking else None,
        kind=row.kind,
        unit=row.unit,
        booking=row.booking.code if row.booking else None,
        status=row.booking.status if row.booking else None,
        title=row.booking.title if row.booking else row.note,
        tenant=_tenant(owner) if owner else None,
    )


def _tenant(row: Tenant) -> TenantRef:
    return TenantRef.from_orm(row)


_TOPICS = {
    Role.MANAGER: "occ.ops",
    Role.TECHNICIAN: "occ.ops",
    Role.ADMIN: "occ.ops",
    Role.LIAISON: "occ.gov",
}


def occupancy_for(user: User, *, now: datetime) -> OccupancyOut:
    """Every space as the caller's topics show it, computed now."""
    occs = occupancy.snapshot(now=now)
    tenant = user.tenant.code if user.tenant else None
    topic = f"occ.tenant.{tenant}" if tenant else _TOPICS.get(Role(user.role), "occ.public")
    at: dict[str, Any] = {"at": now.isoformat()}
    if tenant:
        values = {code: occ.seen_by(tenant) | at for code, occ in occs.items()}
    elif topic == "occ.ops":
        values = {code: occ.full() | at for code, occ in occs.items()}
    else:
        values = {code: occ.public() | at for code, occ in occs.items()}
    return OccupancyOut(at=now, topic=topic, spaces=values)
