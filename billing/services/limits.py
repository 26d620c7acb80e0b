"""A budget's limit is set by people, never below what is taken; and shared out among claims."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from django.db import IntegrityError, transaction
from django.db.models import F

from base_ops.core import audit
from base_ops.core.actors import Actor
from base_ops.core.errors import Conflict, Invalid, NotFound
from base_ops.core.models import Tenant
from billing.domain.policylang import compiling, rules, settling
from billing.domain.policylang.rules import Rule
from billing.domain.policylang.settling import Filed, Share
from billing.models import Budget, PolicyRow, PolicyUse, Reservation
from billing.models.usage import ReservationState


class BudgetBelowTaken(Conflict):
    """The limit would be below what bookings have reserved and invoices committed."""

    code, title_zh, title_en = (
        "budget_below_taken",
        "低于已占用金额",
        "The limit would be below what is taken",
    )


class BudgetThere(Conflict):
    """The year has its budget; set its limit instead."""

    code, title_zh, title_en = "budget_there", "该年度预算已存在", "The year has a budget already"


class ClaimShared(Conflict):
    """A claim of this name has had its share."""

    code, title_zh, title_en = "claim_shared", "该申报已核定", "This claim has had its share"


class NotForClaims(Invalid):
    """The policy lowers prices; only a claim's policy is shared out."""

    code, title_zh, title_en = (
        "policy_not_for_claims",
        "该政策不适用于申报",
        "The policy is not one for claims",
    )


@dataclass(frozen=True, slots=True)
class Asking:
    """A claim on a budget: who, how much in fen, when filed, and its score where that counts."""

    source: str
    tenant: Tenant
    amount_fen: int
    filed_at: datetime
    score: Fraction = Fraction(0)


def open_budget(
    *, policy_code: str, year: int, limit_fen: int, actor: Actor, now: datetime
) -> Budget:
    """Open the budget of a policy's year.

    Raises:
        NotFound: there is no such policy.
        BudgetThere: the year has one.
    """
    with transaction.atomic():
        if not PolicyRow.objects.filter(code=policy_code).exists():
            raise NotFound(f"no policy {policy_code}")
        row, fresh = Budget.objects.get_or_create(
            policy_code=policy_code, year=year, defaults={"limit_fen": limit_fen}
        )
        if not fresh:
            raise BudgetThere(str(row))
        _record(actor, "budget.open", row, None, "", now)
    return row


def set_limit(
    *,
    policy_code: str,
    year: int,
    limit_fen: int,
    reason: str,
    check: Callable[[int], None],
    actor: Actor,
    now: datetime,
) -> Budget:
    """Set another limit.

    Args:
        policy_code: whose budget.
        year: of which year.
        limit_fen: the new limit.
        reason: why, for the record.
        check: told the version of the limit that is there; raises when another was seen.
        actor: who.
        now: when.

    Raises:
        NotFound: there is no such budget.
        BudgetBelowTaken: bookings and invoices have taken more.
    """
    with transaction.atomic():
        row = _budget(policy_code, year)
        check(row.limit_version)
        before = row.limit_fen
        try:
            with transaction.atomic():
                Budget.objects.filter(pk=row.pk).update(
                    limit_fen=limit_fen, limit_version=F("limit_version") + 1
                )
        except IntegrityError as exc:
            taken = row.reserved_fen + row.committed_fen
            raise BudgetBelowTaken(f"{row}: {taken} fen are taken", taken_fen=taken) from exc
        row.refresh_from_db()
        _record(actor, "budget.limit", row, before, reason, now)
    return row


def _budget(policy_code: str, year: int) -> Budget:
    found = Budget.objects.select_for_update(no_key=True)
    row = found.filter(policy_code=policy_code, year=year).first()
    if row is None:
        raise NotFound(f"no budget of {policy_code} for {year}")
    return row


def share_budget(
    *,
    policy_code: str,
    year: int,
    asking: Sequence[Asking],
    commit: bool,
    actor: Actor,
    now: datetime,
) -> tuple[Share, ...]:
    """Divide what is left of a budget among claims, as the policy in force says.

    With `commit` the shares are taken from the budget, each claim once.

    Raises:
        NotFound: there is no such budget or policy.
        NotForClaims: the policy lowers prices instead.
        ClaimShared: one of the claims has had its share; nothing was taken.
    """
    with transaction.atomic():
        tenants = sorted({one.tenant.pk for one in asking})
        list(Tenant.objects.select_for_update(no_key=True).filter(pk__in=tenants).order_by("id"))
        budget = _budget(policy_code, year)
        row, rule = _rule(policy_code, year)
        had = Reservation.objects.filter(source__in=[one.source for one in asking]).first()
        if had is not None:
            raise ClaimShared(had.source)
        filed = [Filed(a.source, a.amount_fen, a.filed_at, a.score) for a in asking]
        shares = settling.share_out(rule, filed, budget.left_fen)
        if commit:
            _take(budget, row, asking, shares, now)
            after = {"paid_fen": {share.code: share.paid_fen for share in shares}}
            audit.record(
                actor=actor,
                action="budget.share",
                object_type="budget",
                object_code=f"{policy_code}/{year}",
                after=after,
                now=now,
            )
    return shares


def _rule(policy_code: str, year: int) -> tuple[PolicyRow, Rule]:
    """The newest version that is in force in the year, as a rule."""
    days = {"valid_from__lte": date(year, 12, 31), "valid_to__gte": date(year, 1, 1)}
    row = PolicyRow.objects.filter(code=policy_code, state="active", **days).last()
    if row is None:
        raise NotFound(f"no policy {policy_code} is in force in {year}")
    if "language" not in row.data or compiling.load(row.data).kind != "claim":
        raise NotForClaims(str(row))
    return row, rules.read(row.data)


def _take(
    budget: Budget,
    row: PolicyRow,
    asking: Sequence[Asking],
    shares: Sequence[Share],
    now: datetime,
) -> None:
    """Write the shares as committed uses; the constraint keeps the budget from going below."""
    paid = {share.code: share.paid_fen for share in shares}
    held = Reservation.objects.bulk_create(
        Reservation(
            source=one.source,
            tenant=one.tenant,
            month=date(budget.year, one.filed_at.month, 1),
            half_hours=0,
            state=ReservationState.COMMITTED,
            created_at=one.filed_at,
            settled_at=now,
        )
        for one in asking
    )
    PolicyUse.objects.bulk_create(
        PolicyUse(
            reservation=one,
            policy_code=row.code,
            policy_version=row.version,
            amount_fen=paid[one.source],
            budget=budget,
        )
        for one in held
    )
    Budget.objects.filter(pk=budget.pk).update(
        committed_fen=F("committed_fen") + sum(paid.values())
    )


def _record(
    actor: Actor, action: str, row: Budget, before_fen: int | None, reason: str, now: datetime
) -> None:
    audit.record(
        actor=actor,
        action=action,
        object_type="budget",
        object_code=f"{row.policy_code}/{row.year}",
        before=None if before_fen is None else {"limit_fen": before_fen},
        after={"limit_fen": row.limit_fen, "reason": reason},
        now=now,
    )
