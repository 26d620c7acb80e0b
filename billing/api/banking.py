"""Bank files, suggestions and reminders over HTTP."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status

from base_ops.core import auth, clock, etags
from base_ops.core.auth import roles
from base_ops.core.errors import FieldFault, Invalid
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.models import Role
from base_ops.core.pages import Page, cut
from base_ops.core.problems import Problem, codes_4xx
from base_ops.core.tables import csv_file, xlsx_file
from base_ops.core.tables.columns import Columns
from base_ops.core.tables.files import Table
from billing.api.asking import PAYERS, Limit
from billing.domain.bank_rows import NAMES, REQUIRED
from billing.models import Reminder
from billing.schemas.banking import (
    BankImportOut,
    BankImportProblem,
    DunningIn,
    DunningOut,
    ReminderOut,
    SuggestionOut,
    row_out,
    suggestion_out,
)
from billing.selectors import matches, receivables
from billing.services import banking, reminding

router = Router()

_TABLES: dict[str, Callable[[bytes, Columns], Table]] = {
    "csv": csv_file.read,
    "xlsx": xlsx_file.read,
}
Kind = Annotated[Literal["csv", "xlsx"], Query(alias="format")]
Mapping = Annotated[str, Query(alias="columns", max_length=400)]
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The bank's file itself, at most 2 MiB and 500 rows",
        "content": {
            "text/csv": _BINARY,
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": _BINARY,
        },
    }
}


@router.post(
    "/bank-imports/dry-run",
    response={200: BankImportOut, codes_4xx: Problem},
    openapi_extra=_FILE,
)
@roles(Role.FINANCE)
def try_bank_import(request: HttpRequest, kind: Kind, columns: Mapping = "") -> BankImportOut:
    """What an import would do with each row; `columns` as "amount:到账金额;payer:付款方"."""
    table = _table(kind, columns, request.body)
    rows = banking.judge(lines=table.lines, now=clock.now())
    return _report(rows, dry_run=True, ignored=table.ignored)


@router.post(
    "/bank-imports",
    response={201: BankImportOut, 409: BankImportProblem, codes_4xx - {409}: Problem},
    openapi_extra=_FILE,
)
@roles(Role.FINANCE)
@idempotent
def import_bank_file(
    request: HttpRequest,
    kind: Kind,
    mode: Annotated[Literal["atomic", "skip"], Query()],
    idempotency_key: IdempotencyHeader,
    columns: Mapping = "",
    allocate: bool = False,
) -> Status[BankImportOut]:
    """Record every new row; with `allocate` those with one certain reading are used for it."""
    table = _table(kind, columns, request.body)
    try:
        rows = banking.take(
            lines=table.lines,
            skip=mode == "skip",
            allocate=allocate,
            file=f"{kind} {hashlib.sha256(request.body).hexdigest()[:32]}",
            actor=auth.actor_of(request),
            now=clock.now(),
        )
    except banking.BankImportRefused as exc:
        shown: Sequence[banking.BankRow] = exc.context["rows"]  # type: ignore[assignment]
        exc.context = {"rows": [row_out(row).model_dump(mode="json") for row in shown]}
        raise
    return Status(201, _report(rows, dry_run=False, ignored=table.ignored))


def _table(kind: str, columns: str, data: bytes) -> Table:
    """The rows of the file, by our names of columns and those that the request adds."""
    names = {field: list(of) for field, of in NAMES.items()}
    for pair in filter(None, columns.split(";")):
        field, _, name = pair.partition(":")
        if field not in names or not name.strip():
            known = ", ".join(names)
            fault = FieldFault("columns", f"列须为 {known}", f"columns are {known}")
            raise Invalid("not a mapping of columns", fields=[fault])
        names = {f: [n for n in of if n != name.strip()] for f, of in names.items()}
        names[field] = [name.strip()]
    return _TABLES[kind](data, Columns(names, REQUIRED))


def _report(
    rows: Sequence[banking.BankRow], *, dry_run: bool, ignored: Sequence[str]
) -> BankImportOut:
    counts = {state.value: sum(row.state is state for row in rows) for state in banking.RowState}
    return BankImportOut(
        dry_run=dry_run,
        ignored_columns=list(ignored),
        rows=[row_out(row) for row in rows],
        **counts,
    )


@router.get(
    "/payments/{int:payment_id}/suggestions",
    response={200: list[SuggestionOut], codes_4xx: Problem},
)
@roles(Role.FINANCE)
def list_suggestions(request: HttpRequest, payment_id: int) -> list[SuggestionOut]:
    """Whose payment it may be and for which documents, the best reading first, with reasons."""
    row = receivables.payment(user=auth.user_of(request), payment_id=payment_id)
    return [suggestion_out(found) for found in matches.suggestions(row)]


@router.get("/dunning", response={200: DunningOut, codes_4xx: Problem})
@roles(Role.FINANCE)
def read_dunning(request: HttpRequest, response: HttpResponse) -> dict[str, Any]:
    """The plan in force: steps and late fee."""
    version, document = reminding.current()
    response["ETag"] = etags.etag_of(version)
    return {"version": version, **document}


@router.put("/dunning", response={200: DunningOut, codes_4xx: Problem})
@roles(Role.FINANCE)
def publish_dunning(
    request: HttpRequest, response: HttpResponse, wish: DunningIn
) -> dict[str, Any]:
    """Put another plan in force; If-Match names the one it was made from."""
    version, _ = reminding.current()
    etags.require_match(request, version)
    row = reminding.publish(
        document=wish.model_dump(), seen=version, actor=auth.actor_of(request), now=clock.now()
    )
    response["ETag"] = etags.etag_of(row.version)
    return {"version": row.version, **row.document}


@router.get("/reminders", response={200: Page[ReminderOut], codes_4xx: Problem})
@roles(*PAYERS)
def list_reminders(
    request: HttpRequest,
    tenant: str | None = None,
    cursor: str | None = None,
    limit: Limit = 50,
) -> dict[str, Any]:
    """What was reminded of, newest first; a tenant's people see their own."""
    user = auth.user_of(request)
    rows = Reminder.objects.select_related("item__invoice", "item__tenant")
    if user.tenant_id is not None:
        rows = rows.filter(item__tenant_id=user.tenant_id)
    if tenant:
        rows = rows.filter(item__tenant__code=tenant)
    items, following = cut(rows, by="sent_at", descending=True, cursor=cursor, limit=limit)
    return {"items": [_reminder(row) for row in items], "next": following}


def _reminder(row: Reminder) -> ReminderOut:
    return ReminderOut(
        id=row.pk,
        invoice=str(row.item.invoice.number),
        tenant=row.item.tenant.code,
        step=row.step,
        days=row.days,
        open_fen=row.open_fen,
        sent_at=row.sent_at,
    )
