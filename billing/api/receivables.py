"""Debts, wallets and deposits over HTTP; a tenant's people see their own."""

from dataclasses import asdict
from datetime import date
from typing import Any

from django.http import HttpRequest
from ninja import Router, Status

from base_ops.core import auth, clock
from base_ops.core.auth import roles
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.models import Role
from base_ops.core.pages import Page, cut
from base_ops.core.problems import Problem, codes_4xx
from base_ops.core.schemas import TenantRef
from billing.api.asking import PAYERS, Limit, tenant_of
from billing.api.payments import detail, parts_of
from billing.domain.ageing import BUCKETS, Ageing, bucket
from billing.domain.texts import local_day
from billing.models import Deposit, OpenItem, WalletMove
from billing.schemas.payments import (
    AgeingOut,
    Day,
    DepositOut,
    DepositReturnIn,
    DepositTakenIn,
    PaymentDetailOut,
    ReceivableOut,
    SetOffIn,
    StandingOut,
    WalletMoveOut,
    WalletRefundIn,
    WalletUseIn,
)
from billing.selectors import receivables
from billing.services import securities, wallets

router = Router()


@router.get("/receivables", response={200: Page[ReceivableOut], codes_4xx: Problem})
@roles(*PAYERS)
def list_receivables(
    request: HttpRequest,
    tenant: str | None = None,
    all_documents: bool = False,
    cursor: str | None = None,
    limit: Limit = 50,
) -> dict[str, Any]:
    """Documents with something open, those due first first; or all of them."""
    rows = receivables.open_items(
        user=auth.user_of(request), tenant=tenant, only_open=not all_documents
    )
    items, following = cut(rows, by="due_on", descending=False, cursor=cursor, limit=limit)
    today = local_day(clock.now())
    return {"items": [_receivable(item, today) for item in items], "next": following}


def _receivable(item: OpenItem, today: date) -> ReceivableOut:
    return ReceivableOut(
        invoice=str(item.invoice.number),
        tenant=TenantRef.from_orm(item.tenant),
        issued_on=item.issued_on,
        due_on=item.due_on,
        gross_fen=item.gross_fen,
        settled_fen=item.settled_fen,
        open_fen=item.open_fen,
        bucket=bucket(item.due_on, on=today) if item.open_fen else "settled",
    )


@router.get("/ageing", response={200: AgeingOut, codes_4xx: Problem})
@roles(*PAYERS)
def read_ageing(
    request: HttpRequest, on: Day | None = None, tenant: str | None = None
) -> dict[str, Any]:
    """What is owed by its age on a day, per tenant and in total; wallets and deposits of now."""
    day = on or local_day(clock.now())
    found = receivables.standings(on=day, user=auth.user_of(request), tenant=tenant)
    total = Ageing()
    for one in found:
        for name in BUCKETS:
            setattr(total, name, getattr(total, name) + getattr(one.ageing, name))
    return {"on": day, "tenants": [_standing(one) for one in found], **_ages(total)}


def _ages(ageing: Ageing) -> dict[str, int]:
    sums = {"total_fen": ageing.total_fen, "overdue_fen": ageing.overdue_fen}
    return asdict(ageing) | sums


def _standing(one: receivables.Standing) -> StandingOut:
    return StandingOut(
        tenant=TenantRef.from_orm(one.tenant),
        wallet_fen=one.wallet_fen,
        deposits_fen=one.deposits_fen,
        unallocated_fen=one.unallocated_fen,
        **_ages(one.ageing),
    )


@router.get("/wallet-moves", response={200: Page[WalletMoveOut], codes_4xx: Problem})
@roles(*PAYERS)
def list_wallet_moves(
    request: HttpRequest,
    tenant: str | None = None,
    cursor: str | None = None,
    limit: Limit = 50,
) -> dict[str, Any]:
    """What went into wallets and out of them, newest first."""
    user = auth.user_of(request)
    rows = WalletMove.objects.select_related("tenant")
    if user.tenant_id is not None:
        rows = rows.filter(tenant_id=user.tenant_id)
    if tenant:
        rows = rows.filter(tenant__code=tenant)
    items, following = cut(rows, by="on", descending=True, cursor=cursor, limit=limit)
    return {"items": items, "next": following}


