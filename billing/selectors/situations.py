"""What billing knows about a tenant, gathered for the policies to judge."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from base_ops.core import statements
from base_ops.core.models import Tenant
from base_ops.core.statements import Answer
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


@dataclass(frozen=True, slots=True)
class Asked:
    """A tenant's situation on a day, on its way."""

    tenant: Tenant
    on: date
    mode: str
    answer: Answer

    def situation(self, **wish: Any) -> Situation:
        """The situation; `wish` are its space type, purpose and partner, where they matter."""
        month_half_hours = 0
        in_month: dict[str, int] = {}
        in_total: dict[str, int] = {}
        budgets: dict[str, int] = {}
        proofs: list[tuple[str, str]] = []
        for what, code, a, b in self.answer.rows:
            match what:
                case "month":
                    month_half_hours = int(a)
                case "use":
                    in_month[code], in_total[code] = int(a), int(b)
                case "budget":
                    budgets[code] = int(a)
                case "book":
                    pass
                case _:
                    proofs.append((what, code))
        return situation(
            self.tenant,
            on=self.on,
            mode=self.mode,
            used=Used(month_half_hours, in_month, in_total),
            proofs=proofs,
            budget_left_fen=budgets,
            **wish,
        )

    def book(self) -> PriceBook:
        """The price book of the day.

        Raises:
            NotPriced: no price book was loaded yet.
        """
        for what, code, serial, _ in self.answer.rows:
            if what == "book":
                return book_of((int(serial), code)).on(self.on)
        raise NotPriced("no price book was loaded yet")


def ask_situation(
    *, tenant: Tenant, on: date, mode: str = "hourly", ignore_source: str = ""
) -> Asked:
    """Ask for a tenant's situation on a day, and the price book in force; one query for both.

    Args:
        tenant: who is judged.
        on: Shanghai day of use.
        mode: "hourly" or "monthly".
        ignore_source: a reservation that is about to be replaced, so that it does not count.
    """
    values = {
        "tenant": tenant.pk,
        "ignored": ignore_source,
        "month": on.replace(day=1),
        "year": on.year,
        "on": on,
    }
    return Asked(tenant, on, mode, statements.ask(_SQL, values))


def situation_of(
    *, tenant: Tenant, on: date, mode: str = "hourly", ignore_source: str = ""
) -> Situation:
    """The tenant's situation on a day, for who knows the price book already."""
    asked = ask_situation(tenant=tenant, on=on, mode=mode, ignore_source=ignore_source)
    return asked.situation()


def situation_and_book(
    *, tenant: Tenant, on: date, mode: str = "hourly", ignore_source: str = ""
) -> tuple[Situation, PriceBook]:
    """The tenant's situation on a day, and the price book in force; one query for both.

    Raises:
        NotPriced: no price book was loaded yet.
    """
    asked = ask_situation(tenant=tenant, on=on, mode=mode, ignore_source=ignore_source)
    return asked.situation(), asked.book()


def situation(
    tenant: Tenant,
    *,
    on: date,
    mode: str = "hourly",
    used: Used,
    proofs: Collection[tuple[str, str]],
    budget_left_fen: Mapping[str, int],
    **wish: Any,
) -> Situation:
    """Put together what is known; `proofs` are the (key, value) of the evidence valid `on`."""
    keys = {key for key, _ in proofs}
    # The same person or premises under another name: a new name starts no new first year.
    entries = (date.fromisoformat(value) for key, value in proofs if key == "first_entry")
    gmv = (Decimal(value) for key, value in proofs if key == "annual_gmv")
    return Situation(
        on=on,
        rating=tenant.compliance_rating,
        category=tenant.category,
        industry=tenant.industry,
        town=tenant.town_street,
        tags=frozenset(tenant.tags),
        registered=tenant.registered_in_panyu,
        joined_on=min(tenant.joined_on, *entries) if "first_entry" in keys else tenant.joined_on,
        mode=mode,
        agreement="agreement" in keys,
        programme_filed="programme_filed" in keys,
        annual_gmv_yuan=max(gmv, default=Decimal(0)),
        approvals=frozenset(value for key, value in proofs if key == "approval"),
        month_half_hours=used.month_half_hours,
        used_month=used.in_month,
        used_total=used.in_total,
        budget_left_fen=budget_left_fen,
        **wish,
    )
