"""The first claim of a booking that was just made: all of it in one statement, checked after."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from base_ops.core import statements
from base_ops.core.models import Tenant
from billing import selectors
from billing.domain.quote import Quote, Verdict, given
from billing.models.usage import ReservationState
from billing.services import budgets
from billing.services.budgets import BookingSuspended

_RESERVE = """
INSERT INTO billing_reservation (source, tenant_id, month, half_hours, state, created_at)
VALUES (%(source)s, %(tenant)s, %(month)s, %(half_hours)s, %(state)s, %(now)s)
"""
# The row waits for the tenant's lock, budgets for the row; they are locked in order of their ids.
_CLAIM = """
WITH tenant AS MATERIALIZED (
    SELECT id FROM core_tenant WHERE id = %(tenant)s FOR NO KEY UPDATE
), reservation AS (
    INSERT INTO billing_reservation (source, tenant_id, month, half_hours, state, created_at)
    SELECT %(source)s, tenant.id, %(month)s, %(half_hours)s, %(state)s, %(now)s FROM tenant
    RETURNING id
), wanted AS (
    SELECT * FROM unnest(%(codes)s::text[], %(versions)s::int[], %(hours)s::int[],
                         %(amounts)s::bigint[]) AS w (policy_code, version, half_hours, amount)
), held AS MATERIALIZED (
    SELECT b.id, b.policy_code, w.amount
      FROM billing_budget b JOIN wanted w ON w.policy_code = b.policy_code CROSS JOIN reservation
     WHERE b.year = %(year)s ORDER BY b.id FOR NO KEY UPDATE OF b
), taken AS (
    UPDATE billing_budget b SET reserved_fen = b.reserved_fen + held.amount FROM held
     WHERE b.id = held.id AND b.limit_fen >= b.reserved_fen + b.committed_fen + held.amount
    RETURNING b.id
), used AS (
    INSERT INTO billing_policyuse
           (reservation_id, policy_code, policy_version, half_hours, amount_fen, budget_id)
    SELECT reservation.id, w.policy_code, w.version, w.half_hours, w.amount, held.id
      FROM wanted w CROSS JOIN reservation LEFT JOIN held ON held.policy_code = w.policy_code
)
SELECT held.policy_code, held.id, taken.id IS NOT NULL
  FROM held LEFT JOIN taken ON taken.id = held.id
"""

Check = Callable[[], None]


def reserve_first(*, source: str, tenant: Tenant, quote: Quote, now: datetime) -> Check:
    """Claim the monthly use and the discounts of a quote, as `reserve` does, for a new source.

    Returns:
        What says whether all could be claimed, once the answer is there; to be called before the
        transaction ends. It raises BudgetUsedUp.

    Raises:
        BookingSuspended: the gate is shut for this tenant.
    """
    if quote.suspended:
        raise BookingSuspended(f"{tenant.code} is rated {tenant.compliance_rating}")
    day = date.fromisoformat(quote.day)
    values: dict[str, Any] = {
        "source": source,
        "tenant": tenant.pk,
        "month": day.replace(day=1),
        "half_hours": quote.half_hours,
        "state": ReservationState.RESERVED.value,
        "now": now,
    }
    if claimed := given(quote):
        return _claim(values, claimed, quote, day)
    statements.ask(_RESERVE, values)
    return lambda: None


def _claim(values: dict[str, Any], claimed: list[Verdict], quote: Quote, day: date) -> Check:
    """Everything at once; then the hours of the limited policies, the tenant being locked."""
    verdicts = {v.code: v for v in claimed}
    asked = statements.ask(
        _CLAIM,
        values
        | {
            "codes": list(verdicts),
            "versions": [v.version for v in claimed],
            "hours": [v.half_hours for v in claimed],
            "amounts": [v.amount_fen for v in claimed],
            "year": day.year,
        },
    )
    policies = selectors.price_book(quote.tariff_version).policies_on(day)
    limited = [p for p in policies if p.code in verdicts and p.limits_hours]
    used = None
    if limited:
        month = day.replace(day=1)
        used = budgets.ask_used(values["source"], values["tenant"], month, limited)

    def check() -> None:
        amounts_fen = {v.code: v.amount_fen for v in claimed}
        budgets.all_taken(asked.rows, amounts_fen, year=day.year)
        if used is not None:
            budgets.check_used(used.rows, limited, verdicts)

    return check
