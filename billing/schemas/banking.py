"""What goes in and out about bank files, suggestions and reminders; amounts in integer fen."""

from datetime import date, datetime
from typing import Annotated, Literal

from ninja import Schema
from pydantic import Field

from base_ops.core.problems import FieldProblem, Problem
from billing.domain.matching import Suggestion
from billing.schemas.payments import PartIn
from billing.services.banking import BankRow


class ReasonOut(Schema):
    """Why a suggestion is made, and what it counts."""

    points: int
    zh: str
    en: str


class SuggestionOut(Schema):
    """Whose payment it may be, and for which documents; 100 is certain."""

    tenant: str
    score: int
    reasons: list[ReasonOut]
    parts: list[PartIn]
    rest_fen: int


def suggestion_out(found: Suggestion) -> SuggestionOut:
    """A suggestion as the API shows it; its parts can be sent back as they are."""
    return SuggestionOut(
        tenant=found.tenant,
        score=found.score,
        reasons=[ReasonOut(points=r.points, zh=r.zh, en=r.en) for r in found.reasons],
        parts=[PartIn(invoice=p.number, amount_fen=p.amount_fen) for p in found.parts],
        rest_fen=found.rest_fen,
    )


class BankRowOut(Schema):
    """One row of a bank's file: what it says, what became of it or would, whose it may be."""

    number: int
    state: str
    received_on: date | None
    amount_fen: int | None
    bank_reference: str
    payer: str
    text: str
    faults: list[FieldProblem]
    suggestions: list[SuggestionOut]
    payment: int | None
    allocated: bool


class BankImportOut(Schema):
    """What became of a file, or would."""

    dry_run: bool
    new: int
    duplicate: int
    outgoing: int
    refused: int
    ignored_columns: list[str]
    rows: list[BankRowOut]


class BankImportProblem(Problem):
    """Nothing was imported; the rows say why."""

    rows: list[BankRowOut] = []


def row_out(row: BankRow) -> BankRowOut:
    """A row as the API shows it."""
    line = row.line
    return BankRowOut(
        number=row.number,
        state=row.state.value,
        received_on=line.received_on if line else None,
        amount_fen=line.amount_fen if line else None,
        bank_reference=line.bank_reference if line else "",
        payer=line.payer if line else "",
        text=line.text if line else "",
        faults=[
            FieldProblem(name=f.name, reason_zh=f.reason_zh, reason_en=f.reason_en)
            for f in row.faults
        ],
        suggestions=[suggestion_out(s) for s in row.suggestions],
        payment=row.payment_id,
        allocated=row.allocated,
    )


class DunningStepIn(Schema):
    """So many days after the due day (before it below zero), in this tone."""

    code: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
    days: Annotated[int, Field(ge=-60, le=365)]
    tone: Literal["coming", "reminder", "demand", "final"]


class LateFeeIn(Schema):
    """A share per day, e.g. "0.0005", and at most so many percent of the document."""

    per_day: Annotated[str, Field(max_length=12)]
    cap_pct: Annotated[int, Field(ge=0, le=100)]


class DunningIn(Schema):
    """The steps and the late fee."""

    steps: Annotated[list[DunningStepIn], Field(min_length=1, max_length=12)]
    late_fee: LateFeeIn


class DunningOut(DunningIn):
    """The plan in force."""

    version: int


class ReminderOut(Schema):
    """One step that one document was reminded by."""

    id: int
    invoice: str
    tenant: str
    step: str
    days: int
    open_fen: int
    sent_at: datetime
