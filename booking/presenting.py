"""Shapes answers that put several reads together: timeline, occupancy; search has its own."""

from collections import defaultdict
from datetime import datetime
from typing import Any

from psycopg.types.range import TimestamptzRange

from base_ops.core.models import Role, Space, Tenant, User
from base_ops.core.schemas import TenantRef
from base_ops.core.spans import Span
from booking import occupancy, selectors
from booking.models import Allocation
from booking.schemas import (
    BlockOut,
    LaneOut,
    OccupancyOut,
    TimelineOut,
)


def timeline(*, window: Span, tenant_id: int | None, named: bool, now: datetime) -> TimelineOut:
    """The allocations of every space that can be taken, in order."""
    rows = (
        selectors.active(now)
        .filter(
            space__isnull=False,
            block__overlap=TimestamptzRange(window.start, window.end, "[)"),
        )
        .select_related("booking__tenant", "lease__tenant")
        .defer("booking__quote")
        .order_by("block", "unit")
    )
    lanes: dict[int, list[BlockOut]] = defaultdict(list)
    for row in rows:
        lanes[row.space_id or 0].append(_block(row, tenant_id=tenant_id, named=named))
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
