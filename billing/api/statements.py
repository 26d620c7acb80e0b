"""Statements and disputes over HTTP."""

from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Router, Status

from base_ops.core import auth, clock
from base_ops.core.auth import roles
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.models import Role
from base_ops.core.pages import Page, cut
from base_ops.core.problems import Problem, codes_4xx
from billing import showing_evidence as proofs
from billing.api.asking import PAYERS, Limit, Month
from billing.documents import statement as paper
from billing.domain.disputes import DisputeDeed, DisputeState
from billing.models import Statement
from billing.schemas.statements import (
    DisputeAnswerIn,
    DisputeIn,
    DisputeOut,
    LineEvidenceOut,
    StatementDetailOut,
    StatementEntryOut,
    StatementIn,
    StatementOut,
)
from billing.selectors import documents as papers
from billing.selectors import movements
from billing.selectors.seller import as_copied
from billing.services import stating

router = Router()
_BINARY = {"schema": {"type": "string", "format": "binary"}}


def _detail(row: Statement) -> StatementDetailOut:
    entries = list(row.entries.all())
    waiting = movements.open_disputes([e.invoice_id for e in entries if e.invoice_id])
    return StatementDetailOut(
        **StatementOut.from_orm(row).model_dump(),
        open_disputes=waiting,
        entries=[StatementEntryOut.from_orm(entry) for entry in entries],
    )


@router.post("/statements", response={201: StatementDetailOut, codes_4xx: Problem})
@roles(Role.FINANCE)
@idempotent
def make_statement(
    request: HttpRequest, wish: StatementIn, idempotency_key: IdempotencyHeader
) -> Status[StatementDetailOut]:
    """State a tenant's month as it is now; an unconfirmed one is replaced."""
    row = stating.make_statement(
        tenant=wish.tenant, month=wish.month, actor=auth.actor_of(request), now=clock.now()
    )
    return Status(201, _detail(row))


@router.get("/statements", response={200: Page[StatementOut], codes_4xx: Problem})
@roles(*PAYERS)
def list_statements(
    request: HttpRequest,
    tenant: str | None = None,
    month: Month | None = None,
    cursor: str | None = None,
    limit: Limit = 50,
) -> dict[str, Any]:
    """Statements, newest first; a tenant's people see their own."""
    first = papers.month_days(month)[0] if month else None
    rows = movements.statements(user=auth.user_of(request), tenant=tenant, month=first)
    items, following = cut(rows, by="created_at", descending=True, cursor=cursor, limit=limit)
    return {"items": items, "next": following}


@router.get(
    "/statements/{int:statement_id}",
    response={200: StatementDetailOut, codes_4xx: Problem},
)
@roles(*PAYERS)
def read_statement(request: HttpRequest, statement_id: int) -> StatementDetailOut:
    """One statement with its movements."""
    user = auth.user_of(request)
    return _detail(movements.statement(user=user, statement_id=statement_id))


@router.get(
    "/statements/{int:statement_id}/pdf",
    response={200: bytes, codes_4xx: Problem},
    openapi_extra={"responses": {200: {"content": {"application/pdf": _BINARY}}}},
)
@roles(*PAYERS)
def read_statement_pdf(
    request: HttpRequest, statement_id: int, lang: Literal["zh", "en"] = "zh"
) -> HttpResponse:
    """One statement as PDF; the same bytes each time."""
    row = movements.statement(user=auth.user_of(request), statement_id=statement_id)
    name = f"statement-{row.tenant.code}-{row.month:%Y-%m}-{lang}.pdf"
    return HttpResponse(
        paper.render(row, lang, as_copied()),
        content_type="application/pdf",
        headers={
            "Content-Disposition": f'inline; filename="{name}"',
            "Cache-Control": "private, no-cache",
        },
    )


@router.post(
    "/statements/{int:statement_id}/confirm",
    response={200: StatementDetailOut, codes_4xx: Problem},
)
@roles(Role.TENANT_ADMIN)
@idempotent
def confirm_statement(
    request: HttpRequest, statement_id: int, idempotency_key: IdempotencyHeader
) -> Status[StatementDetailOut]:
    """The tenant agrees with all of it; refused while an objection waits."""
    row = movements.statement(user=auth.user_of(request), statement_id=statement_id)
    row = stating.confirm(statement=row, actor=auth.actor_of(request), now=clock.now())
    return Status(200, _detail(row))


@router.post(
    "/invoices/{number}/lines/{int:position}/disputes",
    response={201: DisputeOut, codes_4xx: Problem},
)
@roles(Role.TENANT_ADMIN)
@idempotent
def raise_dispute(
    request: HttpRequest,
    number: str,
    position: int,
    wish: DisputeIn,
    idempotency_key: IdempotencyHeader,
) -> Status[DisputeOut]:
    """Object to one line of a document."""
    row = stating.raise_dispute(
        invoice=papers.invoice(user=auth.user_of(request), number=number),
        position=position,
        reason=wish.reason,
        actor=auth.actor_of(request),
        now=clock.now(),
    )
    return Status(201, DisputeOut.from_orm(row))


@router.get("/disputes", response={200: Page[DisputeOut], codes_4xx: Problem})
@roles(*PAYERS)
def list_disputes(
    request: HttpRequest,
    tenant: str | None = None,
    state: DisputeState | None = None,
    cursor: str | None = None,
    limit: Limit = 50,
) -> dict[str, Any]:
    """Objections, newest first; a tenant's people see their own."""
    rows = movements.disputes(user=auth.user_of(request), tenant=tenant, state=state)
    items, following = cut(rows, by="raised_at", descending=True, cursor=cursor, limit=limit)
    return {"items": items, "next": following}


@router.get(
    "/disputes/{int:dispute_id}/evidence",
    response={200: LineEvidenceOut, codes_4xx: Problem},
)
@roles(*PAYERS)
def read_dispute_evidence(request: HttpRequest, dispute_id: int) -> LineEvidenceOut:
    """What the disputed line rests on, side by side."""
    row = movements.dispute(user=auth.user_of(request), dispute_id=dispute_id)
    return proofs.evidence(row.line)


@router.post("/disputes/{int:dispute_id}/answer", response={200: DisputeOut, codes_4xx: Problem})
@roles(Role.FINANCE)
@idempotent
def answer_dispute(
    request: HttpRequest,
    dispute_id: int,
    wish: DisputeAnswerIn,
    idempotency_key: IdempotencyHeader,
) -> Status[DisputeOut]:
    """Accept or reject an objection; what is accepted is put right by a red letter."""
    row = stating.settle_dispute(
        dispute=movements.dispute(user=auth.user_of(request), dispute_id=dispute_id),
        deed=DisputeDeed.ACCEPT if wish.accept else DisputeDeed.REJECT,
        answer=wish.answer,
        actor=auth.actor_of(request),
        now=clock.now(),
    )
    return Status(200, DisputeOut.from_orm(row))


@router.post(
    "/disputes/{int:dispute_id}/withdraw",
    response={200: DisputeOut, codes_4xx: Problem},
)
@roles(Role.TENANT_ADMIN)
@idempotent
def withdraw_dispute(
    request: HttpRequest, dispute_id: int, idempotency_key: IdempotencyHeader
) -> Status[DisputeOut]:
    """The tenant takes an objection back."""
    row = stating.settle_dispute(
        dispute=movements.dispute(user=auth.user_of(request), dispute_id=dispute_id),
        deed=DisputeDeed.WITHDRAW,
        answer="",
        actor=auth.actor_of(request),
        now=clock.now(),
    )
    return Status(200, DisputeOut.from_orm(row))
