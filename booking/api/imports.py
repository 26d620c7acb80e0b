"""Bookings from a file, which is the body of the request: a dry run, then for good."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Status

from base_ops.core import auth, clock
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.models import Role
from base_ops.core.problems import Problem, codes_4xx
from base_ops.core.tables import csv_file, xlsx_file
from base_ops.core.tables.columns import Columns
from base_ops.core.tables.files import Table
from booking.api import common
from booking.domain.tables import ics_file, wanted
from booking.domain.tables.columns import COLUMNS
from booking.domain.tables.wanted import Row
from booking.schemas.imports import ImportOut, ImportRefusedProblem, import_out, row_out
from booking.services import importing
from booking.services.importing import ImportMode

router = Router(tags=["booking"])

_TABLES: dict[str, Callable[[bytes, Columns], Table]] = {
    "csv": csv_file.read,
    "xlsx": xlsx_file.read,
}
Kind = Annotated[Literal["csv", "xlsx", "ics"], Query(alias="format")]
TenantCode = Annotated[str | None, Query(max_length=16)]
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file itself, at most 2 MiB and 500 rows; the kind is that of `format`",
        "content": {
            "text/csv": _BINARY,
            "text/calendar": _BINARY,
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": _BINARY,
        },
    }
}


@router.post(
    "/booking-imports/dry-run", response={200: ImportOut, codes_4xx: Problem}, openapi_extra=_FILE
)
def try_import(request: HttpRequest, kind: Kind, tenant: TenantCode = None) -> ImportOut:
    """What an import would do with each row, and its price; nothing is booked."""
    common.may_book(request)
    user = auth.user_of(request)
    renter = common.tenant_of(user, tenant)
    rows, ignored = _read(kind, request.body)
    outcomes = importing.try_import(
        rows=rows, tenant=renter, actor=auth.actor_of(request), now=clock.now()
    )
    # Whoever books sees the price before, as with a quote.
    return import_out(outcomes, dry_run=True, tenant=renter.code, ignored=ignored, priced=True)


@router.post(
    "/booking-imports",
    response={201: ImportOut, 409: ImportRefusedProblem, codes_4xx - {409}: Problem},
    openapi_extra=_FILE,
)
@idempotent
def import_bookings(
    request: HttpRequest,
    kind: Kind,
    mode: Annotated[ImportMode, Query()],
    idempotency_key: IdempotencyHeader,
    tenant: TenantCode = None,
) -> Status[ImportOut]:
    """Book the rows of a file: all of them or none, or with `skip` those that can be booked."""
    common.may_book(request)
    user = auth.user_of(request)
    renter = common.tenant_of(user, tenant)
    rows, ignored = _read(kind, request.body)
    priced = user.role != Role.MANAGER  # who sees no money of a booking afterwards
    try:
        outcomes = importing.import_bookings(
            rows=rows,
            tenant=renter,
            actor=auth.actor_of(request),
            mode=mode,
            file=f"{kind} {hashlib.sha256(request.body).hexdigest()[:32]}",
            now=clock.now(),
        )
    except importing.ImportRefused as exc:
        shown = [row_out(o, kept=False, priced=priced) for o in exc.outcomes]
        exc.context = {"rows": [row.model_dump(mode="json") for row in shown]}
        raise
    report = import_out(
        outcomes, dry_run=False, tenant=renter.code, ignored=ignored, priced=priced
    )
    return Status(201, report)


def _read(kind: str, data: bytes) -> tuple[Sequence[Row], Sequence[str]]:
    """The rows of the file, and the columns that are not read."""
    if kind == "ics":
        return ics_file.read(data), ()
    table = _TABLES[kind](data, COLUMNS)
    return [wanted.read(line) for line in table.lines], table.ignored
