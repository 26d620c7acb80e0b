"""The seller, and what a document's code proves, over HTTP."""

from typing import Annotated

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from ninja import Header, Path, Router

from base_ops.core import auth, clock, etags
from base_ops.core.auth import roles
from base_ops.core.models import Role
from base_ops.core.problems import Problem, codes_4xx
from billing import verifying
from billing.models import Seller
from billing.schemas.seller import SellerIn, SellerOut, VerifiedOut
from billing.selectors.seller import seller
from billing.services import selling

router = Router()


@router.get("/billing/seller", response={200: SellerOut, codes_4xx: Problem})
@roles(Role.FINANCE)
def read_seller(request: HttpRequest, response: HttpResponse) -> Seller:
    """Who sends the invoices."""
    row = seller()
    response["ETag"] = etags.etag_of(row.version)
    return row


@router.put("/billing/seller", response={200: SellerOut, codes_4xx: Problem})
@roles(Role.FINANCE)
def write_seller(
    request: HttpRequest,
    response: HttpResponse,
    wish: SellerIn,
    if_match: Annotated[str | None, Header(alias="If-Match")] = None,
) -> Seller:
    """Who sends the invoices from now on; issued ones stay as they are."""
    with transaction.atomic():
        row = selling.locked_seller()
        etags.require_match(request, row.version)
        row = selling.change_seller(
            row=row, wish=wish.dict(), actor=auth.actor_of(request), now=clock.now()
        )
    response["ETag"] = etags.etag_of(row.version)
    return row


@router.get("/verify/{token}", response={200: VerifiedOut, codes_4xx: Problem}, auth=None)
def verify_document(
    request: HttpRequest, token: Annotated[str, Path(max_length=80)]
) -> VerifiedOut:
    """What the code on a document proves: no sign-in, 30 times a minute from one address."""
    return verifying.verified(request, token)
