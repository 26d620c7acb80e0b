"""The inventory as a file: out for a spreadsheet, in after a dry run."""

import hashlib
import io
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Path, Query, Router, Status

from base_ops.core import auth, clock
from base_ops.core.auth import roles
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.models import Role
from base_ops.core.problems import Problem, codes_4xx
from base_ops.core.tables import csv_file, writing, xlsx_file
from base_ops.core.tables.columns import Columns
from base_ops.core.tables.files import Table
from devices import exporting, shown_registry
from devices.domain import inventory
from devices.domain.inventory import Row
from devices.schemas import registry as schemas
from devices.selectors import registry as reads
from devices.services import stocktaking

router = Router(tags=["devices"])
STAFF = (Role.MANAGER, Role.TECHNICIAN)
MOST = 20_000
CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_OUT: dict[str, Any] = {"responses": {200: {"content": {CSV: _BINARY, XLSX: _BINARY}}}}
_IN: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file itself, at most 2 MiB and 500 rows; the kind is that of `format`",
        "content": {CSV: _BINARY, XLSX: _BINARY},
    }
}
_TABLES: dict[str, Callable[[bytes, Columns], Table]] = {
    "csv": csv_file.read,
    "xlsx": xlsx_file.read,
}
Kind = Annotated[Literal["csv", "xlsx"], Query(alias="format")]
Text = Annotated[str, Query(max_length=64)]


@router.get("/device-export.{kind}", response={200: bytes, codes_4xx: Problem}, openapi_extra=_OUT)
@roles(*STAFF)
def export_inventory(
    request: HttpRequest,
    kind: Annotated[Literal["csv", "xlsx"], Path()],
    status: Text = "",
    model: Text = "",
    space: Text = "",
    outdated: bool | None = None,
    orphaned: bool | None = None,
    lang: Literal["zh", "en"] | None = None,
) -> Any:
    """The inventory for a spreadsheet, at most 20,000 devices; an import reads it again."""
    wanted = reads.Filter(
        status=status, model=model, space=space, outdated=outdated, orphaned=orphaned
    )
    rows = exporting.rows(
        reads.inventory(wanted).order_by("code")[:MOST],
        language=lang or ("en" if auth.user_of(request).language == "en" else "zh"),
        now=clock.now(),
    )
    answer = _csv(rows) if kind == "csv" else _xlsx(rows)
    answer["Content-Disposition"] = f'attachment; filename="devices.{kind}"'
    return answer


def _csv(rows: Any) -> StreamingHttpResponse:
    return StreamingHttpResponse(writing.csv_chunks(rows), content_type=f"{CSV}; charset=utf-8")


def _xlsx(rows: Any) -> HttpResponse:
    file = io.BytesIO()
    writing.write_xlsx(file, rows, title="设备 Devices")
    return HttpResponse(file.getvalue(), content_type=XLSX)


@router.post(
    "/device-imports/dry-run",
    response={200: schemas.InventoryImportOut, codes_4xx: Problem},
    openapi_extra=_IN,
)
@roles(*STAFF)
def try_import(request: HttpRequest, kind: Kind) -> schemas.InventoryImportOut:
    """What an import would do with each row; nothing is changed."""
    rows, ignored = _read(kind, request.body)
    outcomes = stocktaking.try_inventory(rows=rows, actor=auth.actor_of(request), now=clock.now())
    return shown_registry.imported(outcomes, dry_run=True, ignored=ignored)


@router.post(
    "/device-imports",
    response={
        201: schemas.InventoryImportOut,
        409: schemas.InventoryRefusedProblem,
        codes_4xx - {409}: Problem,
    },
    openapi_extra=_IN,
)
@roles(*STAFF)
@idempotent
def import_inventory(
    request: HttpRequest, kind: Kind, idempotency_key: IdempotencyHeader
) -> Status[schemas.InventoryImportOut]:
    """Take all rows of a file in, or none."""
    rows, ignored = _read(kind, request.body)
    try:
        outcomes = stocktaking.import_inventory(
            rows=rows,
            file=f"{kind} {hashlib.sha256(request.body).hexdigest()[:32]}",
            actor=auth.actor_of(request),
            now=clock.now(),
        )
    except stocktaking.InventoryRefused as exc:
        shown = [shown_registry.imported_row(o) for o in exc.outcomes]
        exc.context = {"rows": [row.model_dump(mode="json") for row in shown]}
        raise
    return Status(201, shown_registry.imported(outcomes, dry_run=False, ignored=ignored))


def _read(kind: str, data: bytes) -> tuple[Sequence[Row], Sequence[str]]:
    """The rows of the file, and the columns that are not read."""
    table = _TABLES[kind](data, inventory.COLUMNS)
    return [inventory.read(line) for line in table.lines], table.ignored
