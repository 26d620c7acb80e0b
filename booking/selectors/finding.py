"""Free rooms: the next free slot, near times, equal spaces."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from base_ops.core.models import Space
from base_ops.core.spans import Span
from booking.domain import slots
from booking.selectors.taking import Taken, buffers, free_units, taken, units_of

SEARCH = timedelta(days=7)
DAY = timedelta(days=1)
NEAR = timedelta(hours=12)


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
