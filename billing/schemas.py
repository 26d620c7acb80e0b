"""What the API says about money; amounts in integer fen, tax included unless named net."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from ninja import Schema
from pydantic import BeforeValidator, Field, model_validator

from base_ops.core.schemas import TenantRef


def _plain(value: object) -> object:
    """A decimal as text without needless zeros."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value


Plain = Annotated[str, BeforeValidator(_plain)]
"""A factor or rate as text, e.g. "0.06": no float near money."""


class BandOut(Schema):
    """A part of the day in minutes after midnight, Shanghai time."""

    code: str
    name_zh: str
    name_en: str
    from_min: int
    to_min: int


class SurgeOut(Schema):
    """Days of the year ("MM-DD", both included) on which some bands cost more."""

    code: str
    name_zh: str
    name_en: str
    from_md: str
    to_md: str
    multiplier: Plain
    bands: list[str]


class TariffOut(Schema):
    """Prices of one kind of space."""

    code: str
    version: int
    name_zh: str
    hourly_fen: dict[str, int]
    session_fen: dict[str, int]
    monthly_per_m2_fen: int | None
    unit: str
    unit_period: str
    unit_price_fen: int | None
    includes_zh: str
    included_wh_per_hour: int | None
    vat_hourly: str
    vat_monthly: str


class TariffsOut(Schema):
    """The price list in force."""

    version: str
    bands: list[BandOut]
    surges: list[SurgeOut]
    tariffs: list[TariffOut]


class ServiceOut(Schema):
    """A service; no price means by agreement, as the note says."""

    code: str
    name_zh: str
    name_en: str
    unit: str
    price_fen: int | None
    price_note: str


class BudgetOut(Schema):
    """What a policy may cost in one year."""

    year: int
    limit_fen: int
    reserved_fen: int
    committed_fen: int
    left_fen: int


class PolicyOut(Schema):
    """One version of a policy; budgets only for people of the base."""

    code: str
    version: int
    kind: str
    name_zh: str
    name_en: str
    funding: str
    valid_from: date
    valid_to: date
    data: dict[str, object]
    budgets: list[BudgetOut] = []


class ChargeOut(Schema):
    """One priced line of something that happened."""

    id: int
    source: str
    tenant: TenantRef
    document: str
    kind: str
    booking_code: str
    space_code: str
    service_on: date
    description_zh: str
    description_en: str
    starts_at: datetime | None
    ends_at: datetime | None
    band: str
    surge: Plain
    quantity: str
    unit: str
    unit_fen: int | None
    price_text: str
    net_fen: int
    vat_fen: int
    gross_fen: int
    vat_rate: Plain
    vat_category: str
    policy: str
    invoice: str | None


class LineOut(Schema):
    """One line of a document."""

    position: int
    description_zh: str
    description_en: str
    band: str
    surge: Plain
    quantity: str
    unit: str
    unit_fen: int | None
    price_text: str
    policy: str
    vat_category: str
    vat_rate: Plain
    net_fen: int
    vat_fen: int
    gross_fen: int


class InvoiceOut(Schema):
    """One document."""

    number: str
    kind: str
    status: str
    tenant: TenantRef
    period_from: date
    period_to: date
    issued_at: datetime
    issued_on: date
    due_on: date
    line_count: int
    net_fen: int
    vat_fen: int
    gross_fen: int


class InvoiceDetailOut(InvoiceOut):
    """One document with its lines."""

    seller: dict[str, str]
    buyer: dict[str, str]
    capitals_zh: str
    lines: list[LineOut]


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
    lines: list[ChargeOut]


class RunDetailOut(RunOut):
    """A run with its documents."""

    entries: list[EntryOut]
    lines_omitted: bool
