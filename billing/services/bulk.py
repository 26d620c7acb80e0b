"""Price and reserve many bookings in a row, as one by one would, in a handful of statements."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.db import transaction

from base_ops.core.models import Space, Tenant
from base_ops.core.spans import Span
from billing import selectors
from billing.domain import rating
from billing.domain.quote import Quote, given
from billing.domain.texts import local_day
from billing.models import Budget, PolicyUse, Reservation
from billing.selectors.ledger import Ledger, ledger
from billing.services.budgets import use
from billing.services.quoting import wished

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
    kept: bool = True


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
        quotes: list[Quote] = []
        for claim in claims:
            at = known.situation(claim.tenant, local_day(claim.span.start))
            at = replace(at, purpose=claim.purpose, space_type=claim.space.type.code)
            wish = wished(claim.space, claim.span, (), claim.units)
            quotes.append(rating.rate(wish, book=book, situation=at))
            if _reserves(claim, quotes[-1]):
                known.add(claim.tenant, quotes[-1])
        _write(claims, quotes, known)
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
