"""What the API says about invoice runs; amounts in integer fen."""

from datetime import date, datetime

from ninja import Schema
from pydantic import Field, model_validator

from base_ops.core.schemas import TenantRef
from billing.schemas.charges import ChargeOut


class RunIn(Schema):
    """A month ("2026-10"), or any period with both days included."""

    month: str | None = Field(None, pattern=r"^20[0-9][0-9]-(0[1-9]|1[0-2])$")
    period_from: date | None = None
    period_to: date | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "RunIn":
        """Either the month or both ends."""
        if (self.month is None) == (self.period_from is None or self.period_to is None):
            raise ValueError("give month, or period_from and period_to")
        return self


class ApproveIn(Schema):
    """What the approver saw."""

    inputs_hash: str | None = Field(None, pattern=r"^[0-9a-f]{64}$")


class HoldIn(Schema):
    """Why a document is held back."""

    reason: str = Field(min_length=1, max_length=200)


class RunRulesIn(Schema):
    """From which amounts together a second person must approve, and which change is a surprise."""

    second_person_from_fen: int = Field(ge=0, le=10**15)
    change_percent: int = Field(ge=1, le=1000)
    change_from_fen: int = Field(ge=0, le=10**15)


class RunRulesOut(RunRulesIn):
    """The rules in force."""

    version: int


class SurpriseOut(Schema):
    """Something to look at before approving; `data` are its figures."""

    code: str
    reason_zh: str
    reason_en: str
    data: dict[str, int | str]


class DifferenceOut(Schema):
    """One tenant beside the period before."""

    tenant: TenantRef
    gross_fen: int
    before_fen: int
    change_fen: int
    surprises: list[SurpriseOut]


class DifferencesOut(Schema):
    """A run beside the period before (null when there was nothing), tenant by tenant."""

    before_from: date | None
    before_to: date | None
    gross_fen: int
    before_fen: int
    tenants: int
    surprising: int
    by_code: dict[str, int]
    items: list[DifferenceOut]
    next: str | None


class EntryStateOut(Schema):
    """One document of a run and what keeps it back, if anything does."""

    position: int
    tenant: TenantRef
    document: str
    gross_fen: int
    invoice: str | None
    problem: str
    problem_zh: str
    problem_en: str
    note: str


class RunOut(Schema):
    """A run and how far it is."""

    id: int
    period_from: date
    period_to: date
    status: str
    inputs_hash: str
    entries_total: int
    entries_done: int
    net_fen: int
    vat_fen: int
    gross_fen: int
    created_by: str
    approved_by: str
    second_person: bool
    before_from: date | None
    before_to: date | None
    before_fen: int
    surprises: int
    created_at: datetime
    approved_at: datetime | None
    issue_asked_at: datetime | None
    issued_at: datetime | None
    topic: str


class EntryOut(Schema):
    """One document of a run; `lines` may be left out of very large runs."""

    position: int
    tenant: TenantRef
    document: str
    net_fen: int
    vat_fen: int
    gross_fen: int
    line_count: int
    invoice: str | None
    problem: str
    problem_zh: str
    problem_en: str
    note: str
    lines: list[ChargeOut]


class RunDetailOut(RunOut):
    """A run with its documents."""

    entries: list[EntryOut]
    lines_omitted: bool
