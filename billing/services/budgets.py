"""Reserve at booking, commit at issue, release on cancel.

Lock order: the tenant (so that its free hours are counted by one at a time), then budgets by id.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from django.db import connection, transaction
from django.db.models import F, Q, Sum

from base_ops.core.errors import Conflict
from base_ops.core.models import Tenant
from billing import selectors
from billing.domain.policies import Policy
from billing.domain.quote import Quote, Verdict, given
from billing.models import Budget, PolicyUse, Reservation
from billing.models.usage import ReservationState


class BudgetUsedUp(Conflict):
    """Others took the rest of a policy's hours or money since the quote; quote again."""

    code, title_zh, title_en = (
        "budget_used_up",
        "优惠额度已变化",
        "The discount changed, quote again",
    )


class AlreadyInvoiced(Conflict):
    """What this source reserved is on an invoice."""

    code, title_zh, title_en = "already_invoiced", "已开账单", "Already on an invoice"


class BookingSuspended(Conflict):
    """The tenant's rating suspends bookings."""

    code, title_zh, title_en = "booking_suspended", "合规评级暂停预订", "Bookings are suspended"


def reserve(*, source: str, tenant: Tenant, quote: Quote, now: datetime) -> Reservation:
    """Claim the monthly use and the discounts of a quote, in the caller's transaction.

    Calling again with the same source replaces what it claimed before.

    Raises:
        AlreadyInvoiced: its earlier claim is on an invoice.
        BookingSuspended: the gate is shut for this tenant.
        BudgetUsedUp: a budget or an allowance no longer holds the quoted discount.
    """
    if quote.suspended:
        raise BookingSuspended(f"{tenant.code} is rated {tenant.compliance_rating}")
    day = date.fromisoformat(quote.day)
    claimed = given(quote)
    # No savepoint: a refusal ends the caller's deed too.
    with transaction.atomic(savepoint=False):
        if claimed:
            Tenant.objects.select_for_update(no_key=True).only("id").get(pk=tenant.pk)
        row = _fresh_row(source, tenant, quote, day.replace(day=1), now)
        if claimed:
            _claim(row, claimed, day, quote.tariff_version)
    return row


def _fresh_row(
    source: str, tenant: Tenant, quote: Quote, month: date, now: datetime
) -> Reservation:
    """The source's reservation without uses; what it claimed before is given back."""
    row = Reservation(
        source=source, tenant=tenant, month=month, half_hours=quote.half_hours, created_at=now
    )
    if _inserted(row):
        return row
    row = Reservation.objects.get(source=source)
    if row.state == ReservationState.COMMITTED:
        raise AlreadyInvoiced(source)
    release(source=source, now=now)
    row.uses.all().delete()
    row.month, row.half_hours = month, quote.half_hours
    row.state, row.settled_at = ReservationState.RESERVED, None
    row.save()
    return row


def _inserted(row: Reservation) -> bool:
    """Save the row unless its source is there already."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO billing_reservation"
            " (source, tenant_id, month, half_hours, state, created_at)"
            " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (source) DO NOTHING RETURNING id",
            [row.source, row.tenant_id, row.month, row.half_hours, row.state, row.created_at],
        )
        found = cursor.fetchone()
    if found:
        row.pk = found[0]
    return bool(found)


def _claim(row: Reservation, claimed: Sequence[Verdict], day: date, version: str) -> None:
    """Write the uses; money first, in the order of budget ids."""
    verdicts = {v.code: v for v in claimed}
    budgets = Budget.objects.filter(year=day.year, policy_code__in=verdicts).order_by("id")
    held = {b.policy_code: b for b in budgets}
    for budget in held.values():
        take(budget, verdicts[budget.policy_code].amount_fen)
    policies = selectors.price_book(version).policies_on(day)
    _check_hours(row, [p for p in policies if p.code in verdicts], verdicts)
    PolicyUse.objects.bulk_create(use(row, v, held.get(v.code)) for v in verdicts.values())


def use(row: Reservation, verdict: Verdict, budget: Budget | None) -> PolicyUse:
    """What a policy gives to a reservation, as a row."""
    return PolicyUse(
        reservation=row,
        policy_code=verdict.code,
        policy_version=verdict.version,
        half_hours=verdict.half_hours,
        amount_fen=verdict.amount_fen,
        budget=budget,
    )


def take(budget: Budget, amount_fen: int) -> None:
    """Reserve part of a budget; one UPDATE under the row's lock.

    Raises:
        BudgetUsedUp: it no longer holds so much.
    """
    changed = Budget.objects.filter(
        pk=budget.pk, limit_fen__gte=F("reserved_fen") + F("committed_fen") + amount_fen
    ).update(reserved_fen=F("reserved_fen") + amount_fen)
    if not changed:
        raise BudgetUsedUp(f"{budget} holds less than {amount_fen} fen", policy=budget.policy_code)


def _check_hours(
    row: Reservation, policies: Sequence[Policy], verdicts: Mapping[str, Verdict]
) -> None:
    """Count the hours of the limited policies again, now that the tenant is locked."""
    limited = [p for p in policies if p.limits_hours]
    if not limited:
        return
    uses = PolicyUse.objects.filter(
        reservation__tenant=row.tenant_id, policy_code__in=[p.code for p in limited]
    ).exclude(reservation__state=ReservationState.RELEASED)
    sums = (
        uses.exclude(reservation=row)
        .values("policy_code")
        .annotate(
            month=Sum("half_hours", filter=Q(reservation__month=row.month)),
            total=Sum("half_hours"),
        )
    )
    used = {found["policy_code"]: found for found in sums}
    for policy in limited:
        before = used.get(policy.code, {"month": 0, "total": 0})
        for limit, so_far in (
            (policy.free_half_hours_month, before["month"]),
            (policy.cap_half_hours_month, before["month"]),
            (policy.cap_half_hours_total, before["total"]),
        ):
            if limit is not None and (so_far or 0) + verdicts[policy.code].half_hours > limit:
                raise BudgetUsedUp(f"hours of {policy.code} are used up", policy=policy.code)


def release(*, source: str, now: datetime) -> None:
    """Give back what a source reserved; nothing happens when there is nothing to give back."""
    settle(sources=[source], state=ReservationState.RELEASED, now=now)


def settle(*, sources: Iterable[str], state: ReservationState, now: datetime) -> None:
    """Turn reserved into committed, or give it back, for all these sources at once."""
    with transaction.atomic():
        rows = list(
            Reservation.objects.select_for_update()
            .filter(source__in=list(sources), state=ReservationState.RESERVED)
            .order_by("id")
        )
        if not rows:
            return
        uses = PolicyUse.objects.filter(reservation__in=rows, budget__isnull=False)
        sums = uses.values("budget").annotate(n=Sum("amount_fen")).order_by("budget")
        for budget_id, amount in sums.values_list("budget", "n"):
            kept = amount if state == ReservationState.COMMITTED else 0
            Budget.objects.filter(pk=budget_id).update(
                reserved_fen=F("reserved_fen") - amount, committed_fen=F("committed_fen") + kept
            )
        Reservation.objects.filter(pk__in=[r.pk for r in rows]).update(state=state, settled_at=now)
