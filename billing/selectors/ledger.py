"""What tenants have used, read once and kept up in memory: for pricing many bookings in a row."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date

from django.db import connection
from django.db.models import Sum

from base_ops.core.models import Tenant
from billing.domain.quote import Quote, given
from billing.domain.situation import Situation, Used
from billing.models import Budget, Evidence, PolicyUse, Reservation
from billing.models.usage import ReservationState
from billing.selectors.situations import situation


@dataclass(slots=True)
class Ledger:
    """Gives the same answers as `situation_of` would after each `add`."""

    budgets: dict[tuple[str, int], Budget]
    proofs: dict[int, list[Evidence]] = field(default_factory=dict)
    half_hours: Counter[tuple[int, date]] = field(default_factory=Counter)
    uses: Counter[tuple[int, date, str]] = field(default_factory=Counter)

    def situation(self, tenant: Tenant, on: date) -> Situation:
        """The tenant's situation for an hourly booking on a Shanghai day."""
        month = on.replace(day=1)
        mine = [(key, n) for key, n in self.uses.items() if key[0] == tenant.pk]
        total: Counter[str] = Counter()
        for (_, _, code), n in mine:
            total[code] += n
        return situation(
            tenant,
            on=on,
            used=Used(
                month_half_hours=self.half_hours[tenant.pk, month],
                in_month={code: n for (_, at, code), n in mine if at == month},
                in_total=total,
            ),
            proofs=[
                (proof.key, proof.value)
                for proof in self.proofs.get(tenant.pk, ())
                if proof.valid_from <= on <= proof.valid_to
            ],
            budget_left_fen={
                code: budget.left_fen
                for (code, year), budget in self.budgets.items()
                if year == on.year
            },
        )

    def add(self, tenant: Tenant, quote: Quote) -> None:
        """Count what a quote claims."""
        day = date.fromisoformat(quote.day)
        month = day.replace(day=1)
        self.half_hours[tenant.pk, month] += quote.half_hours
        for verdict in given(quote):
            self.uses[tenant.pk, month, verdict.code] += verdict.half_hours
            if budget := self.budgets.get((verdict.code, day.year)):
                budget.reserved_fen += verdict.amount_fen


# One round trip, for a look at many bookings of one tenant.
_SEEN = """
WITH mine AS (
    SELECT id, month, half_hours FROM billing_reservation
     WHERE tenant_id = %(tenant)s AND state <> 'released'
)
SELECT 'month' AS what, '' AS code, '' AS value, month AS first, month AS last,
       sum(half_hours)::bigint AS a, 0::bigint AS b, 0::bigint AS c, 0 AS year
  FROM mine GROUP BY month
UNION ALL
SELECT 'use', u.policy_code, '', mine.month, mine.month, sum(u.half_hours), 0, 0, 0
  FROM billing_policyuse u JOIN mine ON mine.id = u.reservation_id
 GROUP BY u.policy_code, mine.month
UNION ALL
SELECT 'budget', policy_code, '', NULL, NULL, limit_fen, reserved_fen, committed_fen, year
  FROM billing_budget
UNION ALL
SELECT 'proof', key, value, valid_from, valid_to, 0, 0, 0, 0
  FROM billing_evidence WHERE tenant_id = %(tenant)s
"""


def ledger_as_seen(tenant: Tenant) -> Ledger:
    """The same for one tenant in one query, nothing locked: for a look that writes nothing."""
    found = Ledger({})
    with connection.cursor() as cursor:
        cursor.execute(_SEEN, {"tenant": tenant.pk})
        rows = cursor.fetchall()
    for what, code, value, first, last, a, b, c, year in rows:
        if what == "month":
            found.half_hours[tenant.pk, first] = int(a)
        elif what == "use":
            found.uses[tenant.pk, first, code] = int(a)
        elif what == "budget":
            found.budgets[code, year] = Budget(
                policy_code=code, year=year, limit_fen=a, reserved_fen=b, committed_fen=c
            )
        else:
            proof = Evidence(key=code, value=value, valid_from=first, valid_to=last)
            found.proofs.setdefault(tenant.pk, []).append(proof)
    return found


def ledger(tenants: Collection[Tenant]) -> Ledger:
    """Read it and lock the budgets, in the caller's transaction; the tenants are locked."""
    budgets = Budget.objects.select_for_update(no_key=True).order_by("id")
    found = Ledger({(b.policy_code, b.year): b for b in budgets})
    for proof in Evidence.objects.filter(tenant__in=tenants):
        found.proofs.setdefault(proof.tenant_id, []).append(proof)
    held = Reservation.objects.filter(tenant__in=tenants).exclude(state=ReservationState.RELEASED)
    for tenant_id, month, n in held.values_list("tenant", "month").annotate(n=Sum("half_hours")):
        found.half_hours[tenant_id, month] = n
    uses = PolicyUse.objects.filter(reservation__in=held)
    for *key, n in uses.values_list(
        "reservation__tenant", "reservation__month", "policy_code"
    ).annotate(n=Sum("half_hours")):
        tenant_id, month, code = key
        found.uses[tenant_id, month, code] = n
    return found
