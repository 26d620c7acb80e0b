"""Bookings as a file: GET /bookings.csv and /bookings.xlsx."""

import io
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from ninja import Path, Query, Router

from base_ops.core import auth, clock
from base_ops.core.instants import Instant
from base_ops.core.models import Role
from base_ops.core.problems import Problem, codes_4xx
from base_ops.core.tables import writing
from booking import exporting, selectors
from booking.api import common

router = Router(tags=["booking"])

LONGEST = timedelta(days=400)
CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FILE: dict[str, Any] = {"responses": {200: {"content": {CSV: _BINARY, XLSX: _BINARY}}}}


@router.get("/bookings.{kind}", response={200: bytes, codes_4xx: Problem}, openapi_extra=_FILE)
def export_bookings(
    request: HttpRequest,
    kind: Annotated[Literal["csv", "xlsx"], Path()],
    start: Annotated[Instant, Query(alias="from")],
    to: Annotated[Instant, Query()],
    status: Annotated[str | None, Query(max_length=120)] = None,
    space: Annotated[str | None, Query(max_length=32)] = None,
    tenant: Annotated[str | None, Query(max_length=16)] = None,
    lang: Literal["zh", "en"] | None = None,
) -> Any:
    """Bookings that end after `from` and start before `to`, for a spreadsheet; at most 50,000.

    Times are those of Guangzhou; money, for whom it concerns, is in yuan and in fen.
    """
    user, now = auth.user_of(request), clock.now()
    span = common.span_of(start, to, most=LONGEST)
    found = selectors.filtered(
        selectors.bookings_for(common.scope(request)),
        statuses=status.split(",") if status else (),
        space=space,
        tenant=tenant,
        start=span.start,
        end=span.end,
        now=now,
    )
    rows = exporting.rows(
        found,
        priced=user.role not in (Role.MANAGER, Role.TECHNICIAN),
        language=lang or ("en" if user.language == "en" else "zh"),
    )
    answer = _csv(rows) if kind == "csv" else _xlsx(rows)
    answer["Content-Disposition"] = f'attachment; filename="bookings.{kind}"'
    return answer


Rows = Iterable[Sequence[writing.Value]]


def _csv(rows: Rows) -> HttpResponseBase:
    return StreamingHttpResponse(writing.csv_chunks(rows), content_type=f"{CSV}; charset=utf-8")


def _xlsx(rows: Rows) -> HttpResponseBase:
    """The rows pass through a file on the disk; only the packed result, some MB, is in memory."""
    file = io.BytesIO()
    writing.write_xlsx(file, rows, title="预订 Bookings")
    return HttpResponse(file.getvalue(), content_type=XLSX)
