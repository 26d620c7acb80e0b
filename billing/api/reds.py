"""Red letters and corrections over HTTP."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Status

from base_ops.core import auth, clock
from base_ops.core.auth import roles
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.models import Role
from base_ops.core.pages import Page, cut
from base_ops.core.problems import Problem, codes_4xx
from billing import showing_reds as showing
from billing.api.asking import PAYERS, Limit
from billing.domain.reds import RedDeed, RedNotAllowed, RedState, Side
from billing.schemas.charges import ChargeOut
from billing.schemas.reds import (
    BuyerUseIn,
    CorrectionIn,
    CorrectionOut,
    InvoiceStandingOut,
    RedLetterDetailOut,
    RedLetterIn,
    RedLetterOut,
    RedNoteIn,
)
from billing.selectors import documents as papers
from billing.selectors import reds as found
from billing.services import correcting, reds

router = Router()
SIDES = (Role.FINANCE, Role.TENANT_ADMIN)


def _side(request: HttpRequest) -> Side:
    return Side.BUYER if auth.user_of(request).tenant_id is not None else Side.SELLER


@router.post(
    "/invoices/{number}/red-letters",
    response={201: RedLetterDetailOut, codes_4xx: Problem},
)
@roles(*SIDES)
@idempotent
def start_red_letter(
    request: HttpRequest, number: str, wish: RedLetterIn, idempotency_key: IdempotencyHeader
) -> Status[RedLetterDetailOut]:
    """Take an invoice back, all or in part; the seller alone while the buyer has not used it."""
    wanted = None if wish.lines is None else {p.position: p.gross_fen for p in wish.lines}
    if wish.lines is not None and len(wanted or ()) < len(wish.lines):
        raise RedNotAllowed("a line is given twice")
    letter = reds.start(
        invoice=papers.invoice(user=auth.user_of(request), number=number),
        side=_side(request),
        reason=wish.reason,
        wanted=wanted,
        note=wish.note,
        actor=auth.actor_of(request),
        now=clock.now(),
    )
    return Status(201, showing.red_letter_detail(letter))


@router.get("/invoices/{number}/standing", response={200: InvoiceStandingOut, codes_4xx: Problem})
@roles(*PAYERS)
def read_standing(request: HttpRequest, number: str) -> InvoiceStandingOut:
    """What the buyer did with an invoice, what was taken back, and what may be."""
    return showing.standing(papers.invoice(user=auth.user_of(request), number=number))


@router.post(
    "/invoices/{number}/buyer-use", response={200: InvoiceStandingOut, codes_4xx: Problem}
)
@roles(*SIDES)
@idempotent
def note_buyer_use(
    request: HttpRequest, number: str, wish: BuyerUseIn, idempotency_key: IdempotencyHeader
) -> Status[InvoiceStandingOut]:
    """Record that the buyer entered the invoice in its books, or confirmed its use."""
    invoice = papers.invoice(user=auth.user_of(request), number=number)
    reds.note_use(invoice=invoice, use=wish.use, actor=auth.actor_of(request), now=clock.now())
    return Status(200, showing.standing(invoice))


@router.get("/red-letters", response={200: Page[RedLetterOut], codes_4xx: Problem})
@roles(*PAYERS)
def list_red_letters(
    request: HttpRequest,
    tenant: str | None = None,
    invoice: str | None = None,
    state: RedState | None = None,
    cursor: str | None = None,
    limit: Limit = 50,
) -> dict[str, Any]:
    """Red letters, newest first; a tenant's people see their own."""
    rows = found.red_letters(
        user=auth.user_of(request), tenant=tenant, invoice=invoice, state=state
    )
    items, following = cut(rows, by="created_at", descending=True, cursor=cursor, limit=limit)
    return {"items": [showing.red_letter(row) for row in items], "next": following}


@router.get("/red-letters/{int:red_id}", response={200: RedLetterDetailOut, codes_4xx: Problem})
@roles(*PAYERS)
def read_red_letter(request: HttpRequest, red_id: int) -> RedLetterDetailOut:
    """One red letter with its lines."""
    return showing.red_letter_detail(found.red_letter(user=auth.user_of(request), red_id=red_id))


def _decide(
    request: HttpRequest, red_id: int, deed: RedDeed, note: str
) -> Status[RedLetterDetailOut]:
    letter = reds.decide(
        letter=found.red_letter(user=auth.user_of(request), red_id=red_id),
        deed=deed,
        side=_side(request),
        note=note,
        actor=auth.actor_of(request),
        now=clock.now(),
    )
    return Status(200, showing.red_letter_detail(letter))


@router.post(
    "/red-letters/{int:red_id}/confirm",
    response={200: RedLetterDetailOut, codes_4xx: Problem},
)
@roles(*SIDES)
@idempotent
def confirm_red_letter(
    request: HttpRequest, red_id: int, wish: RedNoteIn, idempotency_key: IdempotencyHeader
) -> Status[RedLetterDetailOut]:
    """The other side agrees, within 72 hours."""
    return _decide(request, red_id, RedDeed.CONFIRM, wish.note)


@router.post(
    "/red-letters/{int:red_id}/refuse",
    response={200: RedLetterDetailOut, codes_4xx: Problem},
)
@roles(*SIDES)
@idempotent
def refuse_red_letter(
    request: HttpRequest, red_id: int, wish: RedNoteIn, idempotency_key: IdempotencyHeader
) -> Status[RedLetterDetailOut]:
    """The other side does not agree."""
    return _decide(request, red_id, RedDeed.REFUSE, wish.note)


@router.post(
    "/red-letters/{int:red_id}/withdraw",
    response={200: RedLetterDetailOut, codes_4xx: Problem},
)
@roles(*SIDES)
@idempotent
def withdraw_red_letter(
    request: HttpRequest, red_id: int, wish: RedNoteIn, idempotency_key: IdempotencyHeader
) -> Status[RedLetterDetailOut]:
    """Who started it takes it back before it is issued."""
    return _decide(request, red_id, RedDeed.WITHDRAW, wish.note)


@router.post(
    "/red-letters/{int:red_id}/issue",
    response={200: RedLetterDetailOut, codes_4xx: Problem},
)
@roles(Role.FINANCE)
@idempotent
def issue_red_letter(
    request: HttpRequest, red_id: int, idempotency_key: IdempotencyHeader
) -> Status[RedLetterDetailOut]:
    """Make the credit note of a confirmed red letter."""
    letter = found.red_letter(user=auth.user_of(request), red_id=red_id)
    letter = reds.issue(letter=letter, actor=auth.actor_of(request), now=clock.now())
    return Status(200, showing.red_letter_detail(letter))


@router.post("/charges/{int:charge_id}/correct", response={201: CorrectionOut, codes_4xx: Problem})
@roles(Role.FINANCE)
@idempotent
def correct_charge(
    request: HttpRequest, charge_id: int, wish: CorrectionIn, idempotency_key: IdempotencyHeader
) -> Status[CorrectionOut]:
    """Reverse a charge that is not invoiced, and put the right amount in its place."""
    row = correcting.correct(
        charge_id=charge_id,
        gross_fen=wish.gross_fen,
        reason=wish.reason,
        actor=auth.actor_of(request),
        now=clock.now(),
    )
    return Status(201, CorrectionOut(
        charge=ChargeOut.from_orm(row.charge),
        reversal=ChargeOut.from_orm(row.reversal) if row.reversal else None,
        replacement=ChargeOut.from_orm(row.replacement) if row.replacement else None,
        reason=row.reason, created_by=row.created_by, created_at=row.created_at,
    ))  # fmt: skip
