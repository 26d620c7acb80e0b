"""Issued documents over HTTP."""

from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Router

from base_ops.core import auth
from base_ops.core.auth import roles
from base_ops.core.pages import Page, cut
from base_ops.core.problems import Problem, codes_4xx
from billing import documents, presenting
from billing.api.asking import PAYERS, Limit, Month
from billing.schemas import (
    InvoiceDetailOut,
    InvoiceOut,
)
from billing.selectors import documents as papers

router = Router()
_BINARY = {"schema": {"type": "string", "format": "binary"}}


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
