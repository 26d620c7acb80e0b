"""Leases: what their months would cost, each month's charge, and what an early end gives back."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from django.db import transaction
from django.db.models import F, Sum

from base_ops.core.models import Space, Tenant
from billing import selectors
from billing.domain import leases
from billing.domain.facts import LeaseCutFacts, LeaseFacts
from billing.domain.quote import Line
from billing.domain.situation import Situation
from billing.domain.texts import Bi
from billing.models import Budget, Charge, PolicyUse, Reservation, UsageFact
from billing.models.charges import Document
from billing.models.usage import ReservationState
from billing.services import budgets, charging


def quote_lease(
    *, tenant: Tenant, space: Space, facts: Sequence[LeaseFacts]
) -> list[tuple[date, list[Line]]]:
    """What each of the months would be charged; nothing is reserved.

    Relief of earlier months uses up the policy's budget of their year, as it will when charged.

    Raises:
        NotPriced: the tariff is not let by the month.
    """
    book = selectors.price_book()
    known: dict[int, Situation] = {}
    months: list[tuple[date, list[Line]]] = []
    for month in facts:
        year = month.month.year
        if year not in known:
            known[year] = selectors.situation_of(tenant=tenant, on=month.month, mode="monthly")
        lines = leases.rent(
            month,
            names=Bi(space.name_zh, space.name_en),
            tariff=book.on(month.month).tariff(space.type.tariff_code),
            book=book.on(month.month),
            situation=replace(known[year], on=month.month),
        )
        known[year] = replace(known[year], budget_left_fen=_left(known[year], lines))
        months.append((month.month, lines))
    return months


def _left(situation: Situation, lines: Sequence[Line]) -> Mapping[str, int]:
    """The budgets after the relief of a month."""
    left = dict(situation.budget_left_fen)
    for entry in lines:
        if entry.policy in left:
            left[entry.policy] += entry.gross_fen
    return left


def charge_lease(*, facts: LeaseFacts, now: datetime) -> list[Charge]:
    """Charge one month of a lease; the same month again returns the same charges.

    Raises:
        NotPriced: the tariff is not let by the month.
    """
    book = selectors.price_book().on(facts.month)
    with transaction.atomic():
        claimed = charging.claim("lease", [(facts, facts.tenant_id, now)], book.version)
        if not claimed:
            return charging.charges_of(facts.source)
        space = Space.objects.select_related("type").get(pk=facts.space_id)
        tenant = Tenant.objects.get(pk=facts.tenant_id)
        budget = (
            Budget.objects.select_for_update(no_key=True)
            .filter(policy_code=facts.policy or "", year=facts.month.year)
            .first()
        )
        lines = leases.rent(
            facts,
            names=Bi(space.name_zh, space.name_en),
            tariff=book.tariff(space.type.tariff_code),
            book=book,
            situation=selectors.situation_of(tenant=tenant, on=facts.month, mode="monthly"),
        )
        _reserve_relief(facts, tenant, lines, budget, now)
        return charging.save_lines(
            claimed[facts.source],
            [(str(i), entry) for i, entry in enumerate(lines)],
            service_on=facts.month,
            space_code=space.code,
        )


def _reserve_relief(
    facts: LeaseFacts, tenant: Tenant, lines: Sequence[Line], budget: Budget | None, now: datetime
) -> None:
    """Reserve the relief of a lease month, to be committed when it is invoiced."""
    relief = -sum(entry.gross_fen for entry in lines if entry.policy)
    if not relief:
        return
    row = Reservation.objects.create(
        source=facts.source, tenant=tenant, month=facts.month, half_hours=0, created_at=now
    )
    if budget is not None:
        budgets.take({budget.policy_code: relief}, year=budget.year)
    PolicyUse.objects.create(
        reservation=row,
        policy_code=facts.policy or "",
        policy_version=1,
        amount_fen=relief,
        budget=budget,
    )


def cut_lease(*, facts: LeaseCutFacts, now: datetime) -> list[Charge]:
    """Give back, on a document of its own, what a lease that ends earlier does not use.

    Nothing happens for a month that was not charged; the same end again gives nothing more. Relief
    that is given back returns to its policy's budget.
    """
    with transaction.atomic():
        of_month = UsageFact.objects.select_for_update(no_key=True)
        origin = of_month.filter(source=facts.charged).first()
        if origin is None:
            return []
        if UsageFact.objects.filter(source=facts.source).exists():
            return charging.charges_of(facts.source)
        charged = list(origin.charges.order_by("id"))
        entry = leases.cut_short(
            _as_charged(origin),
            facts.ends_on,
            [charging.line_of(row) for row in charged],
            credited_fen=_credited(facts),
        )
        if entry is None:
            return []
        claimed = charging.claim("lease", [(facts, origin.tenant_id, now)], origin.tariff_version)
        _shrink_relief(facts, entry.gross_fen, charged)
        return charging.save_lines(
            claimed[facts.source],
            [("credit", entry)],
            service_on=facts.month,
            space_code=charged[0].space_code,
            document=Document.CREDIT_NOTE,
        )


def _as_charged(fact: UsageFact) -> LeaseFacts:
    """The dates of a charged month; the rest of it is in its lines."""
    data = fact.payload
    return LeaseFacts(
        lease_code=data["lease_code"],
        tenant_id=fact.tenant_id,
        space_id=data["space_id"],
        month=date.fromisoformat(data["month"]),
        starts_on=date.fromisoformat(data["starts_on"]),
        ends_on=date.fromisoformat(data["ends_on"]),
        free_months=data["free_months"],
    )


def _credited(facts: LeaseCutFacts) -> int:
    """What earlier cuts gave back of this month, >= 0."""
    rows = Charge.objects.filter(fact__source__startswith=f"{facts.charged}/until/")
    return -(rows.aggregate(n=Sum("gross_fen"))["n"] or 0)


def _shrink_relief(facts: LeaseCutFacts, credit_fen: int, charged: Sequence[Charge]) -> None:
    """Return to the budget the part of the relief that the credit takes back.

    Of the rent that is given back, the policy had paid the same share as of the month's.
    """
    relief = -sum(row.gross_fen for row in charged if row.policy)
    tenant_paid = sum(row.gross_fen for row in charged)
    use = (
        PolicyUse.objects.select_for_update(of=("self",))
        .filter(reservation__source=facts.charged, budget__isnull=False)
        .select_related("reservation", "budget")
        .first()
    )
    if use is None or use.budget is None or not relief or not tenant_paid:
        return
    back = min(use.amount_fen, relief * -credit_fen // tenant_paid)
    use.amount_fen -= back
    use.save(update_fields=["amount_fen"])
    committed = use.reservation.state == ReservationState.COMMITTED
    column = "committed_fen" if committed else "reserved_fen"
    Budget.objects.filter(pk=use.budget.pk).update(**{column: F(column) - back})
