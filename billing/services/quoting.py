"""The price of a wish, with every discount and every refused discount explained."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from base_ops.core.models import Space, Tenant
from base_ops.core.spans import Span
from billing import selectors
from billing.domain import rating
from billing.domain.catalog import NotPriced, PriceBook
from billing.domain.quote import Quote
from billing.domain.rating import RoomWish, ServiceWish
from billing.domain.situation import Situation
from billing.domain.texts import local_day


@dataclass(frozen=True, slots=True)
class Beside:
    """A room taken beside the main one; `units` are seats where it has some."""

    space: Space
    span: Span
    units: int = 1


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
    beside: Sequence[Beside] = (),
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
        beside: other rooms taken with it, at list price.
        ignore_source: the booking's own reservation when an existing booking is priced anew.
        now: the present instant.

    Raises:
        NotPriced: the price book lacks what is needed.
    """
    asked = ask_quote(
        tenant=tenant,
        space=space,
        span=span,
        services=services,
        purpose=purpose,
        joint_with=joint_with,
        units=units,
        beside=beside,
        ignore_source=ignore_source,
    )
    return asked.quote()


@dataclass(frozen=True, slots=True)
class Pricing:
    """A wish whose price will be known when billing's facts are there."""

    wish: RoomWish
    purpose: str | None
    partner_category: str | None
    asked: selectors.Asked

    def quote(self) -> Quote:
        """The price.

        Raises:
            NotPriced: the price book lacks what is needed.
        """
        situation = self.asked.situation(
            space_type=self.wish.space_type,
            purpose=self.purpose,
            partner_category=self.partner_category,
        )
        return rating.rate(self.wish, book=self.asked.book(), situation=situation)


def ask_quote(
    *,
    tenant: Tenant,
    space: Space,
    span: Span,
    services: Sequence[ServiceWish] = (),
    purpose: str | None = None,
    joint_with: Tenant | None = None,
    units: int = 1,
    beside: Sequence[Beside] = (),
    ignore_source: str = "",
) -> Pricing:
    """Ask what the price of one wish depends on; the arguments are those of `quote`."""
    wish = wished(space, span, tuple(services), units)
    if beside:
        extras = tuple(wished(b.space, b.span, (), b.units) for b in beside)
        wish = replace(wish, extras=extras)
    asked = selectors.ask_situation(
        tenant=tenant, on=local_day(span.start), ignore_source=ignore_source
    )
    return Pricing(wish, purpose, joint_with.category if joint_with else None, asked)


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
    """Price the same wish for many rooms with a handful of queries.

    Returns:
        Quotes by space id; a room that has no price for such a wish is left out.

    Raises:
        NotPriced: no price book was loaded.
    """
    known, book = _known(tenant, span, purpose, joint_with, ignore_source)
    found: dict[int, Quote] = {}
    for space in spaces:
        wish = wished(space, span, tuple(services), units)
        with suppress(NotPriced):
            found[space.pk] = rating.rate(wish, book=book, situation=_in(known, space))
    return found


def _known(
    tenant: Tenant, span: Span, purpose: str | None, joint_with: Tenant | None, ignore_source: str
) -> tuple[Situation, PriceBook]:
    base, book = selectors.situation_and_book(
        tenant=tenant, on=local_day(span.start), ignore_source=ignore_source
    )
    partner = joint_with.category if joint_with else None
    return replace(base, purpose=purpose, partner_category=partner), book


def _in(known: Situation, space: Space) -> Situation:
    return replace(known, space_type=space.type.code)


def wished(space: Space, span: Span, services: tuple[ServiceWish, ...], units: int) -> RoomWish:
    """The wish as rating takes it."""
    return RoomWish(
        name_zh=space.name_zh,
        name_en=space.name_en,
        space_type=space.type.code,
        tariff=space.type.tariff_code,
        span=span,
        services=services,
        units=units,
    )
