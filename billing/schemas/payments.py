"""What goes in and out about payments, wallets and deposits; amounts in integer fen."""

from datetime import date, datetime
from typing import Annotated, Literal

from ninja import Schema
from pydantic import AfterValidator, Field, StringConstraints

from base_ops.core.instants import END, FIRST
from base_ops.core.schemas import TenantRef
from billing.models import Allocation, Deposit, DepositMove, Payment


def _of_our_time(day: date) -> date:
    """The same day, far from both ends of the calendar.

    Raises:
        ValueError: it is outside the years 2000 to 2100.
    """
    if not FIRST.date() <= day < END.date():
        raise ValueError("must be in the years 2000 to 2100")
    return day


Day = Annotated[date, AfterValidator(_of_our_time)]
Fen = Annotated[int, Field(ge=1, le=10**12)]
TenantCode = Annotated[str, StringConstraints(max_length=16)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Why = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Outside = Literal["transfer", "cash", "card", "wechat", "alipay"]
Reference = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]


class PaymentIn(Schema):
    """Money that came in; without a tenant when it is not known whose it is."""

    method: Outside
    amount_fen: Fen
    received_on: Day
    tenant: TenantCode | None = None
    bank_reference: Reference | None = None
    payer: Annotated[str, StringConstraints(strip_whitespace=True, max_length=160)] = ""
    text: Annotated[str, StringConstraints(strip_whitespace=True, max_length=240)] = ""
    note: Note = ""


class PartIn(Schema):
    """So much for one document."""

    invoice: Annotated[str, StringConstraints(max_length=24)]
    amount_fen: Fen


Parts = Annotated[list[PartIn], Field(min_length=1, max_length=200)]


class AllocateIn(Schema):
    """Which documents, or those that fell due first; the rest stays or goes to the wallet."""

    parts: Parts | None = None
    tenant: TenantCode | None = None
    rest: Literal["keep", "wallet"] = "keep"


class TakeBackIn(Schema):
    """Which allocation."""

    allocation: Annotated[int, Field(ge=1, lt=2**63)]


class FillIn(Schema):
    """So much, or all that is left."""

    amount_fen: Fen | None = None


class RefundIn(Schema):
    """Money given back."""

    amount_fen: Fen
    method: Outside = "transfer"
    on: Day
    reason: Why


class VoidIn(Schema):
    """Why the money did not come."""

    reason: Why


class WalletUseIn(Schema):
    """Which documents, or those that fell due first; a tenant's people need not name it."""

    tenant: TenantCode | None = None
    parts: Parts | None = None


class WalletRefundIn(RefundIn):
    """Whose wallet."""

    tenant: TenantCode


class AllocationOut(Schema):
    """So much for a document from a day on; below zero it takes another back."""

    id: int
    invoice: str
    amount_fen: int
    on: date
    takes_back: int | None

    @staticmethod
    def resolve_invoice(obj: Allocation) -> str:
        """The document's number."""
        return str(obj.item.invoice.number)

    @staticmethod
    def resolve_takes_back(obj: Allocation) -> int | None:
        """Which it takes back."""
        return obj.takes_back_id


class PaymentOut(Schema):
    """Money that came in, and what became of it."""

    id: int
    tenant: TenantRef | None
    method: str
    amount_fen: int
    allocated_fen: int
    moved_fen: int
    refunded_fen: int
    left_fen: int
    received_on: date
    bank_reference: str | None
    payer: str
    text: str
    note: str
    credit_note: str | None
    voided_at: datetime | None
    created_by: str
    created_at: datetime

    @staticmethod
    def resolve_credit_note(obj: Payment) -> str | None:
        """The number of the document that it comes from."""
        return obj.credit_note.number if obj.credit_note else None


class PaymentDetailOut(PaymentOut):
    """A payment with its allocations."""

    allocations: list[AllocationOut]

    @staticmethod
    def resolve_allocations(obj: Payment) -> list[Allocation]:
        """In the order in which they were made."""
        return list(obj.allocations.select_related("item__invoice"))


class WalletMoveOut(Schema):
    """Into a wallet, or out of it below zero."""

    id: int
    tenant: TenantRef
    kind: str
    amount_fen: int
    on: date
    payment: int | None

    @staticmethod
    def resolve_payment(obj: "WalletMoveOut") -> int | None:
        """The payment that it belongs to."""
        return obj.payment_id  # type: ignore[attr-defined, no-any-return] # a row of the table


class ReceivableOut(Schema):
    """One document and what it still asks for."""

    invoice: str
    tenant: TenantRef
    issued_on: date
    due_on: date
    gross_fen: int
    settled_fen: int
    open_fen: int
    bucket: str


class StandingOut(Schema):
    """What a tenant owes by its age, and what it has with the base."""

    tenant: TenantRef
    not_due: int
    days_1_30: int
    days_31_60: int
    days_61_90: int
    days_over_90: int
    total_fen: int
    overdue_fen: int
    wallet_fen: int
    deposits_fen: int
    unallocated_fen: int


class AgeingOut(Schema):
    """All tenants' debts on a day, and their sums."""

    on: date
    not_due: int
    days_1_30: int
    days_31_60: int
    days_61_90: int
    days_over_90: int
    total_fen: int
    overdue_fen: int
    tenants: list[StandingOut]


class DepositTakenIn(Schema):
    """Security taken for one purpose; the same purpose again adds to it."""

    tenant: TenantCode
    purpose: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    amount_fen: Fen
    method: Outside = "transfer"
    on: Day
    note: Note = ""


class DepositReturnIn(Schema):
    """Security given back."""

    amount_fen: Fen
    method: Outside = "transfer"
    on: Day
    note: Note = ""


class SetOffIn(Schema):
    """Documents that a deposit pays, and why."""

    parts: Parts
    note: Why


class DepositMoveOut(Schema):
    """Taken, set off or given back."""

    kind: str
    amount_fen: int
    method: str
    on: date
    note: str


class DepositOut(Schema):
    """Security of a tenant for one purpose."""

    id: int
    tenant: TenantRef
    purpose: str
    taken_fen: int
    set_off_fen: int
    returned_fen: int
    held_fen: int
    moves: list[DepositMoveOut]

    @staticmethod
    def resolve_moves(obj: Deposit) -> list[DepositMove]:
        """In the order in which they were made."""
        return list(obj.moves.all())
