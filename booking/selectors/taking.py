"""What takes a space when, and how the rules see spaces and tenants."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from base_ops.core import statements
from base_ops.core.models import Space
from base_ops.core.spans import Span
from base_ops.core.statements import Answer
from booking.domain import slots
from booking.models import Allocation

_SQL = """
SELECT a.{of}, a.unit, lower(a.block), upper(a.block), a.kind, b.code,
       coalesce(b.tenant_id, l.tenant_id)
  FROM booking_allocation a
  LEFT JOIN booking_booking b ON b.id = a.booking_id
  LEFT JOIN booking_lease l ON l.id = a.lease_id
 WHERE a.active AND a.{of} = ANY(%s) AND a.block && tstzrange(%s, %s, '[)')
   AND (a.expires_at IS NULL OR a.expires_at > %s)
"""
_IN_SPACES, _IN_POOLS = _SQL.format(of="space_id"), _SQL.format(of="pool_id")


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


@dataclass(frozen=True, slots=True)
class TakenAsked:
    """What is taken, on its way."""

    answer: Answer | None

    def by_resource(self) -> dict[int, list[Taken]]:
        """What is taken, by the id of the space or pool."""
        found: dict[int, list[Taken]] = defaultdict(list)
        rows = self.answer.rows if self.answer is not None else ()
        for resource_id, unit, start, end, kind, code, owner in rows:
            span = Span(start, end)
            found[resource_id].append(Taken(resource_id, unit, span, kind, code, owner))
        return found


def ask_taken(*, space_ids: Collection[int], window: Span, now: datetime) -> TakenAsked:
    """Ask what of spaces is taken in `window`; one query."""
    return _ask(_IN_SPACES, space_ids, window, now)


def ask_taken_in_pools(*, pool_ids: Collection[int], window: Span, now: datetime) -> TakenAsked:
    """Ask what of equipment pools is taken in `window`; one query, none for no pools."""
    return _ask(_IN_POOLS, pool_ids, window, now) if pool_ids else TakenAsked(None)


def taken(*, space_ids: Collection[int], window: Span, now: datetime) -> dict[int, list[Taken]]:
    """What is taken in `window`, by space id; one query."""
    return ask_taken(space_ids=space_ids, window=window, now=now).by_resource()


def _ask(sql: str, ids: Collection[int], window: Span, now: datetime) -> TakenAsked:
    return TakenAsked(statements.ask(sql, [list(ids), window.start, window.end, now]))


def buffers(space: Space) -> slots.Buffers:
    """Setup and teardown of a space, from its type."""
    return slots.Buffers.of_minutes(
        space.type.setup_min, space.type.teardown_min, shared=space.buffers_shared
    )


def units_of(space: Space) -> range:
    """The resources of a space: 0 for the whole, or its units from 1."""
    return range(1, space.unit_count + 1) if space.unit_count else range(1)


def free_units(space: Space, block: Span, takings: Iterable[Taken]) -> list[int]:
    """The resources of the space that nothing takes during the block."""
    busy = {t.unit for t in takings if t.span.overlaps(block)}
    return [unit for unit in units_of(space) if unit not in busy]
