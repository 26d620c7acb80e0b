"""Statements of a month, and objections to the lines of their documents."""

from datetime import date, datetime

from django.db import transaction

from base_ops.core import audit
from base_ops.core.actors import Actor
from base_ops.core.errors import Invalid, NotFound
from base_ops.core.models import Tenant
from billing.domain import disputes
from billing.domain.disputes import DisputeDeed, DisputeState, StatementState
from billing.domain.texts import local_day
from billing.models import Dispute, Invoice, Statement, StatementEntry
from billing.selectors import movements
from billing.selectors.documents import month_days


class NoSuchPayer(NotFound):
    """There is no such tenant."""

    code, title_zh, title_en = "no_such_payer", "没有该租户", "No such tenant"


class NoSuchLine(NotFound):
    """The document has no such line."""

    code, title_zh, title_en = "no_such_line", "没有该账单行", "No such line"


class MonthNotBegun(Invalid):
    """There is nothing to state of a month that has not begun."""

    code, title_zh, title_en = "month_not_begun", "该月份尚未开始", "The month has not begun"


def make_statement(*, tenant: str, month: str, actor: Actor, now: datetime) -> Statement:
    """State a tenant's month as it is now; an unconfirmed one of the same month is replaced.

    Raises:
        NoSuchPayer, MonthNotBegun.
        StatementClosed: that month is confirmed.
    """
    first, last = month_days(month)
    if first > local_day(now):
        raise MonthNotBegun(month)
    with transaction.atomic():
        payer = Tenant.objects.select_for_update(no_key=True).filter(code=tenant).first()
        if payer is None:
            raise NoSuchPayer(tenant)
        _replace(payer, first)
        found = movements.movements(payer.pk, first, last)
        opening = movements.balance_before(payer.pk, first)
        moved = sum(m.amount_fen for m in found)
        row = Statement.objects.create(
            tenant=payer, month=first, opening_fen=opening, moved_fen=moved,
            closing_fen=opening + moved, created_by=actor.label, created_at=now,
        )  # fmt: skip
        _entries(row, found)
        _record("statement.make", row, None, actor, now)
    return row


def _replace(payer: Tenant, first: date) -> None:
    rows = Statement.objects.filter(tenant=payer, month=first)
    if rows.filter(state=StatementState.CONFIRMED).exists():
        raise disputes.StatementClosed("that month is confirmed")
    rows.filter(state=StatementState.SENT).update(state=StatementState.REPLACED)


def _entries(row: Statement, found: list[movements.Movement]) -> None:
    balance = row.opening_fen
    rows = []
    for place, move in enumerate(found, start=1):
        balance += move.amount_fen
        rows.append(
            StatementEntry(
                statement=row,
                position=place,
                kind=move.kind,
                on=move.on,
                reference=move.reference,
                invoice_id=move.invoice_id,
                amount_fen=move.amount_fen,
                balance_fen=balance,
            )
        )
    StatementEntry.objects.bulk_create(rows, batch_size=500)


def confirm(*, statement: Statement, actor: Actor, now: datetime) -> Statement:
    """The tenant agrees; again, nothing changes.

    Raises:
        StatementClosed: a newer one took its place.
        DisputesOpen: an objection to one of its documents waits.
    """
    with transaction.atomic():
        row = Statement.objects.select_for_update(no_key=True).get(pk=statement.pk)
        if row.state == StatementState.CONFIRMED:
            return row
        if row.state != StatementState.SENT:
            raise disputes.StatementClosed(f"it is {row.state}")
        papers = [entry.invoice_id for entry in row.entries.all() if entry.invoice_id]
        if waiting := movements.open_disputes(papers):
            raise disputes.DisputesOpen(f"{waiting} wait", open=waiting)
        row.state = StatementState.CONFIRMED
        row.confirmed_by, row.confirmed_at = actor.label, now
        row.save(update_fields=["state", "confirmed_by", "confirmed_at"])
        _record("statement.confirm", row, StatementState.SENT, actor, now)
    return row


def raise_dispute(
    *, invoice: Invoice, position: int, reason: str, actor: Actor, now: datetime
) -> Dispute:
    """Object to one line.

    Raises:
        NoSuchLine: the document has none at this place.
        DisputeOpen: an objection to it waits already.
    """
    with transaction.atomic():
        line = invoice.lines.select_for_update(no_key=True).filter(position=position).first()
        if line is None:
            raise NoSuchLine(f"{invoice.number}/{position}")
        if Dispute.objects.filter(line=line, state=DisputeState.RAISED).exists():
            raise disputes.DisputeOpen(f"{invoice.number}/{position}")
        row = Dispute.objects.create(
            line=line, tenant_id=invoice.tenant_id, reason=reason, raised_by=actor.label,
            raised_at=now,
        )  # fmt: skip
        _record("dispute.raise", row, None, actor, now)
    return row


def settle_dispute(
    *, dispute: Dispute, deed: DisputeDeed, answer: str, actor: Actor, now: datetime
) -> Dispute:
    """The base accepts or rejects it, or the tenant withdraws it.

    Raises:
        DisputeClosed: it does not wait any more.
    """
    with transaction.atomic():
        row = Dispute.objects.select_for_update(no_key=True).get(pk=dispute.pk)
        row.state = disputes.after(row.state, deed)
        row.answer, row.answered_by, row.answered_at = answer, actor.label, now
        row.save(update_fields=["state", "answer", "answered_by", "answered_at"])
        _record(f"dispute.{deed}", row, DisputeState.RAISED, actor, now)
    return row


def _record(
    action: str, row: Statement | Dispute, before: str | None, actor: Actor, now: datetime
) -> None:
    said: dict[str, object] = {"state": row.state}
    if isinstance(row, Dispute):
        said |= {"line": row.line_id, "reason": row.reason, "answer": row.answer}
    else:
        said |= {"month": f"{row.month:%Y-%m}", "closing_fen": row.closing_fen}
    audit.record(
        actor=actor, action=action, object_type=action.partition(".")[0],
        object_code=str(row.pk), before=None if before is None else {"state": before},
        after=said, now=now,
    )  # fmt: skip
