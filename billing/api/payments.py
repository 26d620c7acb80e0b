"""Payments, wallets and debts over HTTP; a tenant's people see their own."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Status

from base_ops.core import auth, clock
from base_ops.core.auth import roles
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.models import Role
from base_ops.core.pages import Page, cut
from base_ops.core.problems import Problem, codes_4xx
from billing.api.asking import PAYERS, Limit, tenant_of
from billing.domain.allocating import Part
from billing.models import Payment
from billing.schemas.payments import (
    AllocateIn,
    FillIn,
    PartIn,
    PaymentDetailOut,
    PaymentIn,
    PaymentOut,
    RefundIn,
    TakeBackIn,
    VoidIn,
)
from billing.selectors import receivables
from billing.services import paying, wallets

router = Router()


def detail(payment_id: int) -> PaymentDetailOut:
    """A payment as it is now, with what it was used for."""
    row = Payment.objects.select_related("tenant", "credit_note").get(pk=payment_id)
    return PaymentDetailOut.from_orm(row)


def parts_of(parts: list[PartIn]) -> list[Part]:
    """As the services take them."""
    return [Part(part.invoice, part.amount_fen) for part in parts]


@router.get("/payments", response={200: Page[PaymentOut], codes_4xx: Problem})
@roles(*PAYERS)
def list_payments(
    request: HttpRequest,
    tenant: str | None = None,
    unused: bool = False,
    cursor: str | None = None,
    limit: Limit = 50,
) -> dict[str, Any]:
    """Payments, newest first; `unused` are those with something left."""
    rows = receivables.payments(user=auth.user_of(request), tenant=tenant, unused=unused)
    items, following = cut(rows, by="received_on", descending=True, cursor=cursor, limit=limit)
    return {"items": items, "next": following}


@router.post("/payments", response={201: PaymentDetailOut, codes_4xx: Problem})
@roles(Role.FINANCE)
@idempotent
def record_payment(
    request: HttpRequest, wish: PaymentIn, idempotency_key: IdempotencyHeader
) -> Status[PaymentDetailOut]:
    """Record money that came in; a bank reference is taken once."""
    fields = wish.model_dump() | {"tenant": tenant_of(wish.tenant) if wish.tenant else None}
    row = paying.record(
        wish=paying.PaymentWish(**fields), actor=auth.actor_of(request), now=clock.now()
    )
    return Status(201, detail(row.pk))


@router.get("/payments/{int:payment_id}", response={200: PaymentDetailOut, codes_4xx: Problem})
@roles(*PAYERS)
def read_payment(request: HttpRequest, payment_id: int) -> PaymentDetailOut:
    """One payment with what it was used for."""
    receivables.payment(user=auth.user_of(request), payment_id=payment_id)
    return detail(payment_id)


@router.post(
    "/payments/{int:payment_id}/allocate", response={200: PaymentDetailOut, codes_4xx: Problem}
)
@roles(Role.FINANCE)
@idempotent
def allocate_payment(
    request: HttpRequest, payment_id: int, wish: AllocateIn, idempotency_key: IdempotencyHeader
) -> Status[PaymentDetailOut]:
    """Use a payment for documents; what is left stays, or goes to the tenant's wallet."""
    actor, now = auth.actor_of(request), clock.now()
    paying.allocate(
        payment_id=payment_id,
        parts=parts_of(wish.parts) if wish.parts is not None else None,
        tenant=tenant_of(wish.tenant) if wish.tenant else None,
        actor=actor,
        now=now,
    )
    if wish.rest == "wallet":
        wallets.fill(payment_id=payment_id, actor=actor, now=now)
    return Status(200, detail(payment_id))


@router.post(
    "/payments/{int:payment_id}/take-back", response={200: PaymentDetailOut, codes_4xx: Problem}
)
@roles(Role.FINANCE)
@idempotent
def take_back_allocation(
    request: HttpRequest, payment_id: int, wish: TakeBackIn, idempotency_key: IdempotencyHeader
) -> Status[PaymentDetailOut]:
    """Undo one allocation as a whole."""
    paying.take_back(
        allocation_id=wish.allocation,
        payment_id=payment_id,
        actor=auth.actor_of(request),
        now=clock.now(),
    )
    return Status(200, detail(payment_id))


@router.post(
    "/payments/{int:payment_id}/to-wallet", response={200: PaymentDetailOut, codes_4xx: Problem}
)
@roles(Role.FINANCE)
@idempotent
def fill_wallet(
    request: HttpRequest, payment_id: int, wish: FillIn, idempotency_key: IdempotencyHeader
) -> Status[PaymentDetailOut]:
    """Move what a payment has left, or some of it, into its tenant's wallet."""
    wallets.fill(
        payment_id=payment_id,
        amount_fen=wish.amount_fen,
        actor=auth.actor_of(request),
        now=clock.now(),
    )
    return Status(200, detail(payment_id))


@router.post(
    "/payments/{int:payment_id}/refund", response={200: PaymentDetailOut, codes_4xx: Problem}
)
@roles(Role.FINANCE)
@idempotent
def refund_payment(
    request: HttpRequest, payment_id: int, wish: RefundIn, idempotency_key: IdempotencyHeader
) -> Status[PaymentDetailOut]:
    """Give back what a payment has left, or some of it."""
    paying.refund(
        payment_id=payment_id, **wish.model_dump(), actor=auth.actor_of(request), now=clock.now()
    )
    return Status(200, detail(payment_id))


@router.post(
    "/payments/{int:payment_id}/void", response={200: PaymentDetailOut, codes_4xx: Problem}
)
@roles(Role.FINANCE)
@idempotent
def void_payment(
    request: HttpRequest, payment_id: int, wish: VoidIn, idempotency_key: IdempotencyHeader
) -> Status[PaymentDetailOut]:
    """Say that the money did not come; whatever it was used for is taken back before."""
    paying.void(
        payment_id=payment_id,
        reason=wish.reason,
        actor=auth.actor_of(request),
        now=clock.now(),
    )
    return Status(200, detail(payment_id))
