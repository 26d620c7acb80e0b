"""Claims to the district over HTTP: finance works on them, the district's liaison sees sums."""

from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Router, Status

from base_ops.core import auth, clock
from base_ops.core.auth import roles
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.models import Role
from base_ops.core.pages import Page, cut
from base_ops.core.problems import Problem, codes_4xx
from billing.api.asking import Limit
from billing.models import Claim
from billing.schemas.claims import (
    CandidateOut,
    ClaimDetailOut,
    ClaimFigureOut,
    ClaimIn,
    ClaimOut,
    ClaimPaidIn,
    DecideIn,
)
from billing.schemas.payments import Day
from billing.selectors import subsidies as relief
from billing.services import claim_packs, subsidies

router = Router()
State = Literal["draft", "submitted", "accepted", "cut", "refused", "paid", "discarded"]
_ZIP = {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}


@router.get("/claims/figures", response={200: list[ClaimFigureOut], codes_4xx: Problem})
@roles(Role.FINANCE, Role.LIAISON)
def read_claim_figures(request: HttpRequest) -> Any:
    """Claims by programme and state, sums only."""
    return relief.figures()


@router.get("/claims/candidates", response={200: list[CandidateOut], codes_4xx: Problem})
@roles(Role.FINANCE)
def list_candidates(request: HttpRequest, programme: str, period_from: Day, period_to: Day) -> Any:
    """What could be claimed, and what not: unpaid, or claimed under which programme."""
    return relief.candidates(programme=programme, first=period_from, last=period_to)


@router.get("/claims", response={200: Page[ClaimOut], codes_4xx: Problem})
@roles(Role.FINANCE)
def list_claims(
    request: HttpRequest,
    programme: str | None = None,
    status: State | None = None,
    cursor: str | None = None,
    limit: Limit = 50,
) -> dict[str, Any]:
    """Claims, newest first."""
    rows = relief.claims(programme=programme, status=status)
    items, following = cut(rows, by="created_at", descending=True, cursor=cursor, limit=limit)
    return {"items": items, "next": following}


@router.post("/claims", response={201: ClaimDetailOut, codes_4xx: Problem})
@roles(Role.FINANCE)
@idempotent
def draft_claim(
    request: HttpRequest, wish: ClaimIn, idempotency_key: IdempotencyHeader
) -> Status[ClaimDetailOut]:
    """Draft a claim of all that a programme lowered in a period and that was paid."""
    row = subsidies.draft(
        programme=wish.programme,
        first=wish.period_from,
        last=wish.period_to,
        actor=auth.actor_of(request),
        now=clock.now(),
    )
    return Status(201, ClaimDetailOut.from_orm(row))


@router.get("/claims/{int:claim_id}", response={200: ClaimDetailOut, codes_4xx: Problem})
@roles(Role.FINANCE)
def read_claim(request: HttpRequest, claim_id: int) -> Any:
    """One claim with its lines."""
    return relief.claim(claim_id)


@router.post("/claims/{int:claim_id}/submit", response={200: ClaimDetailOut, codes_4xx: Problem})
@roles(Role.FINANCE)
@idempotent
def submit_claim(
    request: HttpRequest, claim_id: int, idempotency_key: IdempotencyHeader
) -> Status[ClaimDetailOut]:
    """Hand it in: from here on the district owes it."""
    return _done(
        subsidies.submit(claim_id=claim_id, actor=auth.actor_of(request), now=clock.now())
    )


@router.post("/claims/{int:claim_id}/discard", response={200: ClaimDetailOut, codes_4xx: Problem})
@roles(Role.FINANCE)
@idempotent
def discard_claim(
    request: HttpRequest, claim_id: int, idempotency_key: IdempotencyHeader
) -> Status[ClaimDetailOut]:
    """Give a draft up; its facts may be claimed again."""
    return _done(
        subsidies.discard(claim_id=claim_id, actor=auth.actor_of(request), now=clock.now())
    )


@router.post("/claims/{int:claim_id}/decide", response={200: ClaimDetailOut, codes_4xx: Problem})
@roles(Role.FINANCE)
@idempotent
def decide_claim(
    request: HttpRequest, claim_id: int, wish: DecideIn, idempotency_key: IdempotencyHeader
) -> Status[ClaimDetailOut]:
    """Write down what the district accepted, cut or refused."""
    found = [subsidies.Decision(d.line, d.accepted_fen, d.reason) for d in wish.lines]
    row = subsidies.decide(
        claim_id=claim_id,
        decisions=found,
        note=wish.note,
        actor=auth.actor_of(request),
        now=clock.now(),
    )
    return _done(row)


@router.post("/claims/{int:claim_id}/pay", response={200: ClaimDetailOut, codes_4xx: Problem})
@roles(Role.FINANCE)
@idempotent
def pay_claim(
    request: HttpRequest, claim_id: int, wish: ClaimPaidIn, idempotency_key: IdempotencyHeader
) -> Status[ClaimDetailOut]:
    """Write down that the district paid what it accepted."""
    row = subsidies.pay(
        claim_id=claim_id,
        on=wish.on,
        bank_reference=wish.bank_reference,
        actor=auth.actor_of(request),
        now=clock.now(),
    )
    return _done(row)


def _done(row: Claim) -> Status[ClaimDetailOut]:
    return Status(200, ClaimDetailOut.from_orm(row))


@router.get(
    "/claims/{int:claim_id}/pack",
    response={200: bytes, codes_4xx: Problem},
    openapi_extra={"responses": {200: _ZIP}},
)
@roles(Role.FINANCE)
def read_claim_pack(request: HttpRequest, claim_id: int) -> HttpResponse:
    """One ZIP with an index, contracts, invoices, payments and proven live hours."""
    data = claim_packs.packed(row=relief.claim(claim_id), now=clock.now())
    headers = {
        "Content-Disposition": f'attachment; filename="claim-{claim_id}.zip"',
        "Cache-Control": "private, no-store",
    }
    return HttpResponse(data, content_type="application/zip", headers=headers)
