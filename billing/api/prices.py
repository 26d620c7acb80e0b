"""The price list and the discount policies over HTTP."""

from typing import Any

from django.http import HttpRequest
from ninja import Router

from base_ops.core import auth
from base_ops.core.models import Role
from base_ops.core.problems import Problem, codes_4xx
from billing import presenting, selectors
from billing.models import PolicyRow, ServiceRow
from billing.schemas import (
    PolicyOut,
    ServiceOut,
    TariffsOut,
)

router = Router()


@router.get("/tariffs", response={200: TariffsOut, codes_4xx: Problem})
def list_tariffs(request: HttpRequest) -> dict[str, Any]:
    """The price list in force: bands, surge days, tariffs."""
    return presenting.tariffs(selectors.price_book().version)


@router.get("/services", response={200: list[ServiceOut], codes_4xx: Problem})
def list_services(request: HttpRequest) -> Any:
    """What can be ordered beside a room."""
    return ServiceRow.objects.all()


@router.get("/policies", response={200: list[PolicyOut], codes_4xx: Problem})
def list_policies(request: HttpRequest) -> list[PolicyOut]:
    """Discount policies; budgets only for who answers for them."""
    answers = auth.user_of(request).role in (Role.FINANCE, Role.LIAISON, Role.ADMIN)
    return presenting.policies(PolicyRow.objects.all(), budgets=answers)
