"""E-invoice data, its numbers, and documents as files, over HTTP."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.http import StreamingHttpResponse as Stream
from ninja import Path, Query, Router, Status

from base_ops.core import auth, clock
from base_ops.core.auth import roles
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.models import Role
from base_ops.core.problems import Problem, codes_4xx
from base_ops.core.tables import csv_file, writing, xlsx_file
from base_ops.core.tables.columns import Columns
from base_ops.core.tables.files import Table
from billing import exporting
from billing.api.asking import PAYERS, Month
from billing.domain import einvoice
from billing.models import EInvoice
from billing.schemas.einvoices import EInvoiceImportOut, EInvoiceOut, RowsRefusedProblem
from billing.selectors import documents as papers
from billing.services import numbering

router = Router()
CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
XML = "application/xml"
ZIP = "application/zip"
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_TABLE: dict[str, Any] = {"responses": {200: {"content": {CSV: _BINARY, XLSX: _BINARY}}}}
_DATA: dict[str, Any] = {"responses": {200: {"content": {XML: _BINARY, XLSX: _BINARY}}}}
_ZIP: dict[str, Any] = {"responses": {200: {"content": {ZIP: _BINARY}}}}
_READ: dict[str, Callable[[bytes, Columns], Table]] = {
    "csv": csv_file.read,
    "xlsx": xlsx_file.read,
}
Kind = Annotated[Literal["csv", "xlsx"], Query(alias="format")]
Merge = Literal["lines", "rate"]
_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file itself, at most 2 MiB and 500 rows; the kind is that of `format`",
        "content": {CSV: _BINARY, XLSX: _BINARY},
    }
}


@router.get("/invoices/{number}/einvoice", response={200: list[EInvoiceOut], codes_4xx: Problem})
@roles(*PAYERS)
def read_einvoice(
    request: HttpRequest, number: str, merge: Merge = "lines"
) -> Sequence[dict[str, Any]]:
    """The data of the e-invoices that a document becomes, and the numbers it has."""
    invoice = papers.invoice(user=auth.user_of(request), number=number)
    known = dict(EInvoice.objects.filter(invoice=invoice).values_list("part", "number"))
    found = numbering.data_of(invoice, merge)
    return [part | {"number": known.get(n)} for n, part in enumerate(found, start=1)]


@router.get(
    "/invoices/{number}/einvoice.{kind}",
    response={200: bytes, codes_4xx: Problem},
    openapi_extra=_DATA,
)
@roles(Role.FINANCE)
def read_einvoice_file(
    request: HttpRequest,
    number: str,
    kind: Annotated[Literal["xml", "xlsx"], Path()],
    merge: Merge = "lines",
) -> HttpResponse:
    """The same as a file for the tax platform."""
    invoice = papers.invoice(user=auth.user_of(request), number=number)
    found = numbering.data_of(invoice, merge)
    if kind == "xml":
        answer = HttpResponse(einvoice.as_xml(found), content_type=XML)
    else:
        content = exporting.xlsx(exporting.einvoice_rows(found), "数电票 E-invoice")
        answer = HttpResponse(content, content_type=XLSX)
    answer["Content-Disposition"] = f'attachment; filename="{invoice.number}-einvoice.{kind}"'
    return answer


@router.post(
    "/einvoice-imports/dry-run",
    response={200: EInvoiceImportOut, codes_4xx: Problem},
    openapi_extra=_FILE,
)
@roles(Role.FINANCE)
def try_einvoice_import(request: HttpRequest, kind: Kind) -> dict[str, Any]:
    """What an import of issued numbers would do with each row; nothing is written."""
    table = _READ[kind](request.body, numbering.COLUMNS)
    found = numbering.judge(table.lines, actor=auth.actor_of(request), now=clock.now())
    return {"dry_run": True, "ignored": list(table.ignored), "rows": numbering.shown(found)}


@router.post(
    "/einvoice-imports",
    response={201: EInvoiceImportOut, 409: RowsRefusedProblem, codes_4xx - {409}: Problem},
    openapi_extra=_FILE,
)
@roles(Role.FINANCE)
@idempotent
def import_einvoices(
    request: HttpRequest, kind: Kind, idempotency_key: IdempotencyHeader
) -> Status[EInvoiceImportOut]:
    """Take the issued numbers of all rows, or of none."""
    table = _READ[kind](request.body, numbering.COLUMNS)
    found = numbering.take(table.lines, actor=auth.actor_of(request), now=clock.now())
    rows = numbering.shown(found)
    return Status(201, EInvoiceImportOut(dry_run=False, ignored=list(table.ignored), rows=rows))  # type: ignore[arg-type]


@router.get(
    "/exports/documents.zip", response={200: bytes, codes_4xx: Problem}, openapi_extra=_ZIP
)
@roles(*PAYERS)
def export_archive(request: HttpRequest, month: Month, tenant: str | None = None) -> FileResponse:
    """A month's documents with an index, at most 300; the same bytes each time."""
    rows = papers.invoices(user=auth.user_of(request), tenant=tenant, month=month)
    return FileResponse(
        exporting.archive(rows),
        content_type=ZIP,
        as_attachment=True,
        filename=f"documents-{month}.zip",
    )


@router.get(
    "/exports/{what}.{kind}", response={200: bytes, codes_4xx: Problem}, openapi_extra=_TABLE
)
@roles(*PAYERS)
def export_table(
    request: HttpRequest,
    what: Annotated[Literal["invoices", "lines", "charges"], Path()],
    kind: Annotated[Literal["csv", "xlsx"], Path()],
    month: Month,
    tenant: str | None = None,
) -> HttpResponseBase:
    """A month for a spreadsheet, which never calculates what is in it; one's own, as always."""
    user = auth.user_of(request)
    if what == "charges":
        rows = exporting.charges(papers.charges(user=user, tenant=tenant, month=month))
    else:
        found = papers.invoices(user=user, tenant=tenant, month=month)
        rows = exporting.lines(found) if what == "lines" else exporting.invoices(found)
    answer: HttpResponseBase
    if kind == "csv":
        answer = Stream(writing.csv_chunks(rows), content_type=f"{CSV}; charset=utf-8")
    else:
        answer = HttpResponse(exporting.xlsx(rows, what), content_type=XLSX)
    answer["Content-Disposition"] = f'attachment; filename="{what}-{month}.{kind}"'
    return answer
