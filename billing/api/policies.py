"""Policies over HTTP: read, check, save, put in force, withdraw."""

from typing import Annotated

from django.http import HttpRequest
from ninja import Path, Router, Status

from base_ops.core import auth, clock
from base_ops.core.auth import roles
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.models import Role
from base_ops.core.problems import Problem, codes_4xx
from billing import describing, presenting
from billing.models import PolicyRow
from billing.schemas import PolicyOut
from billing.schemas import policies as schemas
from billing.services import policies as services

router = Router()
Code = Annotated[str, Path(max_length=16)]
Version = Annotated[int, Path(ge=1, le=10_000)]


@router.get("/policies", response={200: list[PolicyOut], codes_4xx: Problem})
def list_policies(request: HttpRequest) -> list[PolicyOut]:
    """Discount policies; budgets only for who answers for them."""
    answers = auth.user_of(request).role in (Role.FINANCE, Role.LIAISON, Role.ADMIN)
    rows = PolicyRow.objects.all() if answers else PolicyRow.objects.filter(state="active")
    return presenting.policies(rows, budgets=answers)


@router.get("/policies/language", response={200: schemas.LanguageOut, codes_4xx: Problem})
@roles(Role.FINANCE, Role.LIAISON)
def read_language(request: HttpRequest) -> schemas.LanguageOut:
    """The words in which policies are written."""
    return describing.language()


@router.post("/policies/check", response={200: schemas.PolicyCheckOut, codes_4xx: Problem})
@roles(Role.FINANCE, Role.LIAISON)
def check_policy(request: HttpRequest, draft: schemas.PolicyCheckIn) -> schemas.PolicyCheckOut:
    """Everything wrong with a draft; with a case, what it would give and why. Writes nothing."""
    return describing.checked(services.check(draft.document, case=draft.case))


@router.get(
    "/policies/versions", response={200: list[schemas.PolicyVersionOut], codes_4xx: Problem}
)
@roles(Role.FINANCE, Role.LIAISON)
def list_policy_versions(
    request: HttpRequest, code: str | None = None
) -> list[schemas.PolicyVersionOut]:
    """Every version, drafts and withdrawn ones too; the newest of a code first."""
    return describing.versions(code)


@router.post("/policies", response={201: schemas.PolicyVersionOut, codes_4xx: Problem})
@roles(Role.FINANCE)
@idempotent
def save_policy(
    request: HttpRequest, draft: schemas.PolicyDraftIn, idempotency_key: IdempotencyHeader
) -> Status[schemas.PolicyVersionOut]:
    """Save the next version as a draft; refused when another was saved meanwhile."""
    row = services.save_policy(
        document=draft.document, actor=auth.actor_of(request), now=clock.now()
    )
    return Status(201, schemas.PolicyVersionOut.from_orm(row))


@router.post(
    "/policies/{code}/versions/{version}/activate",
    response={200: schemas.PolicyVersionOut, codes_4xx: Problem},
)
@roles(Role.FINANCE)
@idempotent
def activate_policy(
    request: HttpRequest,
    code: Code,
    version: Version,
    wish: schemas.PolicyActivateIn,
    idempotency_key: IdempotencyHeader,
) -> Status[schemas.PolicyVersionOut]:
    """Put a draft in force from a day on, today or later."""
    row = services.activate_policy(
        code=code,
        version=version,
        first=wish.first,
        last=wish.last,
        actor=auth.actor_of(request),
        now=clock.now(),
    )
    return Status(200, schemas.PolicyVersionOut.from_orm(row))


@router.post(
    "/policies/{code}/versions/{version}/withdraw",
    response={200: schemas.PolicyVersionOut, codes_4xx: Problem},
)
@roles(Role.FINANCE)
@idempotent
def withdraw_policy(
    request: HttpRequest,
    code: Code,
    version: Version,
    wish: schemas.PolicyWithdrawIn,
    idempotency_key: IdempotencyHeader,
) -> Status[schemas.PolicyVersionOut]:
    """End a version after a day; what was priced under it stays."""
    row = services.withdraw_policy(
        code=code,
        version=version,
        last=wish.last,
        actor=auth.actor_of(request),
        now=clock.now(),
    )
    return Status(200, schemas.PolicyVersionOut.from_orm(row))
