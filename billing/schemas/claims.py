"""What goes in and out about claims; amounts in integer fen."""

from datetime import date, datetime
from typing import Annotated

from ninja import Schema
from pydantic import Field

from base_ops.core.schemas import TenantRef
from billing.models import Claim, ClaimLine
from billing.schemas.payments import Day, Note, Reference


class ClaimIn(Schema):
    """One programme of the district and a period, both days included."""

    programme: Annotated[str, Field(max_length=16)]
    period_from: Day
    period_to: Day


class ClaimDecisionIn(Schema):
    """What is accepted of one line, and why not all of it."""

    line: Annotated[int, Field(ge=1, lt=2**63)]
    accepted_fen: Annotated[int, Field(ge=0, le=10**12)]
    reason: Note = ""


class DecideIn(Schema):
    """Lines of which not all is accepted; those not named are accepted as asked."""

    lines: Annotated[list[ClaimDecisionIn], Field(max_length=5000)] = []
    note: Note = ""


class ClaimPaidIn(Schema):
    """The day on which the district paid."""

    on: Day
    bank_reference: Reference | None = None


class CandidateOut(Schema):
    """A fact that a programme lowered the price of; `problem` is unpaid, claimed, or empty."""

    source: str
    tenant: str
    invoice: str
    booking_code: str
    service_on: date
    amount_fen: int
    problem: str
    claimed_by: str


class ClaimOut(Schema):
    """One programme's relief of one period."""

    id: int
    programme: str
    period_from: date
    period_to: date
    status: str
    requested_fen: int
    accepted_fen: int
    line_count: int
    note: str
    created_by: str
    created_at: datetime
    submitted_at: datetime | None
    decided_at: datetime | None
    paid_on: date | None


class ClaimLineOut(Schema):
    """What one fact cost the district."""

    id: int
    source: str
    tenant: TenantRef
    invoice: str
    booking_code: str
    service_on: date
    amount_fen: int
    accepted_fen: int | None
    reason: str
    live_s: int | None

    @staticmethod
    def resolve_source(obj: ClaimLine) -> str:
        """The fact's name."""
        return obj.fact.source

    @staticmethod
    def resolve_invoice(obj: ClaimLine) -> str:
        """The document's number."""
        return str(obj.invoice.number)


class ClaimDetailOut(ClaimOut):
    """A claim with its lines."""

    lines: list[ClaimLineOut]

    @staticmethod
    def resolve_lines(obj: Claim) -> list[ClaimLine]:
        """In the order of their days."""
        return list(obj.lines.select_related("tenant", "invoice", "fact"))


class ClaimFigureOut(Schema):
    """All claims of one programme in one state."""

    programme: str
    status: str
    claims: int
    facts: int
    requested_fen: int
    accepted_fen: int
    latest: date