@router.post("/wallets/use", response={200: PaymentDetailOut, codes_4xx: Problem})
@roles(Role.FINANCE, Role.TENANT_ADMIN)
@idempotent
def use_wallet(
    request: HttpRequest, wish: WalletUseIn, idempotency_key: IdempotencyHeader
) -> Status[PaymentDetailOut]:
    """Pay documents out of a wallet; the payment that this made."""
    made = wallets.use(
        tenant=auth.tenant_of(request) or tenant_of(wish.tenant),
        parts=parts_of(wish.parts) if wish.parts is not None else None,
        actor=auth.actor_of(request),
        now=clock.now(),
    )
    return Status(200, detail(made.pk))


@router.post("/wallets/refund", response={200: StandingOut, codes_4xx: Problem})
@roles(Role.FINANCE)
@idempotent
def refund_wallet(
    request: HttpRequest, wish: WalletRefundIn, idempotency_key: IdempotencyHeader
) -> Status[StandingOut]:
    """Give back what a wallet holds, or some of it; how the tenant stands then."""
    tenant, now = tenant_of(wish.tenant), clock.now()
    wallets.refund(
        tenant=tenant,
        **wish.model_dump(exclude={"tenant"}),
        actor=auth.actor_of(request),
        now=now,
    )
    (one,) = receivables.standings(
        on=local_day(now), user=auth.user_of(request), tenant=tenant.code, known=[tenant.pk]
    )
    return Status(200, _standing(one))


@router.get("/deposits", response={200: list[DepositOut], codes_4xx: Problem})
@roles(*PAYERS)
def list_deposits(request: HttpRequest, tenant: str | None = None) -> Any:
    """Deposits with what became of them."""
    user = auth.user_of(request)
    rows = Deposit.objects.select_related("tenant").prefetch_related("moves")
    if user.tenant_id is not None:
        rows = rows.filter(tenant_id=user.tenant_id)
    if tenant:
        rows = rows.filter(tenant__code=tenant)
    return list(rows[:500])


def _deposit(row: Deposit) -> DepositOut:
    return DepositOut.from_orm(row)


@router.post("/deposits", response={201: DepositOut, codes_4xx: Problem})
@roles(Role.FINANCE)
@idempotent
def take_deposit(
    request: HttpRequest, wish: DepositTakenIn, idempotency_key: IdempotencyHeader
) -> Status[DepositOut]:
    """Take a deposit, or more of one."""
    row = securities.take(
        purpose=wish.purpose,
        tenant=tenant_of(wish.tenant),
        move=_move(wish),
        actor=auth.actor_of(request),
        now=clock.now(),
    )
    return Status(201, _deposit(row))


def _move(wish: DepositTakenIn | DepositReturnIn) -> securities.Move:
    return securities.Move(wish.amount_fen, wish.on, wish.method, wish.note)


@router.post("/deposits/{int:deposit_id}/return", response={200: DepositOut, codes_4xx: Problem})
@roles(Role.FINANCE)
@idempotent
def return_deposit(
    request: HttpRequest,
    deposit_id: int,
    wish: DepositReturnIn,
    idempotency_key: IdempotencyHeader,
) -> Status[DepositOut]:
    """Give back a deposit, or some of it."""
    row = securities.give_back(
        deposit_id=deposit_id, move=_move(wish), actor=auth.actor_of(request), now=clock.now()
    )
    return Status(200, _deposit(row))


@router.post("/deposits/{int:deposit_id}/set-off", response={200: DepositOut, codes_4xx: Problem})
@roles(Role.FINANCE)
@idempotent
def set_off_deposit(
    request: HttpRequest, deposit_id: int, wish: SetOffIn, idempotency_key: IdempotencyHeader
) -> Status[DepositOut]:
    """Use a deposit for documents that its tenant does not pay."""
    securities.set_off(
        deposit_id=deposit_id,
        parts=parts_of(wish.parts),
        note=wish.note,
        actor=auth.actor_of(request),
        now=clock.now(),
    )
    return Status(200, _deposit(Deposit.objects.get(pk=deposit_id)))
