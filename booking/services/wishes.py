"""What somebody asks for, and what it would cost."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from base_ops.core.models import Space, Tenant
from base_ops.core.spans import Span
from billing import services as billing
from billing.domain.quote import Quote
from billing.domain.rating import ServiceWish
from booking.models import Booking, BookingPart, EquipmentPool
from booking.services import charging


@dataclass(frozen=True, slots=True)
class Extra:
    """Something taken beside the room: a space (or seats in it), or things of an equipment pool.

    `span` is the booking's own unless said otherwise.
    """

    space: Space | None = None
    pool: EquipmentPool | None = None
    quantity: int = 1
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class BookingWish:
    """What a tenant asks for."""

    space: Space
    tenant: Tenant
    span: Span
    purpose: str = "live_sales"
    headcount: int = 1
    title: str = ""
    services: Sequence[ServiceWish] = ()
    units: int = 1
    extras: Sequence[Extra] = ()
    override: Collection[str] = field(default_factory=frozenset)
    quote_token: str | None = None

    @property
    def priced_services(self) -> tuple[ServiceWish, ...]:
        """Services, and equipment, which is priced as one: per hour and thing."""
        return (*self.services, *_hired(self))

    @property
    def priced_beside(self) -> list[billing.Beside]:
        """The rooms taken beside the main one."""
        return [
            billing.Beside(e.space, e.span or self.span, e.quantity)
            for e in self.extras
            if e.space is not None
        ]

    def fingerprint(self) -> list[Any]:
        """What the price depends on, in plain values; equal wishes have equal ones."""
        services = sorted([s.code, str(s.qty)] for s in self.services)
        extras = sorted(
            [(e.space or e.pool or self.space).code, e.quantity, *_seconds(e.span or self.span)]
            for e in self.extras
        )
        return [
            self.tenant.code, self.space.code, *_seconds(self.span), self.purpose,
            self.headcount, self.units, services, extras,
        ]  # fmt: skip


def _seconds(span: Span) -> tuple[int, int]:
    return int(span.start.timestamp()), int(span.end.timestamp())


def of_booking(row: Booking, **changes: Any) -> BookingWish:
    """The wish that this booking stands for, with changes: what a new price is computed from."""
    extras = [_extra(part, row.span) for part in row.parts.all()] if row.part_count else []
    wish = BookingWish(
        space=row.space,
        tenant=row.tenant,
        span=row.span,
        purpose=row.purpose,
        headcount=row.headcount,
        title=row.title,
        services=tuple(charging.services_of(row)),
        units=row.units,
        extras=tuple(extras),
    )
    return replace(wish, **changes)


def _extra(part: BookingPart, span: Span) -> Extra:
    """A part with the booking's own time moves along with it; another time stays."""
    own = None if part.span == span else part.span
    return Extra(space=part.space, pool=part.pool, quantity=part.quantity, span=own)


def ask_price(wish: BookingWish, *, ignore_source: str = "") -> billing.Pricing:
    """Ask what the price of the wish depends on; a booking's own reservation does not count."""
    return billing.ask_quote(
        tenant=wish.tenant,
        space=wish.space,
        span=wish.span,
        services=wish.priced_services,
        purpose=wish.purpose,
        units=wish.units,
        beside=wish.priced_beside,
        ignore_source=ignore_source,
    )


def price(wish: BookingWish, *, ignore_source: str = "", now: datetime) -> Quote:
    """What billing would charge for the wish.

    Raises:
        NotPriced: the price book lacks what is needed.
    """
    return ask_price(wish, ignore_source=ignore_source).quote()


def _hired(wish: BookingWish) -> list[ServiceWish]:
    return [
        ServiceWish(e.pool.service_code, _hours(e.span or wish.span) * e.quantity)
        for e in wish.extras
        if e.pool is not None and e.pool.service_code
    ]


def _hours(span: Span) -> Decimal:
    """Hours to the hundredth, rounded up by the started half-hour as rooms are."""
    half_hours = -(-int(span.length.total_seconds()) // 1800)
    return Decimal(half_hours) / 2
