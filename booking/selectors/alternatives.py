"""When a slot is taken: near times in the same space, and equal spaces at or near the time."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from math import floor
from typing import Any

from base_ops.core.models import Space, Tenant
from base_ops.core.spans import Span
from billing import services as billing
from booking.domain import ranking, starting
from booking.domain.ranking import Offer
from booking.selectors.selling import sales
from booking.selectors.starting import Search, free_units_of, instant, runs

NEAR = timedelta(hours=12)
TIMES = ROOMS = 3


def alternatives(
    space: Space,
    wish: Span,
    headcount: int,
    *,
    units: int = 1,
    renter: Tenant | None = None,
    prices_of: Tenant | None = None,
    now: datetime,
) -> list[dict[str, Any]]:
    """Free times within twelve hours and rooms of the same group, best first, as JSON.

    Three queries. All of them can be booked by the rules for the `renter`, or for anybody. With
    `prices_of`, what other rooms at the same time cost that tenant more or less than this one, in
    fen; leave it out for who may see no prices.
    """
    rooms = [space, *_rivals(space, headcount, units)]
    sold = sales(spaces=rooms, renter=renter, now=now)
    rooms = [room for room in rooms if sold[room.pk].sells(wish.length)]
    search = Search(wish.start - NEAR, wish.start + NEAR, wish.length, units=units)
    free = runs(spaces=rooms, search=search, sales=sold, now=now)
    wished = _room(space)
    offers: list[Offer] = []
    for room in rooms:
        near = starting.nearest(
            free[room.pk], floor(wish.start.timestamp()),
            units=units, step_min=sold[room.pk].step_min, limit=TIMES if room is space else 1,
        )  # fmt: skip
        offers += [ranking.offer(wished, wish, _room(room), instant(start)) for start in near]
    chosen = ranking.best(offers, times=TIMES, rooms=ROOMS)
    by_code = {room.code: room for room in (space, *rooms)}
    prices = _differences(space, wish, chosen, by_code.values(), prices_of, units, now=now)
    return [_as_json(by_code[o.room.code], o, prices.get(o.room.code)) for o in chosen]


def equal_spaces(
    space: Space, wish: Span, headcount: int, *, units: int = 1, now: datetime, limit: int = 3
) -> list[Space]:
    """Free spaces of the same type, or else of the same group, that hold as many people.

    Those that have every feature of the space come first within each.
    """
    rivals = _rivals(space, headcount, units)
    sold = sales(spaces=rivals, now=now)
    rivals = [r for r in rivals if sold[r.pk].stands(wish)]
    free = free_units_of(spaces=rivals, span=wish, now=now)
    wished = _room(space)
    equal = [rival for rival in rivals if len(free[rival.pk]) >= units]
    equal.sort(key=lambda r: _difference(wished, wish, r))
    return equal[:limit]


def _difference(wished: ranking.Room, wish: Span, rival: Space) -> tuple[bool, int, str]:
    offer = ranking.offer(wished, wish, _room(rival), wish.start)
    return not offer.same_type, offer.distance, rival.code


def _rivals(space: Space, headcount: int, units: int) -> list[Space]:
    """Other spaces of the same group that hold as many people."""
    rows = (
        Space.objects.select_related("type", "floor")
        .exclude(pk=space.pk)
        .filter(
            type__group=space.type.group,
            bookable=True,
            capacity__gte=headcount,
        )
    )
    return [row for row in rows if (row.unit_count or 1) >= units]


def _room(space: Space) -> ranking.Room:
    return ranking.Room(space.code, space.type.code, space.capacity, frozenset(space.features))


def _differences(
    space: Space,
    wish: Span,
    offers: Sequence[Offer],
    rooms: Iterable[Space],
    renter: Tenant | None,
    units: int,
    *,
    now: datetime,
) -> dict[str, int]:
    """By code, what a room costs more than the wished one at the wished time."""
    others = {offer.room.code for offer in offers if offer.kind == "space"}
    if renter is None or not others:
        return {}
    asked = [room for room in rooms if room.code in others or room.pk == space.pk]
    quotes = billing.quote_many(tenant=renter, spaces=asked, span=wish, units=units, now=now)
    if space.pk not in quotes:
        return {}
    base_fen = quotes[space.pk].total_fen
    return {
        room.code: quotes[room.pk].total_fen - base_fen
        for room in asked
        if room.code in others and room.pk in quotes
    }


def _as_json(space: Space, offer: Offer, price_diff_fen: int | None) -> dict[str, Any]:
    return {
        "kind": offer.kind,
        "space": space.code,
        "name_zh": space.name_zh,
        "name_en": space.name_en,
        "starts_at": offer.span.start.isoformat(),
        "ends_at": offer.span.end.isoformat(),
        "shift_min": offer.shift_min,
        "same_type": offer.same_type,
        "missing_features": list(offer.missing),
        "price_diff_fen": price_diff_fen,
    }
