"""Reserve at booking, commit at issue, release on cancel.

Lock order: the tenant (so that its free hours are counted by one at a time), then budgets by id.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from django.db import transaction
from django.db.models import F, Sum

from base_ops.core import statements
from base_ops.core.errors import Conflict
from base_ops.core.models import Tenant
from base_ops.core.prepared import Row
from base_ops.core.statements import Answer
from billing import selectors
from billing.domain.policies import Policy
from billing.domain.quote import Quote, Verdict, given
from billing.models import Budget, PolicyUse, Reservation
from billing.models.usage import ReservationState

# The row waits for the tenant's lock, and what is read after it is read under the lock.
_INSERT = """
WITH tenant AS MATERIALIZED (
    SELECT id FROM core_tenant WHERE id = %s {lock}
)
INSERT INTO billing_reservation (source, tenant_id, month, half_hours, state, created_at)
SELECT %s, tenant.id, %s, %s, %s, %s FROM tenant
ON CONFLICT (source) DO NOTHING RETURNING id
"""
_INSERT_LOCKED = _INSERT.format(lock="FOR NO KEY UPDATE")
_INSERT_ONLY = _INSERT.format(lock="")
_TAKE = """
WITH wanted AS (
    SELECT * FROM unnest(%s::text[], %s::bigint[]) AS w (policy_code, amount)
), held AS MATERIALIZED (
    SELECT b.id, b.policy_code, w.amount
      FROM billing_budget b JOIN wanted w ON w.policy_code = b.policy_code
     WHERE b.year = %s ORDER BY b.id FOR NO KEY UPDATE OF b
), taken AS (
    UPDATE billing_budget b SET reserved_fen = b.reserved_fen + held.amount FROM held
     WHERE b.id = held.id AND b.limit_fen >= b.reserved_fen + b.committed_fen + held.amount
    RETURNING b.id
)
SELECT held.policy_code, held.id, taken.id IS NOT NULL
  FROM held LEFT JOIN taken ON taken.id = held.id
"""
_LOCK = """
SELECT id FROM billing_budget
 WHERE %s OR (policy_code = ANY(%s) AND year = %s)
    OR id IN (SELECT budget_id FROM billing_policyuse WHERE reservation_id = %s)
 ORDER BY id FOR NO KEY UPDATE
"""
_USED = """
SELECT u.policy_code, coalesce(sum(u.half_hours) FILTER (WHERE r.month = %s), 0)::bigint,
       sum(u.half_hours)::bigint
  FROM billing_policyuse u JOIN billing_reservation r ON r.id = u.reservation_id
 WHERE r.tenant_id = %s AND r.source <> %s AND r.state <> 'released' AND u.policy_code = ANY(%s)
 GROUP BY u.policy_code
"""
_USE = """
INSERT INTO billing_policyuse
       (reservation_id, policy_code, policy_version, half_hours, amount_fen, budget_id)
SELECT %s, * FROM unnest(%s::text[], %s::int[], %s::int[], %s::bigint[], %s::bigint[])
"""


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
        row = _fresh_row(source, tenant, quote, day, now)
        if claimed:
            _claim(row, claimed, day, quote.tariff_version)
    return row


def lock_budgets() -> None:
    """Lock them all, for who gives back and reserves more than once; after all tenants."""
    statements.rows(_LOCK, [True, [], 0, 0])


def _fresh_row(source: str, tenant: Tenant, quote: Quote, day: date, now: datetime) -> Reservation:
    """The source's reservation without uses; what it claimed before is given back."""
    month, claimed = day.replace(day=1), given(quote)
    row = Reservation(
        source=source, tenant=tenant, month=month, half_hours=quote.half_hours, created_at=now
    )
    if _inserted(row, _INSERT_LOCKED if claimed else _INSERT_ONLY):
        return row
    row = Reservation.objects.get(source=source)
    if row.state == ReservationState.COMMITTED:
        raise AlreadyInvoiced(source)
    # What is given back and what is taken are locked together, in the order of their ids.
    statements.rows(_LOCK, [False, [v.code for v in claimed], day.year, row.pk])
    release(source=source, now=now)
    row.uses.all().delete()
    row.month, row.half_hours = month, quote.half_hours
    row.state, row.settled_at = ReservationState.RESERVED, None
    row.save()
    return row


def _inserted(row: Reservation, sql: str) -> bool:
    """Save the row unless its source is there already; what claims waits for the tenant."""
    found = statements.first(
        sql, [row.tenant_id, row.source, row.month, row.half_hours, row.state, row.created_at]
    )
    if found:
        row.pk = found[0]
    return found is not None


def _claim(row: Reservation, claimed: Sequence[Verdict], day: date, version: str) -> None:
    """Write the uses; money first, in the order of budget ids."""
    verdicts = {v.code: v for v in claimed}
    held = take({v.code: v.amount_fen for v in claimed}, year=day.year)
    policies = selectors.price_book(version).policies_on(day)
    _check_hours(row, [p for p in policies if p.code in verdicts], verdicts)
    values = [
        list(verdicts),
        [v.version for v in verdicts.values()],
        [v.half_hours for v in verdicts.values()],
        [v.amount_fen for v in verdicts.values()],
        [held.get(code) for code in verdicts],
    ]
    statements.change(_USE, [row.pk, *values])


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


def take(amounts_fen: Mapping[str, int], *, year: int) -> dict[str, int]:
    """Reserve part of the year's budgets, all or none; one UPDATE under their locks.

    Returns:
        Ids of the budgets by policy; a policy without a budget is left out.

    Raises:
        BudgetUsedUp: one no longer holds so much.
    """
    found = statements.rows(_TAKE, [list(amounts_fen), list(amounts_fen.values()), year])
    return all_taken(found, amounts_fen, year=year)


def all_taken(
    found: Sequence[Row], amounts_fen: Mapping[str, int], *, year: int
) -> dict[str, int]:
    """Ids of the budgets by policy; `found` are (policy, budget, whether it was taken).

    Raises:
        BudgetUsedUp: one no longer holds so much.
    """
    for code, _, taken in found:
        if not taken:
            raise BudgetUsedUp(
                f"{code} {year} holds less than {amounts_fen[code]} fen", policy=code
            )
    return {code: budget_id for code, budget_id, _ in found}


def _check_hours(
    row: Reservation, policies: Sequence[Policy], verdicts: Mapping[str, Verdict]
) -> None:
    """Count the hours of the limited policies again, now that the tenant is locked."""
    limited = [p for p in policies if p.limits_hours]
    if limited:
        asked = ask_used(row.source, row.tenant_id, row.month, limited)
        check_used(asked.rows, limited, verdicts)


def ask_used(source: str, tenant_id: int, month: date, limited: Sequence[Policy]) -> Answer:
    """Ask how many hours of the policies were used by other sources, in the month and ever."""
    return statements.ask(_USED, [month, tenant_id, source, [policy.code for policy in limited]])


def check_used(
    found: Sequence[Row], limited: Sequence[Policy], verdicts: Mapping[str, Verdict]
) -> None:
    """Refuse what goes beyond the hours of a policy.

    Raises:
        BudgetUsedUp: others took the rest.
    """
    used = {code: (month, total) for code, month, total in found}
    for policy in limited:
        month, total = used.get(policy.code, (0, 0))
        for limit, so_far in (
            (policy.free_half_hours_month, month),
            (policy.cap_half_hours_month, month),
            (policy.cap_half_hours_total, total),
        ):
            if limit is not None and so_far + verdicts[policy.code].half_hours > limit:
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
