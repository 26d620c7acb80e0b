"""Invoice runs over HTTP."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Status

from base_ops.core import auth, clock
from base_ops.core.auth import roles
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.models import Role
from base_ops.core.pages import Page, cut
from base_ops.core.problems import Problem, codes_4xx
from billing import presenting, services
from billing.api.asking import Limit
from billing.models import InvoiceRun
from billing.schemas import (
    ApproveIn,
    RunDetailOut,
    RunIn,
    RunOut,
)
from billing.selectors import documents as papers

router = Router()


@router.post("/invoice-runs", response={201: RunOut, codes_4xx: Problem})
@roles(Role.FINANCE)
@idempotent
def preview_run(
    request: HttpRequest, wish: RunIn, idempotency_key: IdempotencyHeader
) -> Status[RunOut]:
    """Preview the documents of a month or period: nothing is issued yet."""
    first, last = presenting.period(wish)
    run = services.preview_run(
        period_from=first, period_to=last, actor=auth.actor_of(request), now=clock.now()
    )
    return Status(201, RunOut.from_orm(run))


@router.get("/invoice-runs", response={200: Page[RunOut], codes_4xx: Problem})
@roles(Role.FINANCE)
def list_runs(
    request: HttpRequest, cursor: str | None = None, limit: Limit = 50
) -> dict[str, Any]:
    """Runs, newest first."""
    rows, following = cut(
        InvoiceRun.objects.all(), by="created_at", descending=True, cursor=cursor, limit=limit
    )
    return {"items": rows, "next": following}


@router.get("/invoice-runs/{int:run_id}", response={200: RunDetailOut, codes_4xx: Problem})
@roles(Role.FINANCE)
def read_run(request: HttpRequest, run_id: int) -> RunDetailOut:
    """One run with its documents and their lines."""
    return presenting.run_detail(papers.run(run_id))


@router.post("/invoice-runs/{int:run_id}/approve", response={200: RunOut, codes_4xx: Problem})
@roles(Role.FINANCE)
@idempotent
def approve_run(
    request: HttpRequest, run_id: int, wish: ApproveIn, idempotency_key: IdempotencyHeader
) -> Status[RunOut]:
    """Approve what was previewed; refused when its charges changed."""
    run = services.approve_run(
        run_id=run_id,
        inputs_hash=wish.inputs_hash,
        actor=auth.actor_of(request),
        now=clock.now(),
    )
    return Status(200, RunOut.from_orm(run))


@router.post("/invoice-runs/{int:run_id}/issue", response={202: RunOut, codes_4xx: Problem})
@roles(Role.FINANCE)
@idempotent
def issue_run(
    request: HttpRequest, run_id: int, idempotency_key: IdempotencyHeader
) -> Status[RunOut]:
    """Start issuing an approved run; progress comes on the run's live topic."""
    run = services.ask_issue(run_id=run_id, actor=auth.actor_of(request), now=clock.now())
    return Status(202, RunOut.from_orm(run))
