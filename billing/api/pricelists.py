"""Price lists over HTTP: drafted, checked, put in force from a day on; edits send If-Match."""

from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router, Status

from base_ops.core import auth, clock, etags
from base_ops.core.auth import roles
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.models import Role
from base_ops.core.pages import Page, cut
from base_ops.core.problems import Problem, codes_4xx
from billing.api.asking import Limit
from billing.domain.texts import local_day
from billing.models import PriceList
from billing.schemas.pricelists import (
    ActivateIn,
    PriceListCheckIn,
    PriceListCheckOut,
    PriceListDetailOut,
    PriceListIn,
    PriceListOut,
    PricesOut,
    detail_out,
    faults_out,
)
from billing.selectors import pricelists as selectors
from billing.services import pricelists as services

router = Router()


@router.get("/price-books", response={200: Page[PriceListOut], codes_4xx: Problem})
@roles(Role.FINANCE)
def list_price_lists(
    request: HttpRequest, cursor: str | None = None, limit: Limit = 50
) -> dict[str, Any]:
    """Drafts, lists in force and withdrawn ones, the newest first."""
    rows = PriceList.objects.all()
    items, following = cut(rows, by="number", descending=True, cursor=cursor, limit=limit)
    return {"items": items, "next": following}


@router.get("/price-books/in-force", response={200: PricesOut, codes_4xx: Problem})
@roles(Role.FINANCE)
def read_prices_in_force(request: HttpRequest, on: date | None = None) -> PricesOut:
    """The whole price list of a day, today's if none is named: what a draft begins with."""
    day = on or local_day(clock.now())
    fingerprint, number, document = selectors.in_force(day)
    return PricesOut(on=day, fingerprint=fingerprint, number=number, document=dict(document))


@router.post("/price-books/check", response={200: PriceListCheckOut, codes_4xx: Problem})
@roles(Role.FINANCE)
def check_price_list(request: HttpRequest, wish: PriceListCheckIn) -> PriceListCheckOut:
    """Everything wrong with a document, by field; nothing is written."""
    return faults_out(services.check(document=wish.document, valid_from=wish.valid_from))


@router.post("/price-books", response={201: PriceListDetailOut, codes_4xx: Problem})
@roles(Role.FINANCE)
@idempotent
def draft_price_list(
    request: HttpRequest, wish: PriceListIn, idempotency_key: IdempotencyHeader
) -> Status[PriceListDetailOut]:
    """Keep a draft; it may have faults until it is put in force."""
    row = services.draft(
        name=wish.name, document=wish.document, actor=auth.actor_of(request), now=clock.now()
    )
    return Status(201, detail_out(row))


@router.get("/price-books/{int:number}", response={200: PriceListDetailOut, codes_4xx: Problem})
@roles(Role.FINANCE)
def read_price_list(
    request: HttpRequest, response: HttpResponse, number: int
) -> PriceListDetailOut:
    """One price list, and its ETag."""
    return _out(response, selectors.price_list(number))


@router.put("/price-books/{int:number}", response={200: PriceListDetailOut, codes_4xx: Problem})
@roles(Role.FINANCE)
def edit_price_list(
    request: HttpRequest, response: HttpResponse, number: int, wish: PriceListIn
) -> PriceListDetailOut:
    """Replace a draft; needs If-Match."""
    row = services.edit(
        number=number,
        name=wish.name,
        document=wish.document,
        check=lambda version: etags.require_match(request, version),
        actor=auth.actor_of(request),
        now=clock.now(),
    )
    return _out(response, row)


@router.post(
    "/price-books/{int:number}/activate", response={200: PriceListDetailOut, codes_4xx: Problem}
)
@roles(Role.FINANCE)
@idempotent
def activate_price_list(
    request: HttpRequest, number: int, wish: ActivateIn, idempotency_key: IdempotencyHeader
) -> Status[PriceListDetailOut]:
    """Put a draft in force from a day on; refused with every fault; needs If-Match."""
    row = services.activate(
        number=number,
        valid_from=wish.valid_from,
        check=lambda version: etags.require_match(request, version),
        actor=auth.actor_of(request),
        now=clock.now(),
    )
    return Status(200, detail_out(row))


@router.post(
    "/price-books/{int:number}/withdraw", response={200: PriceListDetailOut, codes_4xx: Problem}
)
@roles(Role.FINANCE)
@idempotent
def withdraw_price_list(
    request: HttpRequest, number: int, idempotency_key: IdempotencyHeader
) -> Status[PriceListDetailOut]:
    """Take a list back before its day comes; needs If-Match."""
    row = services.withdraw(
        number=number,
        check=lambda version: etags.require_match(request, version),
        actor=auth.actor_of(request),
        now=clock.now(),
    )
    return Status(200, detail_out(row))


def _out(response: HttpResponse, row: PriceList) -> PriceListDetailOut:
    response["ETag"] = etags.etag_of(row.version)
    return detail_out(row)
