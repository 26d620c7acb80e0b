"""What takes a space when, and how the rules see spaces and tenants."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from psycopg.types.range import TimestamptzRange

from base_ops.core.models import Space, Tenant
from base_ops.core.spans import Span
from booking.domain import rules, slots
from booking.models import Allocation


@dataclass(frozen=True, slots=True)
class Taken:
    """One active allocation, as far as the caller may need it; `space_id` is a pool's in pools."""

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
    return _taken("space_id", space_ids, window, now)


def taken_in_pools(
    *, pool_ids: Collection[int], window: Span, now: datetime
) -> dict[int, list[Taken]]:
    """What of equipment pools is taken in `window`, by pool id; one query, none for no pools."""
    return _taken("pool_id", pool_ids, window, now) if pool_ids else defaultdict(list)


def _taken(of: str, ids: Collection[int], window: Span, now: datetime) -> dict[int, list[Taken]]:
    overlap = TimestamptzRange(window.start, window.end, "[)")
    rows = (
        active(now)
        .filter(**{f"{of}__in": ids}, block__overlap=overlap)
        .values_list(
            of, "unit", "block", "kind", "booking__code", "booking__tenant_id", "lease__tenant_id"
        )
    )
    found: dict[int, list[Taken]] = defaultdict(list)
    for resource_id, unit, block, kind, code, tenant_id, lessee_id in rows:
        span = Span(block.lower, block.upper)
        owner = tenant_id or lessee_id
        found[resource_id].append(Taken(resource_id, unit, span, kind, code, owner))
    return found


def buffers(space: Space) -> slots.Buffers:
    """Setup and teardown of a space, from its type."""
    return slots.Buffers.of_minutes(
        space.type.setup_min, space.type.teardown_min, shared=space.buffers_shared
    )


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
