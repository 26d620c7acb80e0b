"""What the API says about policies being written, and about budgets; amounts in integer fen."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from ninja import Schema
from pydantic import AwareDatetime, Field, StringConstraints

Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.\-]{0,15}$")]
Source = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.\-]{0,63}$")]
TenantCode = Annotated[str, StringConstraints(min_length=1, max_length=16)]
Quarter = Annotated[str, StringConstraints(pattern=r"^20[0-9][0-9]-Q[1-4]$")]
Limit = Annotated[int, Field(ge=0, le=10**14)]
Year = Annotated[int, Field(ge=2020, le=2099)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class PolicyDraftIn(Schema):
    """A document of the policy language; see `GET /policies/language`."""

    document: dict[str, object]


class PolicyCheckIn(PolicyDraftIn):
    """A draft and, perhaps, a case that it is tried on."""

    case: dict[str, object] | None = None


class PolicyPlaceOut(Schema):
    """A place in a document and what is to be said about it."""

    path: str
    zh: str
    en: str


class StepOut(Schema):
    """One thing that an evaluation found, in order."""

    kind: Literal["applied", "refused", "worked", "cap", "rounded", "budget", "unlock", "identity"]
    path: str
    zh: str
    en: str
    amount_fen: int | None


class OutcomeOut(Schema):
    """What a rule gives to a case, how it is paid, and why."""

    verdict: Literal["applied", "capped", "refused"]
    amount_fen: int
    parts_fen: list[int]
    steps: list[StepOut]


class PolicyCheckOut(Schema):
    """Faults forbid saving, warnings do not."""

    ok: bool
    faults: list[PolicyPlaceOut]
    warnings: list[PolicyPlaceOut]
    next_version: int
    outcome: OutcomeOut | None


class PolicyVersionOut(Schema):
    """One version of a policy."""

    code: str
    version: int
    kind: str
    state: Literal["draft", "active", "withdrawn"]
    name_zh: str
    name_en: str
    funding: str
    valid_from: date
    valid_to: date
    saved_at: datetime | None
    saved_by: str


class PolicyActivateIn(Schema):
    """The first day, and the last if it is not the document's."""

    first: date
    last: date | None = None


class PolicyWithdrawIn(Schema):
    """The last day on which it is in force."""

    last: date


class FactOut(Schema):
    """A fact that every rule may ask about."""

    name: str
    kind: str
    zh: str
    en: str
    when_booking: bool


class LanguageOut(Schema):
    """The words of the policy language."""

    language: int
    facts: list[FactOut]
    comparisons: dict[str, list[str]]
    amounts: list[str]
    booking_benefits: dict[str, list[str]]
    caps: list[str]
    shares: list[str]


class LimitIn(Schema):
    """Another limit, and why."""

    limit_fen: Limit
    reason: Reason


class BudgetIn(Schema):
    """A year's budget for a policy."""

    policy_code: Code
    year: Year
    limit_fen: Limit


class PolicyBudgetOut(Schema):
    """What a policy may cost in one year, and what is taken of it."""

    policy_code: str
    year: int
    limit_fen: int
    reserved_fen: int
    committed_fen: int
    left_fen: int
    limit_version: int


class AskingIn(Schema):
    """A claim on a budget; `score` ranks it where the policy does."""

    code: Source
    tenant: TenantCode
    amount_fen: Limit
    filed_at: AwareDatetime
    score: Annotated[Decimal, Field(ge=0, le=10**9, max_digits=15, decimal_places=6)] = Decimal(0)


class ShareIn(Schema):
    """Claims to be settled together; without `commit` it is only a look."""

    claims: Annotated[list[AskingIn], Field(min_length=1, max_length=500)]
    commit: bool = False


class ShareOut(Schema):
    """What a claim gets, and why not more."""

    code: str
    paid_fen: int
    reason_zh: str
    reason_en: str


class SharesOut(Schema):
    """The shares in order of filing."""

    committed: bool
    paid_fen: int
    shares: list[ShareOut]


class WhatIfIn(PolicyDraftIn):
    """A draft and the quarter to replay under it."""

    quarter: Quarter
    tenant: TenantCode | None = None


class SumsOut(Schema):
    """Under the policies in force, under the draft, and the difference."""

    before_fen: int
    after_fen: int
    difference_fen: int


class NamedSumsOut(SumsOut):
    """The same for one tenant, or for one policy."""

    code: str


class BudgetEffectOut(SumsOut):
    """What would be taken of a year's budget; a limit is null where there is no budget."""

    policy_code: str
    year: int
    before_limit_fen: int | None
    after_limit_fen: int | None


class WhatIfOut(Schema):
    """What tenants would have paid, what policies given and budgets held."""

    first: date
    last: date
    bookings: int
    unpriced: int
    total: SumsOut
    tenants: list[NamedSumsOut]
    policies: list[NamedSumsOut]
    budgets: list[BudgetEffectOut]
