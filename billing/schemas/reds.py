"""What the API says about red letters and corrections; amounts in integer fen."""

from datetime import date, datetime
from typing import Annotated

from ninja import Schema
from pydantic import Field

from base_ops.core.schemas import TenantRef
from billing.domain.reds import BuyerUse, RedReason, RedState, Side
from billing.schemas.charges import ChargeOut

Reason = Annotated[str, Field(min_length=1, max_length=240)]
MOST_LINES = 2000
LARGEST_FEN = 10**13


class RedPartIn(Schema):
    """How much is taken off one line, tax included; of a discount line, negative."""

    position: int = Field(ge=1, le=1_000_000)
    gross_fen: int = Field(ge=-LARGEST_FEN, le=LARGEST_FEN)


class RedLetterIn(Schema):
    """Why, and of which lines how much; without `lines`, all that is left."""

    reason: RedReason
    note: str = Field("", max_length=240)
    lines: list[RedPartIn] | None = Field(None, min_length=1, max_length=MOST_LINES)


class RedNoteIn(Schema):
    """What is said to a decision."""

    note: str = Field("", max_length=240)


class BuyerUseIn(Schema):
    """What the buyer did with the invoice on the tax platform."""

    use: BuyerUse


class RedLineOut(Schema):
    """What is given back of one line."""

    position: int
    description_zh: str
    description_en: str
    net_fen: int
    vat_fen: int
    gross_fen: int


class RedLetterOut(Schema):
    """A confirmation form and what became of it; amounts are what is given back."""

    id: int
    invoice: str
    tenant: TenantRef
    reason: RedReason
    reason_code: str
    reason_zh: str
    reason_en: str
    note: str
    state: RedState
    started_by: Side
    buyer_use: BuyerUse
    net_fen: int
    vat_fen: int
    gross_fen: int
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    decided_by: str
    decided_at: datetime | None
    decision_note: str
    credit_note: str | None


class RedLetterDetailOut(RedLetterOut):
    """One with its lines and, in capitals, what the credit note says."""

    capitals_zh: str
    lines: list[RedLineOut]


class LeftOut(Schema):
    """What is left of one line."""

    position: int
    net_fen: int
    vat_fen: int
    gross_fen: int


class InvoiceStandingOut(Schema):
    """What became of an invoice: how the buyer uses it, and what may still be taken back."""

    invoice: str
    buyer_use: BuyerUse
    buyer_use_on: date | None
    gross_fen: int
    credited_fen: int
    left_fen: int
    lines: list[LeftOut]
    red_letters: list[RedLetterOut]


class CorrectionIn(Schema):
    """The right amount, tax included; null when there is nothing to pay."""

    gross_fen: int | None = Field(ge=-LARGEST_FEN, le=LARGEST_FEN)
    reason: Reason


class CorrectionOut(Schema):
    """A charge, what reverses it, and what stands in its place."""

    charge: ChargeOut
    reversal: ChargeOut | None
    replacement: ChargeOut | None
    reason: str
    created_by: str
    created_at: datetime
