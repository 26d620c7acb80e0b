"""What the API says about the books; amounts in integer fen, debits above zero."""

from datetime import date, datetime

from ninja import Schema

from base_ops.core.schemas import TenantRef
from billing.models import Entry, Period, Posting
from billing.schemas.payments import Why


class ReopenIn(Schema):
    """Why a closed month is opened again."""

    reason: Why


class PostingOut(Schema):
    """One side of an entry."""

    account: str
    name_zh: str
    name_en: str
    amount_fen: int

    @staticmethod
    def resolve_account(obj: Posting) -> str:
        """Its number."""
        return obj.account.code

    @staticmethod
    def resolve_name_zh(obj: Posting) -> str:
        """The account's name."""
        return obj.account.name_zh

    @staticmethod
    def resolve_name_en(obj: Posting) -> str:
        """The account's name."""
        return obj.account.name_en


class JournalEntryOut(Schema):
    """One fact of the books."""

    id: int
    source: str
    kind: str
    on: date
    revenue_on: date | None
    vat_on: date | None
    memo: str
    tenant: TenantRef | None
    invoice: str | None
    postings: list[PostingOut]

    @staticmethod
    def resolve_invoice(obj: Entry) -> str | None:
        """The document's number."""
        return obj.invoice.number if obj.invoice else None

    @staticmethod
    def resolve_postings(obj: Entry) -> list[Posting]:
        """Both sides."""
        return list(obj.postings.all())


class AccountBalanceOut(Schema):
    """One account in a span of days."""

    code: str
    name_zh: str
    name_en: str
    kind: str
    opening_fen: int
    debit_fen: int
    credit_fen: int
    closing_fen: int


class TrialBalanceOut(Schema):
    """All accounts; debits equal credits, and all closing balances together are zero."""

    first: date
    last: date
    debit_fen: int
    credit_fen: int
    balanced: bool
    disagreements: list[str]
    accounts: list[AccountBalanceOut]


class PeriodOut(Schema):
    """One month of the books."""

    month: str
    closed: bool
    closed_at: datetime
    closed_by: str
    reopened_at: datetime | None
    reopened_by: str
    reason: str

    @staticmethod
    def resolve_month(obj: Period) -> str:
        """E.g. "2026-11"."""
        return str(obj)
