"""What several endpoints of billing ask in the same way."""

from typing import Annotated

from pydantic import Field

from base_ops.core.errors import FieldFault, Invalid
from base_ops.core.models import Role, Tenant

PAYERS = (Role.FINANCE, Role.TENANT_ADMIN, Role.TENANT_MEMBER)
Limit = Annotated[int, Field(ge=1, le=500)]
Month = Annotated[str, Field(pattern=r"^20[0-9][0-9]-(0[1-9]|1[0-2])$")]


class UnknownTenant(Invalid):
    """The request names no tenant, or one that does not exist."""

    code, title_zh, title_en = "unknown_tenant", "没有该租户", "No such tenant"


def tenant_of(code: str | None) -> Tenant:
    """The tenant of a code in a request.

    Raises:
        UnknownTenant: none is named, or there is no such tenant.
    """
    found = Tenant.objects.filter(code=code or "").first()
    if found is None:
        fault = FieldFault("tenant", "没有该租户", "no such tenant")
        raise UnknownTenant(code or "", fields=[fault])
    return found
