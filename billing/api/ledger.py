"""The books over HTTP."""

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
from billing.api.asking import Limit, Month
from billing.models import Period
from billing.schemas.ledger import (
    AccountBalanceOut,
    JournalEntryOut,
    PeriodOut,
    ReopenIn,
    TrialBalanceOut,
)
from billing.schemas.payments import Day
from billing.selectors import books
from billing.selectors.documents import month_days
from billing.services import closing, posting

router = Router()


@router.get("/ledger/entries", response={200: Page[JournalEntryOut], codes_4xx: Problem})
@roles(Role.FINANCE)
def list_entries(
    request: HttpRequest,
    tenant: str | None = None,
    month: Month | None = None,
    kind: str | None = None,
    cursor: str | None = None,
    limit: Limit = 50,
) -> dict[str, Any]:
    """Entries with both sides, newest first."""
    first, last = month_days(month) if month else (None, None)
    rows = books.entries(tenant=tenant, first=first, last=last, kind=kind)
    items, following = cut(rows, by="on", descending=True, cursor=cursor, limit=limit)
    return {"items": items, "next": following}


@router.get("/ledger/trial-balance", response={200: TrialBalanceOut, codes_4xx: Problem})
@roles(Role.FINANCE)
def read_trial_balance(request: HttpRequest, first: Day, last: Day) -> TrialBalanceOut:
    """All accounts in a span of days, both included, and whether they agree with the facts."""
    posting.post_documents(clock.now())
    return _trial(first, last)


def _trial(first: date, last: date) -> TrialBalanceOut:
    rows = books.trial_balance(first=first, last=last)
    disagreements = books.disagreements()
    return TrialBalanceOut(
        first=first,
        last=last,
        debit_fen=sum(row.debit_fen for row in rows),
        credit_fen=sum(row.credit_fen for row in rows),
        balanced=not disagreements and not sum(row.closing_fen for row in rows),
        disagreements=disagreements,
        accounts=[AccountBalanceOut.from_orm(row) for row in rows],
    )


@router.get("/ledger/periods", response={200: list[PeriodOut], codes_4xx: Problem})
@roles(Role.FINANCE)
def list_periods(request: HttpRequest) -> Any:
    """Months that are closed, or were once."""
    return Period.objects.all()


@router.post("/ledger/periods/{month}/close", response={200: PeriodOut, codes_4xx: Problem})
@roles(Role.FINANCE)
@idempotent
def close_period(
    request: HttpRequest, month: Month, idempotency_key: IdempotencyHeader
) -> Status[PeriodOut]:
    """Close a month that is over: nothing is written into it any more."""
    first, _ = month_days(month)
    row = closing.close(month=first, actor=auth.actor_of(request), now=clock.now())
    return Status(200, PeriodOut.from_orm(row))


@router.post("/ledger/periods/{month}/reopen", response={200: PeriodOut, codes_4xx: Problem})
@roles(Role.ADMIN)
@idempotent
def reopen_period(
    request: HttpRequest, month: Month, wish: ReopenIn, idempotency_key: IdempotencyHeader
) -> Status[PeriodOut]:
    """Open the month that was closed last; administrators only, on record."""
    first, _ = month_days(month)
    row = closing.reopen(
        month=first, reason=wish.reason, actor=auth.actor_of(request), now=clock.now()
    )
    return Status(200, PeriodOut.from_orm(row))
