"""Takes a space, or units of it, for what is not a booking: a lease, a blackout."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from psycopg.types.range import TimestamptzRange

from base_ops.core import errors
from base_ops.core.models import Space
from base_ops.core.spans import Span
from booking import selectors
from booking.domain import slots
from booking.models import Allocation
from booking.services import locking


class SpaceTaken(errors.Conflict):
    """Something stands in the way: names each unit, what takes it, and what is free instead."""

    code, title_zh, title_en = "space_taken", "空间或单元已被占用", "The space or a unit is taken"


class UnknownUnits(errors.Invalid):
    """Numbers that the space does not have, or numbers for a space that is not divided."""

    code, title_zh, title_en = "unknown_units", "没有这些单元", "The space has no such units"


def check_units(space: Space, numbers: Sequence[int]) -> None:
    """Let through different numbers of units that the space has; none means all of it.

    Raises:
        UnknownUnits: names the numbers.
    """
    known = selectors.units_of(space) if space.unit_count else range(0)
    if unknown := sorted({n for n in numbers if n not in known}):
        most = space.unit_count or 0
        raise UnknownUnits(
            f"{space.code} has units 1 to {most}, not {unknown}"
            if most
            else f"{space.code} is not divided into units",
            fields=[errors.FieldFault("units", f"没有单元 {unknown}", f"no units {unknown}")],
            unit_count=most,
        )


def whole_or(space: Space, numbers: Sequence[int]) -> list[int]:
    """The units by number, or without numbers all that the space has (0: it is not divided)."""
    return sorted(set(numbers)) or list(selectors.units_of(space))


def in_the_way(
    space: Space, units: Iterable[int], span: Span, *, now: datetime, but: Sequence[int] = ()
) -> list[Allocation]:
    """What takes any of the units during the span, in order; `but` leaves out allocations."""
    rows = selectors.active(now).filter(
        space=space, unit__in=list(units), block__overlap=TimestamptzRange(span.start, span.end)
    )
    found = rows.exclude(pk__in=list(but)).select_related(
        "booking__tenant", "lease__tenant", "blackout"
    )
    return list(found.order_by("unit", "block"))


def free_units(space: Space, span: Span, *, now: datetime, but: Sequence[int] = ()) -> list[int]:
    """The units that nothing takes at any instant of the span."""
    units = selectors.units_of(space)
    busy = {row.unit for row in in_the_way(space, units, span, now=now, but=but)}
    return [unit for unit in units if unit not in busy]


def taken(
    space: Space, span: Span, standing: Sequence[Allocation], *, now: datetime
) -> SpaceTaken:
    """The refusal that names everything, for people of the base."""
    free: dict[str, Any] = {}
    if space.unit_count:
        free["free_units"] = free_units(space, span, now=now)
    else:
        gaps = slots.free_spans(span, [row.span for row in standing])
        free["free_spans"] = [
            {"from": gap.start.isoformat(), "to": gap.end.isoformat()} for gap in gaps
        ]
    return SpaceTaken(
        f"{space.code} is taken {len(standing)} times in that span",
        conflicts=[conflict(space, row) for row in standing],
        **free,
    )


def conflict(space: Space, row: Allocation) -> dict[str, Any]:
    """What takes a unit, by name."""
    owner = row.booking or row.lease
    tenant = owner.tenant if owner else None
    return {
        "space": space.code,
        "unit": row.unit,
        "from": row.span.start.isoformat(),
        "to": row.span.end.isoformat(),
        "kind": row.kind,
        "booking": row.booking.code if row.booking else None,
        "lease": row.lease.code if row.lease else None,
        "blackout": row.blackout.code if row.blackout else None,
        "tenant": tenant.code if tenant else None,
        "tenant_zh": tenant.short_zh if tenant else None,
    }


def take(
    *, space: Space, units: Sequence[int], span: Span, kind: str, now: datetime, **owner: Any
) -> None:
    """Allocate the units in the caller's transaction, which has locked the space.

    The constraint is the backstop: what a writer without the lock took meanwhile is a refusal too.

    Raises:
        SpaceTaken: names what stands in the way, and what is free instead.
    """
    locking.drop_expired([space.pk], [], now=now)
    if standing := in_the_way(space, units, span, now=now):
        raise taken(space, span, standing, now=now)
    block = TimestamptzRange(span.start, span.end, "[)")
    rows = [Allocation(space=space, unit=u, block=block, kind=kind, **owner) for u in units]
    Allocation.objects.bulk_create(rows, ignore_conflicts=True)
    mine = Allocation.objects.filter(space=space, active=True, block=block, kind=kind)
    if mine.filter(**{k: v for k, v in owner.items() if k != "note"}).count() < len(units):
        raise taken(space, span, in_the_way(space, units, span, now=now), now=now)


def shorten(rows: Iterable[Allocation], end: datetime) -> None:
    """Let the blocks end earlier; one that would be empty takes nothing any more."""
    for row in rows:
        if row.span.end <= end:
            continue
        if row.span.start >= end:
            row.active = False
        else:
            row.block = TimestamptzRange(row.span.start, end, "[)")
        row.save(update_fields=["active", "block"])
