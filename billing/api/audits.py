"""Self-audits over HTTP."""

from typing import Any

from django.http import HttpRequest
from ninja import Router

from base_ops.core.auth import roles
from base_ops.core.models import Role
from base_ops.core.pages import Page, cut
from base_ops.core.problems import Problem, codes_4xx
from billing.api.asking import Limit
from billing.models import SelfAudit
from billing.schemas.audits import SelfAuditOut

router = Router()


@router.get("/self-audits", response={200: Page[SelfAuditOut], codes_4xx: Problem})
@roles(Role.FINANCE)
def list_audits(
    request: HttpRequest, cursor: str | None = None, limit: Limit = 30
) -> dict[str, Any]:
    """What each night's self-audit found, newest first."""
    rows, following = cut(
        SelfAudit.objects.all(), by="day", descending=True, cursor=cursor, limit=limit
    )
    return {"items": rows, "next": following}
