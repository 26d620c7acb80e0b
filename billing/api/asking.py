"""What several endpoints of billing ask in the same way."""

from typing import Annotated

from pydantic import Field

from base_ops.core.models import Role

PAYERS = (Role.FINANCE, Role.TENANT_ADMIN, Role.TENANT_MEMBER)
Limit = Annotated[int, Field(ge=1, le=500)]
Month = Annotated[str, Field(pattern=r"^20[0-9][0-9]-(0[1-9]|1[0-2])$")]
