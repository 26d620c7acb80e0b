"""The price of a wish, with every discount and every refused discount explained."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from base_ops.core.models import Space, Tenant
from base_ops.core.spans import Span
from billing import selectors
from billing.domain import rating
from billing.domain.quote import Quote
from billing.domain.rating import RoomWish, ServiceWish
from billing.domain.situation import Situation
from billing.domain.texts import local_day


def quote(
    *,
    tenant: Tenant,
    space: Space,
    span: Span,
    services: Sequence[ServiceWish] = (),
    purpose: str | None = None,
    headcount: int | None = None,
    joint_with: Tenant | None = None,
    units: int = 1,
    ignore_source: str = "",
    now: datetime,
) -> Quote:
    """Price one wish; nothing is reserved.

    Args:
        tenant: who would pay.
        space: the room, with its type.
        span: the wished time.
        services: what is wanted beside the room.
        purpose: what for; some policies ask.
        headcount: how many people; no price depends on it yet.
        joint_with: partner of a joint session, if any.
        units: seats or items, for rooms that are sold by the piece.
        ignore_source: the booking's own reservation when an existing booking is priced anew.
        now: the present instant.

    Raises:
        NotPriced: the price book lacks what is needed.
    """
    found = quote_many(
        tenant=tenant,
        spaces=[space],
        span=span,
        services=services,
        purpose=purpose,
        joint_with=joint_with,
        units=units,
        ignore_source=ignore_source,
        now=now,
    )
    return found[space.pk]


def quote_many(
    *,
    tenant: Tenant,
    spaces: Iterable[Space],
    span: Span,
    services: Sequence[ServiceWish] = (),
    purpose: str | None = None,
    joint_with: Tenant | None = None,
    units: int = 1,
    ignore_source: str = "",
    now: datetime,
) -> dict[int, Quote]:
    """Price the same wish for many rooms with a handful of queries; keys are space ids.

    Raises:
        NotPriced: as `quote`.
    """
    book = selectors.price_book()
    base = selectors.situation_of(
        tenant=tenant, on=local_day(span.start), ignore_source=ignore_source
    )
    partner = joint_with.category if joint_with else None
    known = replace(base, purpose=purpose, partner_category=partner)
    return {
        space.pk: rating.rate(
            _wish(space, span, tuple(services), units),
            book=book,
            situation=_in(known, space),
        )
        for space in spaces
    }


def _in(known: Situation, space: Space) -> Situation:
    return replace(known, space_type=space.type.code)


def _wish(space: Space, span: Span, services: tuple[ServiceWish, ...], units: int) -> RoomWish:
    return RoomWish(
        name_zh=space.name_zh,
        name_en=space.name_en,
        space_type=space.type.code,
        tariff=space.type.tariff_code,
        span=span,
        services=services,
        units=units,
    )
