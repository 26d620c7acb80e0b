"""Price and reserve many bookings in a row, as one by one would, in a handful of statements."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.db import transaction

from base_ops.core.models import Space, Tenant
from base_ops.core.spans import Span
from billing import selectors
from billing.domain import rating
from billing.domain.catalog import PriceBook
from billing.domain.quote import Quote, given
from billing.domain.rating import ServiceWish
from billing.domain.texts import local_day
from billing.models import Budget, PolicyUse, Reservation
from billing.models.usage import ReservationState
from billing.selectors.ledger import Ledger, ledger, ledger_as_seen
from billing.services.budgets import AlreadyInvoiced, settle, use
from billing.services.quoting import Beside, wished

BATCH = 500


@dataclass(frozen=True, slots=True)
class Claim:
    """A booking to be priced, and with `kept` to be reserved under a source that is new."""

    source: str
    tenant: Tenant
    space: Space
    span: Span
    at: datetime
    purpose: str | None = None
    units: int = 1
    services: Sequence[ServiceWish] = ()
    beside: Sequence[Beside] = ()
    kept: bool = True


def quote_claims(tenant: Tenant, claims: Sequence[Claim]) -> list[Quote]:
    """What `reserve_many` would quote now for one tenant's claims; nothing is locked or written.

    Raises:
        NotPriced: the price book lacks what is needed.
    """
    book = selectors.price_book()
    return _rated(claims, ledger_as_seen(tenant), book)


def release_many(*, sources: Collection[str], now: datetime) -> None:
    """Give back what these sources reserved, all at once."""
    if sources:
        settle(sources=sources, state=ReservationState.RELEASED, now=now)


def replace_many(claims: Sequence[Claim], *, now: datetime) -> list[Quote]:
    """Quote and reserve anew what these sources reserved before.

    Raises:
        AlreadyInvoiced: one of the earlier claims is on an invoice; nothing was changed.
        NotPriced: the price book lacks what is needed; nothing was changed.
    """
    sources = [claim.source for claim in claims]
    with transaction.atomic():
        _lock_in_order(claims)
        release_many(sources=sources, now=now)
        earlier = Reservation.objects.filter(source__in=sources)
        if invoiced := earlier.filter(state=ReservationState.COMMITTED).first():
            raise AlreadyInvoiced(invoiced.source)
        PolicyUse.objects.filter(reservation__in=earlier).delete()
        earlier.delete()
        return reserve_many(claims)


def _lock_in_order(claims: Sequence[Claim]) -> None:
    """Tenants, then budgets, each by id: as everybody else does who reserves."""
    wanted = {claim.tenant.pk for claim in claims}
    list(Tenant.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("id"))
    list(Budget.objects.select_for_update(no_key=True).order_by("id"))


def reserve_many(claims: Sequence[Claim]) -> list[Quote]:
    """Quote each claim after what those before it have used, and reserve what is kept.

    A suspended tenant's claim is priced and not reserved.

    Returns:
        The quotes, in the order of the claims.

    Raises:
        NotPriced: the price book lacks what is needed; nothing was reserved.
    """
    book = selectors.price_book()
    with transaction.atomic():
        wanted = {claim.tenant.pk for claim in claims}
        tenants = Tenant.objects.select_for_update(no_key=True).filter(pk__in=wanted)
        known = ledger(list(tenants.order_by("id")))
        quotes = _rated(claims, known, book)
        _write(claims, quotes, known)
    return quotes


def _rated(claims: Sequence[Claim], known: Ledger, book: PriceBook) -> list[Quote]:
    """Quote each claim after what those before it have used; the ledger counts what is kept."""
    quotes: list[Quote] = []
    for claim in claims:
        at = known.situation(claim.tenant, local_day(claim.span.start))
        at = replace(at, purpose=claim.purpose, space_type=claim.space.type.code)
        beside = tuple(wished(b.space, b.span, (), b.units) for b in claim.beside)
        wish = wished(claim.space, claim.span, tuple(claim.services), claim.units)
        wish = replace(wish, extras=beside)
        quotes.append(rating.rate(wish, book=book.on(at.on), situation=at))
        if _reserves(claim, quotes[-1]):
            known.add(claim.tenant, quotes[-1])
    return quotes


def _reserves(claim: Claim, quote: Quote) -> bool:
    return claim.kept and not quote.suspended


def _write(claims: Sequence[Claim], quotes: Sequence[Quote], known: Ledger) -> None:
    """Save the reservations, their uses, and the budgets as the ledger now has them."""
    kept = [(c, q) for c, q in zip(claims, quotes, strict=True) if _reserves(c, q)]
    rows = Reservation.objects.bulk_create(
        (
            Reservation(
                source=claim.source,
                tenant=claim.tenant,
                month=date.fromisoformat(quote.day).replace(day=1),
                half_hours=quote.half_hours,
                created_at=claim.at,
            )
            for claim, quote in kept
        ),
        batch_size=BATCH,
    )
    PolicyUse.objects.bulk_create(
        (
            use(row, verdict, known.budgets.get((verdict.code, row.month.year)))
            for row, (_, quote) in zip(rows, kept, strict=True)
            for verdict in given(quote)
        ),
        batch_size=BATCH,
    )
    Budget.objects.bulk_update(known.budgets.values(), ["reserved_fen"])
