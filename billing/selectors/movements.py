"""What moved a tenant's balance: documents up (credit notes down), money down, refunds up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Q, QuerySet, Sum

from base_ops.core.errors import NotFound
from base_ops.core.models import User
from billing.domain.disputes import DisputeState
from billing.models import Dispute, Invoice, Payment, Refund, Statement

# Money in the wallet was a payment when it came in; a credit note is a document here.
_OWN = Q(method__in=("wallet", "credit_note"))


class NoSuchStatement(NotFound):
    """There is no such statement, or it is another tenant's."""

    code, title_zh, title_en = "no_such_statement", "没有该对账单", "No such statement"


class NoSuchDispute(NotFound):
    """There is no such dispute, or it is another tenant's."""

    code, title_zh, title_en = "no_such_dispute", "没有该异议", "No such dispute"


@dataclass(frozen=True, slots=True)
class Movement:
    """One change of the balance, in fen; what is owed counts up."""

    on: date
    kind: str
    reference: str
    amount_fen: int
    invoice_id: int | None = None


def balance_before(tenant_id: int, day: date) -> int:
    """What was owed when the day began; below zero, what was paid too much."""
    papers = Invoice.objects.filter(tenant_id=tenant_id, status="issued", issued_on__lt=day)
    paid = _payments(tenant_id).filter(received_on__lt=day)
    back = _refunds(tenant_id).filter(on__lt=day)
    return (
        (papers.aggregate(n=Sum("gross_fen"))["n"] or 0)
        - (paid.aggregate(n=Sum("amount_fen"))["n"] or 0)
        + (back.aggregate(n=Sum("amount_fen"))["n"] or 0)
    )


def movements(tenant_id: int, first: date, last: date) -> list[Movement]:
    """Both days included, in order of days: documents before money."""
    papers = Invoice.objects.filter(
        tenant_id=tenant_id, status="issued", issued_on__range=(first, last)
    ).order_by("issued_on", "number")
    found = [Movement(i.issued_on, i.kind, str(i.number), i.gross_fen, i.pk) for i in papers]
    paid = _payments(tenant_id).filter(received_on__range=(first, last)).order_by("id")
    found += [
        Movement(p.received_on, "payment", p.bank_reference or p.source, -p.amount_fen)
        for p in paid
    ]
    back = _refunds(tenant_id).filter(on__range=(first, last)).order_by("id")
    found += [Movement(r.on, "refund", f"refund {r.pk}", r.amount_fen) for r in back]
    return sorted(found, key=lambda m: m.on)


def _payments(tenant_id: int) -> QuerySet[Payment]:
    return Payment.objects.filter(tenant_id=tenant_id, voided_at=None).exclude(_OWN)


def _refunds(tenant_id: int) -> QuerySet[Refund]:
    return Refund.objects.filter(tenant_id=tenant_id)


def statements(
    *, user: User, tenant: str | None = None, month: date | None = None
) -> QuerySet[Statement]:
    """Statements the user may see."""
    rows = Statement.objects.select_related("tenant")
    if user.tenant_id is not None:
        rows = rows.filter(tenant_id=user.tenant_id)
    if tenant:
        rows = rows.filter(tenant__code=tenant)
    return rows.filter(month=month) if month else rows


def disputes(
    *, user: User, tenant: str | None = None, state: str | None = None
) -> QuerySet[Dispute]:
    """Disputes the user may see."""
    rows = Dispute.objects.select_related("tenant", "line__invoice", "line__charge__fact")
    if user.tenant_id is not None:
        rows = rows.filter(tenant_id=user.tenant_id)
    if tenant:
        rows = rows.filter(tenant__code=tenant)
    return rows.filter(state=state) if state else rows


def open_disputes(invoice_ids: Sequence[int]) -> int:
    """How many objections to these documents wait."""
    rows = Dispute.objects.filter(state=DisputeState.RAISED)
    return rows.filter(line__invoice_id__in=list(invoice_ids)).count()


def statement(*, user: User, statement_id: int) -> Statement:
    """One statement.

    Raises:
        NoSuchStatement: unknown, or another tenant's.
    """
    row = statements(user=user).filter(pk=statement_id).first()
    if row is None:
        raise NoSuchStatement(f"statement {statement_id}")
    return row


def dispute(*, user: User, dispute_id: int) -> Dispute:
    """One dispute.

    Raises:
        NoSuchDispute: unknown, or another tenant's.
    """
    row = disputes(user=user).filter(pk=dispute_id).first()
    if row is None:
        raise NoSuchDispute(f"dispute {dispute_id}")
    return row
