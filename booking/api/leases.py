"""The lease endpoints: parse, one call, answer."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status

from base_ops.core import auth, clock, errors, etags
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.models import Role
from base_ops.core.months import add_months
from base_ops.core.pages import Page, cut
from base_ops.core.problems import Problem, codes_4xx
from booking import selectors
from booking.api import common
from booking.models import Lease
from booking.schemas.leases import (
    Day,
    DepositBackIn,
    DepositIn,
    LeaseIn,
    LeaseOut,
    LeaseQuoteOut,
    LeaseWishIn,
    RenewIn,
    SpaceTakenProblem,
    TerminateIn,
    WithdrawIn,
    lease_out,
    quote_out,
)
from booking.services import deposits, lease_ending, lease_wishes, leasing
from booking.services.lease_wishes import LeaseWish

router = Router(tags=["leases"])

refusals = codes_4xx - {409}


@router.post("/leases/quote", response={200: LeaseQuoteOut, codes_4xx: Problem})
def quote_lease(request: HttpRequest, wish: LeaseWishIn) -> LeaseQuoteOut:
    """Each month as it will be charged, the deposit, and which units are free; writes nothing."""
    _may_let(request)
    return quote_out(lease_wishes.offer(wish=_wish(wish), now=clock.now()))


@router.post("/leases", response={201: LeaseOut, 409: SpaceTakenProblem, refusals: Problem})
@idempotent
def create_lease(
    request: HttpRequest, wish: LeaseIn, idempotency_key: IdempotencyHeader
) -> Status[LeaseOut]:
    """Draft a lease; with `sign` it is in force at once, or refused with what is in the way."""
    _may_let(request)
    actor, now = auth.actor_of(request), clock.now()
    lease = leasing.draft(wish=_wish(wish), actor=actor, now=now)
    if wish.sign:
        leasing.sign(lease=lease, actor=actor, now=now)
    return Status(201, _out(lease))


@router.get("/leases", response={200: Page[LeaseOut], codes_4xx: Problem})
def list_leases(
    request: HttpRequest,
    status: Annotated[str | None, Query(max_length=80)] = None,
    space: Annotated[str | None, Query(max_length=32)] = None,
    tenant: Annotated[str | None, Query(max_length=16)] = None,
    ends_before: Day | None = None,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Page[LeaseOut]:
    """Leases, those that end first coming first; a tenant sees its own."""
    rows = selectors.leases_filtered(
        selectors.leases_for(_scope(request)),
        statuses=status.split(",") if status else (),
        space=space,
        tenant=tenant,
        ends_before=ends_before,
    )
    found, following = cut(rows, by="ends_on", descending=False, cursor=cursor, limit=limit)
    return Page(items=[lease_out(row) for row in found], next=following)


@router.get("/leases/{code}", response={200: LeaseOut, codes_4xx: Problem})
def read_lease(request: HttpRequest, response: HttpResponse, code: str) -> LeaseOut:
    """One lease and its ETag."""
    lease = _lease(request, code)
    response["ETag"] = etags.etag_of(lease.version)
    return lease_out(lease)


@router.put("/leases/{code}", response={200: LeaseOut, codes_4xx: Problem})
def edit_lease(
    request: HttpRequest, response: HttpResponse, code: str, wish: LeaseWishIn
) -> LeaseOut:
    """Write a draft anew; needs If-Match."""
    _may_let(request)
    lease = leasing.amend(
        lease=_lease(request, code),
        wish=_wish(wish),
        actor=auth.actor_of(request),
        check=lambda row: etags.require_match(request, row.version),
        now=clock.now(),
    )
    response["ETag"] = etags.etag_of(lease.version)
    return _out(lease)


@router.post(
    "/leases/{code}/sign", response={200: LeaseOut, 409: SpaceTakenProblem, refusals: Problem}
)
@idempotent
def sign_lease(
    request: HttpRequest, code: str, idempotency_key: IdempotencyHeader
) -> Status[LeaseOut]:
    """Put a draft into force; it takes its units."""
    _may_let(request)
    return _done(request, code, leasing.sign)


@router.post(
    "/leases/{code}/renew", response={201: LeaseOut, 409: SpaceTakenProblem, refusals: Problem}
)
@idempotent
def renew_lease(
    request: HttpRequest, code: str, wish: RenewIn, idempotency_key: IdempotencyHeader
) -> Status[LeaseOut]:
    """Let the same to the same tenant for another term; answers with the lease that follows."""
    _may_let(request)
    renewal = leasing.Renewal(
        months=wish.months,
        ends_on=wish.last_day + timedelta(days=1) if wish.last_day else None,
        monthly_rent_fen=wish.monthly_rent_fen,
        free_months=wish.free_months,
        notice_months=wish.notice_months,
        deposit_fen=wish.deposit_fen,
    )
    lease = leasing.renew(
        lease=_lease(request, code),
        renewal=renewal,
        actor=auth.actor_of(request),
        now=clock.now(),
    )
    return Status(201, _out(lease))


@router.post("/leases/{code}/terminate", response={200: LeaseOut, codes_4xx: Problem})
@idempotent
def terminate_lease(
    request: HttpRequest, code: str, wish: TerminateIn, idempotency_key: IdempotencyHeader
) -> Status[LeaseOut]:
    """End a lease early: what follows the last day is free, and charged rent comes back."""
    _may_let(request)
    told = {"last_day": wish.last_day, "reason": wish.reason, "by_agreement": wish.by_agreement}
    return _done(request, code, lease_ending.terminate, **told)


@router.post("/leases/{code}/withdraw", response={200: LeaseOut, codes_4xx: Problem})
@idempotent
def withdraw_lease(
    request: HttpRequest, code: str, wish: WithdrawIn, idempotency_key: IdempotencyHeader
) -> Status[LeaseOut]:
    """Take back a draft, or a lease that has not begun."""
    _may_let(request)
    return _done(request, code, lease_ending.withdraw, reason=wish.reason)


@router.post("/leases/{code}/deposit/received", response={200: LeaseOut, codes_4xx: Problem})
@idempotent
def receive_deposit(
    request: HttpRequest, code: str, wish: DepositIn, idempotency_key: IdempotencyHeader
) -> Status[LeaseOut]:
    """Note that some or all of the deposit came in."""
    auth.check_role(auth.user_of(request), Role.FINANCE)
    return _done(request, code, deposits.receive, amount_fen=wish.amount_fen, on=wish.on)


@router.post("/leases/{code}/deposit/returned", response={200: LeaseOut, codes_4xx: Problem})
@idempotent
def return_deposit(
    request: HttpRequest, code: str, wish: DepositBackIn, idempotency_key: IdempotencyHeader
) -> Status[LeaseOut]:
    """Note that some or all of the deposit was given back, after the lease."""
    auth.check_role(auth.user_of(request), Role.FINANCE)
    told = {"amount_fen": wish.amount_fen, "on": wish.on, "note": wish.note}
    return _done(request, code, deposits.give_back, **told)


def _done(
    request: HttpRequest, code: str, deed: Callable[..., Lease], **told: Any
) -> Status[LeaseOut]:
    """Do it to the lease of that code as the caller, now; answers with what it has become."""
    lease = deed(
        lease=_lease(request, code), actor=auth.actor_of(request), now=clock.now(), **told
    )
    return Status(200, _out(lease))


def _may_let(request: HttpRequest) -> None:
    auth.check_role(auth.user_of(request), Role.MANAGER, Role.FINANCE)


def _scope(request: HttpRequest) -> int | None:
    """The tenant whose leases the caller may see; None means all."""
    user = auth.user_of(request)
    if user.tenant_id is None:
        auth.check_role(user, Role.MANAGER, Role.FINANCE)
    return user.tenant_id


def _lease(request: HttpRequest, code: str) -> Lease:
    return selectors.lease_for(code=code, tenant_id=_scope(request))


def _out(lease: Lease) -> LeaseOut:
    """As the database has it now, with its units."""
    return lease_out(selectors.lease_for(code=lease.code, tenant_id=None))


def _wish(wish: LeaseWishIn) -> LeaseWish:
    """What the request asks for, with the rows it names."""
    return LeaseWish(
        space=common.space_named(wish.space),
        tenant=common.tenant_named(wish.tenant),
        starts_on=wish.starts_on,
        ends_on=_ends_on(wish),
        unit_numbers=tuple(wish.units),
        unit_count=wish.unit_count,
        monthly_rent_fen=wish.monthly_rent_fen,
        free_months=wish.free_months,
        notice_months=wish.notice_months,
        deposit_months=wish.deposit_months,
        deposit_fen=wish.deposit_fen,
        policy_code=wish.policy,
    )


def _ends_on(wish: LeaseWishIn) -> date:
    """The first day after the term.

    Raises:
        errors.Invalid: neither or both of `months` and `last_day` are given.
    """
    if (wish.months is None) == (wish.last_day is None):
        fault = errors.FieldFault(
            "months", "租期月数与最后一天须且仅须给出一项", "Give either months or last_day"
        )
        raise errors.Invalid("months or last_day", fields=[fault])
    if wish.last_day is not None:
        return wish.last_day + timedelta(days=1)
    return add_months(wish.starts_on, wish.months or 0)
