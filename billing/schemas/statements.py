"""What the API says about statements and disputes; amounts in integer fen."""

from datetime import date, datetime
from typing import Any

from ninja import Schema
from pydantic import Field

from base_ops.core.schemas import TenantRef
from billing.domain.disputes import DisputeState, StatementState
from billing.models import Dispute
from billing.schemas.invoices import LineOut


class StatementIn(Schema):
    """Whose month."""

    tenant: str = Field(min_length=1, max_length=16)
    month: str = Field(pattern=r"^20[0-9][0-9]-(0[1-9]|1[0-2])$")


class StatementEntryOut(Schema):
    """One movement: documents raise what is owed, credit notes and payments lower it."""

    position: int
    kind: str
    on: date
    reference: str
    amount_fen: int
    balance_fen: int


class StatementOut(Schema):
    """What a tenant owed before a month (its first day is given) and owes after it."""

    id: int
    tenant: TenantRef
    month: date
    state: StatementState
    opening_fen: int
    moved_fen: int
    closing_fen: int
    created_by: str
    created_at: datetime
    confirmed_by: str
    confirmed_at: datetime | None


class StatementDetailOut(StatementOut):
    """One with its movements."""

    open_disputes: int
    entries: list[StatementEntryOut]


class DisputeIn(Schema):
    """Why the line is wrong."""

    reason: str = Field(min_length=1, max_length=500)


class DisputeAnswerIn(Schema):
    """Whether the objection is right, and why."""

    accept: bool
    answer: str = Field(min_length=1, max_length=500)


class DisputeOut(Schema):
    """An objection to one line, and its answer."""

    id: int
    tenant: TenantRef
    invoice: str
    position: int
    state: DisputeState
    reason: str
    answer: str
    raised_by: str
    raised_at: datetime
    answered_by: str
    answered_at: datetime | None

    @staticmethod
    def resolve_invoice(obj: Dispute) -> str:
        """The document's number."""
        return str(obj.line.invoice.number)

    @staticmethod
    def resolve_position(obj: Dispute) -> int:
        """The line's place."""
        return obj.line.position


class LineEvidenceOut(Schema):
    """What a line rests on: what was booked, used, measured, and by which rule it was priced."""

    line: LineOut
    source: str
    kind: str
    recorded_at: datetime
    tariff_version: str
    booking: str
    booked: dict[str, Any] | None
    used: dict[str, Any] | None
    measured: dict[str, Any]
    policy: dict[str, Any] | None
    facts: dict[str, Any]
