"""Charges over HTTP."""

from typing import Any

from django.http import HttpRequest
from ninja import Router

from base_ops.core import auth
from base_ops.core.auth import roles
from base_ops.core.pages import Page, cut
from base_ops.core.problems import Problem, codes_4xx
from billing.api.asking import PAYERS, Limit, Month
from billing.schemas import (
    ChargeOut,
)
from billing.selectors import documents as papers

router = Router()


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
