"""What billing knows about a tenant, gathered for the policies to judge."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Q, Sum

from base_ops.core.models import Tenant
from billing.domain.situation import Situation
from billing.models import Budget, Evidence, PolicyUse, Reservation


@dataclass(frozen=True, slots=True)
class Use:
    """Half-hours used: of any room this month, and under each policy."""

    month: int
    by_policy_month: dict[str, int]
    by_policy_total: dict[str, int]


def situation_of(
    *, tenant: Tenant, on: date, mode: str = "hourly", ignore_source: str = ""
) -> Situation:
    """The tenant's situation on a day; the caller adds space type, purpose and partner.

    Args:
        tenant: who is judged.
        on: Shanghai day of use.
        mode: "hourly" or "monthly".
        ignore_source: a reservation that is about to be replaced, so that it does not count.
    """
    use = _use(tenant, on.replace(day=1), ignore_source)
    proofs = list(
        Evidence.objects.filter(tenant=tenant, valid_from__lte=on, valid_to__gte=on).values_list(
            "key", "value"
        )
    )
    keys = {key for key, _ in proofs}
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
        annual_gmv_yuan=_highest(value for key, value in proofs if key == "annual_gmv"),
        approvals=frozenset(value for key, value in proofs if key == "approval"),
        month_half_hours=use.month,
        used_month=use.by_policy_month,
        used_total=use.by_policy_total,
        budget_left_fen=_budgets(tenant, on.year, ignore_source),
    )


def _highest(values: Iterable[str]) -> Decimal:
    return max((Decimal(v) for v in values), default=Decimal(0))


def _use(tenant: Tenant, month: date, ignore_source: str) -> Use:
    """Reserved and kept use; what was released does not count."""
    mine = Reservation.objects.filter(tenant=tenant).exclude(state="released")
    mine = mine.exclude(source=ignore_source)
    total = mine.filter(month=month).aggregate(n=Sum("half_hours"))["n"] or 0
    rows = (
        PolicyUse.objects.filter(reservation__in=mine, half_hours__gt=0)
        .values("policy_code")
        .annotate(
            total=Sum("half_hours"), month=Sum("half_hours", filter=Q(reservation__month=month))
        )
        .values_list("policy_code", "month", "total")
    )
    found = list(rows)
    return Use(
        month=total,
        by_policy_month={code: part or 0 for code, part, _ in found},
        by_policy_total={code: whole for code, _, whole in found},
    )


def _budgets(tenant: Tenant, year: int, ignore_source: str) -> dict[str, int]:
    """What each budget of the year still holds, plus what the ignored reservation holds of it."""
    left = {b.policy_code: b.left_fen for b in Budget.objects.filter(year=year)}
    if ignore_source:
        held = PolicyUse.objects.filter(
            reservation__source=ignore_source, reservation__state="reserved", budget__year=year
        )
        for code, amount in held.values_list("policy_code", "amount_fen"):
            left[code] += amount
    return left
