"""For instances that cannot be had: near times in the same room, equal rooms at the same time."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from base_ops.core.models import Space
from base_ops.core.spans import Span
from booking import selectors
from booking.domain import slots
from booking.domain.rulebook import Sale
from booking.selectors.series import Sought, taken_in
from booking.selectors.taking import Taken
from booking.services.series.looking import Seen

NEAR = timedelta(hours=12)
RIVALS = 6
EACH = 3
MOST = 100  # of near times, before those are left out at which the room is shut


def propose(seen: Sequence[Seen], *, now: datetime) -> None:
    """Fill in the alternatives of all conflicts; three queries, however many there are."""
    conflicts = [one for one in seen if one.verdict == "conflict"]
    if not conflicts:
        return
    rooms, sold = _rivals(conflicts, now=now)
    sought: list[Sought] = []
    for one in conflicts:
        wish = one.asked.wish
        sought.append(Sought(wish.space.pk, None, _around(wish.space, wish.span)))
        sought += [Sought(r.pk, None, _block(r, wish.span)) for r in rooms[wish.space.pk]]
    takings = iter(taken_in(sought, now=now))
    own = _own_blocks(seen)
    for one in conflicts:
        near = _near_times(one, next(takings), own[one.asked.wish.space.pk], sold, now=now)
        busy = {rival.pk: next(takings) for rival in rooms[one.asked.wish.space.pk]}
        open_rooms = [
            r for r in rooms[one.asked.wish.space.pk] if sold[r.pk].is_open(one.asked.wish.span)
        ]
        one.alternatives = near + _equal_rooms(one, open_rooms, busy)


def _rivals(
    conflicts: Sequence[Seen], *, now: datetime
) -> tuple[dict[int, list[Space]], Mapping[int, Sale]]:
    """By room: others of its group that hold as many people and sell the length, the likest first.

    Also how each room is sold. Two queries.
    """
    wanted = {one.asked.wish.space.pk: one.asked.wish for one in conflicts}
    groups = {wish.space.type.group for wish in wanted.values()}
    rows = list(
        Space.objects.select_related("type", "floor").filter(type__group__in=groups, bookable=True)
    )
    wished = [wish.space for wish in wanted.values()]
    tenant = conflicts[0].asked.wish.tenant
    sold = selectors.sales(spaces=[*rows, *wished], renter=tenant, now=now)
    found: dict[int, list[Space]] = {}
    for pk, wish in wanted.items():
        fit = [
            r
            for r in rows
            if r.pk != pk
            and r.type.group == wish.space.type.group
            and r.capacity >= wish.headcount
            and (r.unit_count or 1) >= wish.units
            and sold[r.pk].sells(wish.span.length)
        ]
        fit.sort(key=lambda r: (r.type_id != wish.space.type_id, r.capacity, r.code))
        found[pk] = fit[:RIVALS]
    return found, sold


def _block(space: Space, span: Span) -> Span:
    return selectors.buffers(space).block(span)


def _around(space: Space, span: Span) -> Span:
    return _block(space, span).widened(before=NEAR, after=NEAR)


def _own_blocks(seen: Sequence[Seen]) -> dict[int, list[tuple[int, Span]]]:
    """What the instances that can be had take, by space: their time is not offered again."""
    found: dict[int, list[tuple[int, Span]]] = defaultdict(list)
    for one in seen:
        if one.verdict == "ok":
            for place in one.places:
                if place.space_id is not None:
                    found[place.space_id].append((place.unit, place.block))
    return found


def _near_times(
    one: Seen,
    takings: Sequence[Taken],
    own: Sequence[tuple[int, Span]],
    sold: Mapping[int, Sale],
    *,
    now: datetime,
) -> list[dict[str, Any]]:
    wish = one.asked.wish
    sale = sold[wish.space.pk]
    if wish.units > 1 or not sale.sells(wish.span.length):
        return []
    window = _around(wish.space, wish.span)
    busy = [(t.unit, t.span) for t in takings] + [o for o in own if o[1].overlaps(window)]
    found = {
        span
        for unit in selectors.units_of(wish.space)
        for span in slots.nearest(
            wish.span,
            [span for taken, span in busy if taken == unit],
            selectors.buffers(wish.space),
            step_min=sale.step_min,
            not_before=now + sale.notice,
            within=NEAR,
            limit=MOST,
        )
        if sale.is_open(span)
    }
    nearest = sorted(found, key=lambda s: (abs(s.start - wish.span.start), s.start))
    return [_offer("time", wish.space, span) for span in nearest[:EACH]]


def _equal_rooms(
    one: Seen, rivals: Sequence[Space], busy: Mapping[int, Sequence[Taken]]
) -> list[dict[str, Any]]:
    span, units = one.asked.wish.span, one.asked.wish.units
    free = [
        r
        for r in rivals
        if len(selectors.free_units(r, _block(r, span), busy[r.pk])) >= units
    ]  # fmt: skip
    return [_offer("space", room, span) for room in free[:EACH]]


def _offer(kind: str, space: Space, span: Span) -> dict[str, Any]:
    return {
        "kind": kind,
        "space": space.code,
        "name_zh": space.name_zh,
        "name_en": space.name_en,
        "starts_at": span.start.isoformat(),
        "ends_at": span.end.isoformat(),
    }
