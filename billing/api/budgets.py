"""Budgets over HTTP: read, open, set a limit, share out among claims."""

from fractions import Fraction
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Path, Router, Status

from base_ops.core import auth, clock, etags
from base_ops.core.auth import roles
from base_ops.core.errors import NotFound
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.models import Role, Tenant
from base_ops.core.problems import Problem, codes_4xx
from billing import describing
from billing.models import Budget
from billing.schemas import policies as schemas
from billing.services import limits as services

router = Router()
Code = Annotated[str, Path(max_length=16)]
Year = Annotated[int, Path(ge=2020, le=2099)]


@router.get("/budgets", response={200: list[schemas.PolicyBudgetOut], codes_4xx: Problem})
@roles(Role.FINANCE, Role.LIAISON)
def list_budgets(request: HttpRequest) -> list[schemas.PolicyBudgetOut]:
    """Every policy's budgets, year by year."""
    return [schemas.PolicyBudgetOut.from_orm(row) for row in Budget.objects.all()]


@router.get("/budgets/{code}/{year}", response={200: schemas.PolicyBudgetOut, codes_4xx: Problem})
@roles(Role.FINANCE, Role.LIAISON)
def read_budget(
    request: HttpRequest, response: HttpResponse, code: Code, year: Year
) -> schemas.PolicyBudgetOut:
    """One budget; the ETag is that of its limit."""
    row = Budget.objects.filter(policy_code=code, year=year).first()
    if row is None:
        raise NotFound(f"no budget of {code} for {year}")
    response["ETag"] = etags.etag_of(row.limit_version)
    return schemas.PolicyBudgetOut.from_orm(row)


@router.post("/budgets", response={201: schemas.PolicyBudgetOut, codes_4xx: Problem})
@roles(Role.FINANCE)
@idempotent
def open_budget(
    request: HttpRequest, wish: schemas.BudgetIn, idempotency_key: IdempotencyHeader
) -> Status[schemas.PolicyBudgetOut]:
    """Open a year's budget for a policy."""
    row = services.open_budget(
        policy_code=wish.policy_code,
        year=wish.year,
        limit_fen=wish.limit_fen,
        actor=auth.actor_of(request),
        now=clock.now(),
    )
    return Status(201, schemas.PolicyBudgetOut.from_orm(row))


@router.patch(
    "/budgets/{code}/{year}", response={200: schemas.PolicyBudgetOut, codes_4xx: Problem}
)
@roles(Role.FINANCE)
def set_budget_limit(
    request: HttpRequest,
    response: HttpResponse,
    code: Code,
    year: Year,
    wish: schemas.LimitIn,
) -> schemas.PolicyBudgetOut:
    """Set another limit, never below what is taken; on record with its reason."""
    row = services.set_limit(
        policy_code=code,
        year=year,
        limit_fen=wish.limit_fen,
        reason=wish.reason,
        check=lambda version: etags.require_match(request, version),
        actor=auth.actor_of(request),
        now=clock.now(),
    )
    response["ETag"] = etags.etag_of(row.limit_version)
    return schemas.PolicyBudgetOut.from_orm(row)


@router.post(
    "/budgets/{code}/{year}/shares", response={200: schemas.SharesOut, codes_4xx: Problem}
)
@roles(Role.FINANCE)
@idempotent
def share_budget(
    request: HttpRequest,
    code: Code,
    year: Year,
    wish: schemas.ShareIn,
    idempotency_key: IdempotencyHeader,
) -> Status[schemas.SharesOut]:
    """Divide what is left among claims as the policy says; with `commit`, take it."""
    names = {claim.tenant for claim in wish.claims}
    tenants = {tenant.code: tenant for tenant in Tenant.objects.filter(code__in=names)}
    if missing := sorted(names - tenants.keys()):
        raise NotFound(f"no tenant {missing[0]}")
    shares = services.share_budget(
        policy_code=code,
        year=year,
        asking=[
            services.Asking(
                f"claim/{claim.code}",
                tenants[claim.tenant],
                claim.amount_fen,
                claim.filed_at,
                Fraction(claim.score),
            )
            for claim in wish.claims
        ],
        commit=wish.commit,
        actor=auth.actor_of(request),
        now=clock.now(),
    )
    return Status(200, describing.shares(shares, committed=wish.commit))
