"""The price list over HTTP."""

from datetime import date
from typing import Any

from django.http import HttpRequest
from ninja import Router

from base_ops.core import clock
from base_ops.core.problems import Problem, codes_4xx
from billing import presenting, selectors
from billing.domain.catalog import PriceBook
from billing.domain.texts import local_day
from billing.schemas import (
    ServiceOut,
    TariffsOut,
)

router = Router()


@router.get("/tariffs", response={200: TariffsOut, codes_4xx: Problem})
def list_tariffs(request: HttpRequest, on: date | None = None) -> dict[str, Any]:
    """The price list of a day, today's if none is named: bands, surge days, tariffs."""
    return presenting.tariffs(_book(on))


@router.get("/services", response={200: list[ServiceOut], codes_4xx: Problem})
def list_services(request: HttpRequest, on: date | None = None) -> Any:
    """What can be ordered beside a room on a day, today if none is named."""
    return list(_book(on).services.values())


def _book(on: date | None) -> PriceBook:
    return selectors.price_book().on(on or local_day(clock.now()))
