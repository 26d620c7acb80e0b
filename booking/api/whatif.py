"""What a draft of a policy would have changed in a quarter's real bookings."""

from datetime import date, timedelta

from django.http import HttpRequest
from ninja import Router

from base_ops.core.auth import roles
from base_ops.core.errors import NotFound
from base_ops.core.models import Role, Tenant
from base_ops.core.months import add_months
from base_ops.core.problems import Problem, codes_4xx
from billing import describing
from billing.schemas import policies as schemas
from billing.services import whatif as billing
from booking.services import replaying

router = Router(tags=["billing"])


@router.post("/policies/what-if", response={200: schemas.WhatIfOut, codes_4xx: Problem})
@roles(Role.FINANCE)
def try_policy(request: HttpRequest, wish: schemas.WhatIfIn) -> schemas.WhatIfOut:
    """Price a quarter's bookings again, with the policies in force and with the draft.

    Nothing is written: the database itself is told so.
    """
    first, last = _days(wish.quarter)
    tenant = None
    if (
        wish.tenant is not None
        and (tenant := Tenant.objects.filter(code=wish.tenant).first()) is None
    ):
        raise NotFound(f"no tenant {wish.tenant}")
    found = billing.replay(
        replaying.claims_between(first, last, tenant),
        document=wish.document,
        since=first,
        until=last,
    )
    return describing.what_if(found, first, last)


def _days(quarter: str) -> tuple[date, date]:
    first = date(int(quarter[:4]), int(quarter[-1]) * 3 - 2, 1)
    return first, add_months(first, 3) - timedelta(days=1)
