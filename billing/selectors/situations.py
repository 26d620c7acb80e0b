"""What billing knows about a tenant, gathered for the policies to judge."""

from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal

from base_ops.core import statements
from base_ops.core.models import Tenant
from base_ops.core.prepared import Row
from billing.domain.catalog import NotPriced, PriceBook
from billing.domain.situation import Situation, Used
from billing.selectors.book import book_of

# One round trip: every quote asks this. What was released does not count, nor does the reservation
# that is about to be replaced, whose share of a budget is free again for its own booking.
_SQL = """
WITH mine AS (
    SELECT id, month, half_hours FROM billing_reservation
     WHERE tenant_id = %(tenant)s AND state <> 'released' AND source <> %(ignored)s
)
SELECT 'month' AS what, '' AS code, coalesce(sum(half_hours), 0)::bigint AS a, 0::bigint AS b
  FROM mine WHERE month = %(month)s
UNION ALL
SELECT 'use', u.policy_code, coalesce(sum(u.half_hours) FILTER (WHERE mine.month = %(month)s), 0),
       sum(u.half_hours)
  FROM billing_policyuse u JOIN mine ON mine.id = u.reservation_id GROUP BY u.policy_code
UNION ALL
SELECT 'budget', b.policy_code,
       b.limit_fen - b.reserved_fen - b.committed_fen + coalesce((
           SELECT sum(u.amount_fen) FROM billing_policyuse u
             JOIN billing_reservation r ON r.id = u.reservation_id
            WHERE u.budget_id = b.id AND r.source = %(ignored)s AND r.state = 'reserved'), 0), 0
  FROM billing_budget b WHERE b.year = %(year)s
UNION ALL
SELECT 'book', fingerprint, serial, 0 FROM billing_pricebookversion
UNION ALL
SELECT e.key, e.value, 0, 0 FROM billing_evidence e
 WHERE e.tenant_id = %(tenant)s AND %(on)s BETWEEN e.valid_from AND e.valid_to
"""

_NO_PROOFS = frozenset(["month", "use", "budget", "book"])


def situation_of(
    *, tenant: Tenant, on: date, mode: str = "hourly", ignore_source: str = ""
) -> Situation:
    """The tenant's situation on a day; the caller adds space type, purpose and partner.

    See `situation_and_book`; for who knows the price book already.
    """
    return _situation(_rows(tenant, on, ignore_source), tenant, on, mode)


def situation_and_book(
    *, tenant: Tenant, on: date, mode: str = "hourly", ignore_source: str = ""
) -> tuple[Situation, PriceBook]:
    """The tenant's situation on a day, and the price book in force; one query for both.

    Args:
        tenant: who is judged.
        on: Shanghai day of use.
        mode: "hourly" or "monthly".
        ignore_source: a reservation that is about to be replaced, so that it does not count.

    Raises:
        NotPriced: no price book was loaded yet.
    """
    rows = _rows(tenant, on, ignore_source)
    version = next(((int(serial), code) for what, code, serial, _ in rows if what == "book"), None)
    if version is None:
        raise NotPriced("no price book was loaded yet")
    return _situation(rows, tenant, on, mode), book_of(version)


def _rows(tenant: Tenant, on: date, ignore_source: str) -> list[Row]:
    return statements.rows(
        _SQL,
        {
            "tenant": tenant.pk,
            "ignored": ignore_source,
            "month": on.replace(day=1),
            "year": on.year,
            "on": on,
        },
    )


def _situation(rows: list[Row], tenant: Tenant, on: date, mode: str) -> Situation:
    used = Used(
        month_half_hours=next(int(a) for what, _, a, _ in rows if what == "month"),
        in_month={code: int(a) for what, code, a, _ in rows if what == "use"},
        in_total={code: int(b) for what, code, _, b in rows if what == "use"},
    )
    return situation(
        tenant,
        on=on,
        mode=mode,
        used=used,
        proofs=[(what, value) for what, value, *_ in rows if what not in _NO_PROOFS],
        budget_left_fen={code: int(a) for what, code, a, _ in rows if what == "budget"},
    )


def situation(
    tenant: Tenant,
    *,
    on: date,
    mode: str = "hourly",
    used: Used,
    proofs: Collection[tuple[str, str]],
    budget_left_fen: Mapping[str, int],
) -> Situation:
    """Put together what is known; `proofs` are the (key, value) of the evidence valid `on`."""
    keys = {key for key, _ in proofs}
    gmv = (Decimal(value) for key, value in proofs if key == "annual_gmv")
    return Situation(
        on=on,
        rating=tenant.compliance_rating,
        category=tenant.category,
        industry=tenant.industry,
        tags=frozenset(tenant.tags),
        registered=tenant.registered_in_panyu,
        joined_on=tenant.joined_on,
        mode=mode,
        agreement="agreement" in keys,
        programme_filed="programme_filed" in keys,
        annual_gmv_yuan=max(gmv, default=Decimal(0)),
        approvals=frozenset(value for key, value in proofs if key == "approval"),
        month_half_hours=used.month_half_hours,
        used_month=used.in_month,
        used_total=used.in_total,
        budget_left_fen=budget_left_fen,
    )
