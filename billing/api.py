"""Prices, charges, invoice runs and invoices over HTTP."""

from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Router, Status
from pydantic import Field

from base_ops.core import auth, clock
from base_ops.core.auth import roles
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.models import Role
from base_ops.core.pages import Page, cut
from base_ops.core.problems import Problem, codes_4xx
from billing import documents, presenting, selectors, services
from billing.models import InvoiceRun, PolicyRow, ServiceRow
from billing.schemas import (
    ApproveIn,
    ChargeOut,
    InvoiceDetailOut,
    InvoiceOut,
    PolicyOut,
    RunDetailOut,
    RunIn,
    RunOut,
    ServiceOut,
    TariffsOut,
)
from billing.selectors import documents as papers

router = Router(tags=["billing"])

PAYERS = (Role.FINANCE, Role.TENANT_ADMIN, Role.TENANT_MEMBER)
Limit = Annotated[int, Field(ge=1, le=500)]
_BINARY = {"schema": {"type": "string", "format": "binary"}}
Month = Annotated[str, Field(pattern=r"^20[0-9][0-9]-(0[1-9]|1[0-2])$")]


@router.get("/tariffs", response={200: TariffsOut, codes_4xx: Problem})
def list_tariffs(request: HttpRequest) -> dict[str, Any]:
    """The price list in force: bands, surge days, tariffs."""
    return presenting.tariffs(selectors.price_book().version)


@router.get("/services", response={200: list[ServiceOut], codes_4xx: Problem})
def list_services(request: HttpRequest) -> Any:
    """What can be ordered beside a room."""
    return ServiceRow.objects.all()


@router.get("/policies", response={200: list[PolicyOut], codes_4xx: Problem})
def list_policies(request: HttpRequest) -> list[PolicyOut]:
    """Discount policies; budgets only for who answers for them."""
    answers = auth.user_of(request).role in (Role.FINANCE, Role.LIAISON, Role.ADMIN)
    return presenting.policies(PolicyRow.objects.all(), budgets=answers)


@router.get("/charges", response={200: Page[ChargeOut], codes_4xx: Problem})
@roles(*PAYERS)
def list_charges(
    request: HttpRequest,
    tenant: str | None = None,
    month: Month | None = None,
    booking: str | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
) -> dict[str, Any]:
    """Charges, newest first; a tenant's people see their own."""
    rows = papers.charges(user=auth.user_of(request), tenant=tenant, month=month, booking=booking)
    items, following = cut(rows, by="service_on", descending=True, cursor=cursor, limit=limit)
    return {"items": items, "next": following}


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


@router.get("/invoices", response={200: Page[InvoiceOut], codes_4xx: Problem})
@roles(*PAYERS)
def list_invoices(
    request: HttpRequest,
    tenant: str | None = None,
    month: Month | None = None,
    status: Literal["issued"] | None = None,
    cursor: str | None = None,
    limit: Limit = 50,
) -> dict[str, Any]:
    """Issued documents, newest first; a tenant's people see their own."""
    rows = papers.invoices(user=auth.user_of(request), tenant=tenant, month=month, status=status)
    items, following = cut(rows, by="issued_at", descending=True, cursor=cursor, limit=limit)
    return {"items": items, "next": following}


@router.get("/invoices/{number}", response={200: InvoiceDetailOut, codes_4xx: Problem})
@roles(*PAYERS)
def read_invoice(request: HttpRequest, number: str) -> InvoiceDetailOut:
    """One document with its lines."""
    return presenting.invoice_detail(papers.invoice(user=auth.user_of(request), number=number))


@router.get(
    "/invoices/{number}/pdf",
    response={200: bytes, 304: None, codes_4xx: Problem},
    openapi_extra={"responses": {200: {"content": {"application/pdf": _BINARY}}}},
)
@roles(*PAYERS)
def read_invoice_pdf(
    request: HttpRequest, number: str, lang: Literal["zh", "en"] = "zh"
) -> HttpResponse:
    """One document as PDF; the same bytes each time."""
    invoice = papers.invoice(user=auth.user_of(request), number=number)
    tag = documents.etag(invoice, lang)
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if tag in [t.strip() for t in request.headers.get("If-None-Match", "").split(",")]:
        return HttpResponse(status=304, headers=headers)
    headers["Content-Disposition"] = f'inline; filename="{invoice.number}-{lang}.pdf"'
    return HttpResponse(
        documents.render(invoice, lang), content_type="application/pdf", headers=headers
    )
