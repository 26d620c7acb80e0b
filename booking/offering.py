"""Shapes the answers of search: what is free at what price, what comes next, a whole month."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from base_ops.core.models import Space, Tenant
from base_ops.core.spans import Span
from billing import selectors as billing_selectors
from billing import services as billing
from billing.domain.quote import Quote
from booking import selectors
from booking.schemas.search import (
    AvailabilityOut,
    AvailableOut,
    CellOut,
    DayOut,
    HeatBandOut,
    MonthOut,
    NextOut,
    NextSpaceOut,
    Sort,
    StartOut,
)
from booking.selectors import Offers, Part, Search

SHANGHAI = ZoneInfo("Asia/Shanghai")
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)
_UNPRICED = 10**15


def availability(
    *,
    spaces: Sequence[Space],
    wish: Span,
    units: int,
    renter: Tenant | None,
    max_price_fen: int | None = None,
    sort: Sort = "place",
    now: datetime,
) -> AvailabilityOut:
    """Each space for the window: free or busy, when it is free next, what it costs."""
    prices = _prices(spaces, wish, units, renter, now=now)
    if max_price_fen is not None:
        spaces = [s for s in spaces if s.pk in prices and prices[s.pk].total_fen <= max_price_fen]
    free = selectors.free_units_of(spaces=spaces, span=wish, now=now)
    sold = selectors.sales(spaces=spaces, renter=renter, now=now)
    is_open = {space.pk: sold[space.pk].is_open(wish) for space in spaces}
    busy = [s for s in spaces if len(free.get(s.pk, ())) < units or not is_open[s.pk]]
    search = Search(wish.start, wish.start + selectors.SEARCH, wish.length, units, limit=1)
    following = (
        selectors.next_starts(spaces=busy, search=search, sales=sold, now=now) if busy else {}
    )
    items = [
        _available(
            space,
            free_units=len(free.get(space.pk, ())),
            is_open=is_open[space.pk],
            start=following[space.pk].first if space.pk in following else wish.start,
            price=prices.get(space.pk),
            units=units,
        )
        for space in spaces
    ]
    items.sort(key=lambda item: (not item.free, _order(item, sort), item.floor, item.space))
    return AvailabilityOut(starts_at=wish.start, ends_at=wish.end, items=items)


def _prices(
    spaces: Sequence[Space], wish: Span, units: int, renter: Tenant | None, *, now: datetime
) -> Mapping[int, Quote]:
    if renter is None:
        return {}
    return billing.quote_many(tenant=renter, spaces=spaces, span=wish, units=units, now=now)


def _order(item: AvailableOut, sort: Sort) -> float:
    """What comes first among the free ones, and again among the busy ones."""
    match sort:
        case "price":
            return _UNPRICED if item.price_fen is None else item.price_fen
        case "capacity":
            return item.capacity
        case "soonest":
            return (item.next_free_at or _NEVER).timestamp()
        case "place":
            return 0


def _available(
    space: Space,
    *,
    free_units: int,
    is_open: bool,
    start: datetime | None,
    price: Quote | None,
    units: int,
) -> AvailableOut:
    return AvailableOut(
        space=space.code,
        name_zh=space.name_zh,
        name_en=space.name_en,
        type=space.type.code,
        type_zh=space.type.name_zh,
        type_en=space.type.name_en,
        group=space.type.group,
        floor=space.floor.code,
        capacity=space.capacity,
        features=space.features,
        free=is_open and free_units >= units,
        open=is_open,
        free_units=free_units,
        unit_count=space.unit_count,
        next_free_at=start,
        list_fen=price.list_fen if price else None,
        price_fen=price.total_fen if price else None,
    )


def upcoming(
    *, spaces: Sequence[Space], search: Search, renter: Tenant | None, now: datetime
) -> NextOut:
    """The next free times of each space that the rules sell to the renter, the soonest first."""
    sold = selectors.sales(spaces=spaces, renter=renter, now=now)
    found = selectors.next_starts(spaces=spaces, search=search, sales=sold, now=now)
    ordered = sorted(spaces, key=lambda s: (found[s.pk].first or _NEVER, s.code))
    return NextOut(
        from_=search.since,
        to=search.until,
        items=[_next(space, found[space.pk]) for space in ordered],
    )


def _next(space: Space, found: Offers) -> NextSpaceOut:
    return NextSpaceOut(
        space=space.code,
        name_zh=space.name_zh,
        name_en=space.name_en,
        type=space.type.code,
        floor=space.floor.code,
        capacity=space.capacity,
        unit_count=space.unit_count,
        starts=[StartOut(starts_at=start, ends_at=start + found.length) for start in found.starts],
    )


def month(*, spaces: Sequence[Space], first: date, by: str, now: datetime) -> MonthOut:
    """The month that begins on `first`, by price band or by hour, while the spaces are open.

    Raises:
        billing's NotPriced: bands were asked for, but no price book was loaded.
    """
    parts = _bands(first) if by == "band" else _hours()
    last = (first + timedelta(days=31)).replace(day=1)
    span = Span(_midnight(first), _midnight(last))
    dates = selectors.days_of(first, last)
    opened = selectors.openings(
        spaces=spaces, days=dates, parts=[Part(p.from_min, p.to_min) for p in parts]
    )
    taken = selectors.taken_minutes(spaces=spaces, month=span, opened=opened, now=now)
    minutes = opened.minutes(spaces)
    units = sum(space.unit_count or 1 for space in spaces)
    days = [
        DayOut(
            date=day,
            cells=[
                _cell(p, minutes.get((n, i), 0), taken.get((n, i), 0)) for i, p in enumerate(parts)
            ],
        )
        for n, day in enumerate(dates)
    ]
    return MonthOut(
        month=f"{first:%Y-%m}", by=by, spaces=len(spaces), units=units, parts=parts, days=days
    )


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).astimezone(UTC)


def _bands(day: date) -> list[HeatBandOut]:
    bands = sorted(billing_selectors.price_book().on(day).bands, key=lambda band: band.from_min)
    return [
        HeatBandOut(
            code=b.code, name_zh=b.name_zh, name_en=b.name_en, from_min=b.from_min, to_min=b.to_min
        )
        for b in bands
    ]


def _hours() -> list[HeatBandOut]:
    return [
        HeatBandOut(
            code=f"{part.from_min // 60:02d}",
            name_zh=f"{part.from_min // 60}点",
            name_en=f"{part.from_min // 60:02d}:00",
            from_min=part.from_min,
            to_min=part.to_min,
        )
        for part in selectors.HOURS
    ]


def _cell(part: HeatBandOut, open_min: int, taken_min: int) -> CellOut:
    free_min = open_min - taken_min
    return CellOut(
        part=part.code,
        open_min=open_min,
        taken_min=taken_min,
        free_min=free_min,
        free=round(free_min / open_min, 4) if open_min else None,
    )
