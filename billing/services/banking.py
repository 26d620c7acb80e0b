"""Payments from a bank's file: every row judged, duplicates left out, certain ones allocated."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from django.db import transaction

from base_ops.core import audit, errors
from base_ops.core.actors import Actor
from base_ops.core.errors import FieldFault
from base_ops.core.models import Tenant
from base_ops.core.tables.files import Line
from billing.domain import bank_rows, matching
from billing.domain.bank_rows import BankLine
from billing.domain.matching import Suggestion
from billing.domain.texts import local_day
from billing.models import Payment
from billing.selectors import matches
from billing.services import paying, posting


class RowState(StrEnum):
    """What became of a row, or would: only `new` ones are recorded."""

    NEW = "new"
    DUPLICATE = "duplicate"
    OUTGOING = "outgoing"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class BankRow:
    """One row: what it says, what became of it, and whose it may be."""

    number: int
    state: RowState
    line: BankLine | None = None
    faults: Sequence[FieldFault] = ()
    suggestions: Sequence[Suggestion] = ()
    payment_id: int | None = None
    allocated: bool = False


class BankImportRefused(errors.Conflict):
    """Some rows cannot be recorded, so none was; `rows` says what is the matter with each."""

    code, title_zh, title_en = (
        "bank_import_refused",
        "有行无法登记,未导入任何内容",
        "Some rows cannot be recorded, nothing was",
    )


def judge(*, lines: Sequence[Line], now: datetime) -> list[BankRow]:
    """What an import would do with each row; nothing is written."""
    read = [(line, *_read(line)) for line in lines]
    references = [found.bank_reference for _, found, _ in read if found]
    rows = Payment.objects.filter(bank_reference__in=references)
    known = set(rows.values_list("bank_reference", flat=True))
    debtors = matches.debtors()
    outcomes = []
    for line, found, faults in read:
        row = _judged(line.number, found, faults, known, now)
        if row.state is RowState.NEW and found is not None:
            known.add(found.bank_reference)
            money = matching.Money(found.amount_fen, found.payer, found.text)
            row = replace(row, suggestions=matching.suggest(money, debtors))
        outcomes.append(row)
    return outcomes


def _read(line: Line) -> tuple[BankLine | None, list[FieldFault]]:
    found, faults = bank_rows.read(line.cells)
    return (None, [*line.faults, *faults]) if line.faults else (found, faults)


def _judged(
    number: int, found: BankLine | None, faults: list[FieldFault], known: set[str | None],
    now: datetime,
) -> BankRow:  # fmt: skip
    if found is None:
        return BankRow(number, RowState.REFUSED, faults=faults)
    if found.bank_reference in known:
        return BankRow(number, RowState.DUPLICATE, found)
    if found.amount_fen <= 0:
        return BankRow(number, RowState.OUTGOING, found)
    fault = None
    if found.received_on > local_day(now):
        fault = FieldFault("received_on", "不可晚于今天", "must not be after today")
    elif posting.is_closed(found.received_on):
        fault = FieldFault("received_on", "该月已结账", "that month is closed")
    if fault is not None:
        return BankRow(number, RowState.REFUSED, found, [fault])
    return BankRow(number, RowState.NEW, found)


def take(
    *, lines: Sequence[Line], skip: bool, allocate: bool, file: str, actor: Actor, now: datetime
) -> list[BankRow]:
    """Record every new row; with `allocate` those that have only one reading are used for it.

    Raises:
        BankImportRefused: without `skip`, when a row is refused; nothing is kept.
    """
    with transaction.atomic():
        rows = judge(lines=lines, now=now)
        if not skip and any(row.state is RowState.REFUSED for row in rows):
            raise BankImportRefused(rows=rows)
        taken = [_take(row, allocate, actor, now) for row in rows]
        audit.record(
            actor=actor, action="bank.import", object_type="bank_file", object_code=file,
            after={"rows": len(rows), "new": sum(r.payment_id is not None for r in taken)},
            now=now,
        )  # fmt: skip
    return taken


def _take(row: BankRow, allocate: bool, actor: Actor, now: datetime) -> BankRow:
    if row.state is not RowState.NEW or row.line is None:
        return row
    line = row.line
    wish = paying.PaymentWish(
        method="transfer", amount_fen=line.amount_fen, received_on=line.received_on,
        bank_reference=line.bank_reference, payer=line.payer, text=line.text,
        source=f"bank/{line.bank_reference}",
    )  # fmt: skip
    payment = paying.record(wish=wish, actor=actor, now=now)
    row = replace(row, payment_id=payment.pk)
    # Looked up again: rows before this one may have paid the same documents.
    best = matching.certain(row.suggestions) if allocate else None
    if best is None:
        return row
    tenant = Tenant.objects.get(code=best.tenant)
    money = matching.Money(line.amount_fen, line.payer, line.text)
    best = matching.certain(matching.suggest(money, matches.debtors(tenant_id=tenant.pk)))
    if best is None:
        return row
    paying.allocate(
        payment_id=payment.pk, parts=best.parts, tenant=tenant, actor=actor, now=now
    )  # fmt: skip
    return replace(row, allocated=True)
