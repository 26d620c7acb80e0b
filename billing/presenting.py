"""Rows of billing as the API shows them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from base_ops.core.schemas import TenantRef
from billing.domain.capitals import capitals
from billing.domain.catalog import PriceBook, Surge
from billing.domain.policylang.upgrading import upgrade
from billing.domain.quarantine import reason
from billing.models import (
    Budget,
    Charge,
    Invoice,
    InvoiceRun,
    PolicyRow,
    RunEntry,
)
from billing.schemas import (
    BudgetOut,
    ChargeOut,
    EntryOut,
    InvoiceDetailOut,
    InvoiceOut,
    LineOut,
    PolicyOut,
    RunDetailOut,
    RunIn,
    RunOut,
)
from billing.selectors.documents import MAX_LINES, month_days


def tariffs(book: PriceBook) -> dict[str, Any]:
    """The book's tariffs, with bands and surge days."""
    return {
        "version": book.version,
        "bands": book.bands,
        "surges": [_surge(surge) for surge in book.surges],
        "day_prices": [
            {"code": p.code, "name_zh": p.name_zh, "name_en": p.name_en, "factor": p.factor,
             "kinds": sorted(p.kinds), "bands": sorted(p.bands)}
            for p in book.day_prices
        ],
        "tariffs": list(book.tariffs.values()),
    }  # fmt: skip


def _surge(surge: Surge) -> dict[str, Any]:
    first, last = surge.first, surge.last
    return {
        "code": surge.code, "name_zh": surge.name_zh, "name_en": surge.name_en,
        "from_md": f"{first[0]:02d}-{first[1]:02d}", "to_md": f"{last[0]:02d}-{last[1]:02d}",
        "multiplier": surge.multiplier, "bands": sorted(surge.bands),
    }  # fmt: skip


def policies(rows: Iterable[PolicyRow], *, budgets: bool) -> list[PolicyOut]:
    """Policies, with their budgets or without."""
    found: Mapping[str, list[BudgetOut]] = defaultdict(list)
    for budget in Budget.objects.all() if budgets else ():
        found[budget.policy_code].append(BudgetOut.from_orm(budget))
    return [
        PolicyOut.from_orm(row).model_copy(
            update={"budgets": found.get(row.code, []), "document": _document(row)}
            if budgets
            else {}
        )
        for row in rows
    ]


def _document(row: PolicyRow) -> dict[str, Any]:
    """The policy in the language, which not all of them were written in."""
    return row.data if "language" in row.data else upgrade(row.data, (row.label_zh, row.label_en))


def period(wish: RunIn) -> tuple[date, date]:
    """First and last day of the wished period."""
    if wish.month is not None:
        return month_days(wish.month)
    if wish.period_from is None or wish.period_to is None:
        raise ValueError("the schema lets only complete periods through")
    return wish.period_from, wish.period_to


def run_detail(run: InvoiceRun) -> RunDetailOut:
    """A run with its documents; lines only when they are few enough for one answer."""
    entries = list(run.entries.select_related("tenant", "invoice"))
    wanted = [pk for entry in entries for pk in entry.charge_ids]
    omitted = len(wanted) > MAX_LINES
    rows = Charge.objects.select_related("tenant", "invoice_line__invoice")
    charges = {} if omitted else rows.in_bulk(wanted)
    return RunDetailOut(
        **RunOut.from_orm(run).model_dump(),
        entries=[_entry(entry, charges) for entry in entries],
        lines_omitted=omitted,
    )


def _entry(entry: RunEntry, charges: Mapping[int, Charge]) -> EntryOut:
    return EntryOut(
        position=entry.position,
        tenant=TenantRef.from_orm(entry.tenant),
        document=entry.document,
        net_fen=entry.net_fen,
        vat_fen=entry.vat_fen,
        gross_fen=entry.gross_fen,
        line_count=len(entry.charge_ids),
        invoice=entry.invoice.number if entry.invoice else None,
        problem=entry.problem,
        problem_zh=reason(entry.problem).zh,
        problem_en=reason(entry.problem).en,
        note=entry.note,
        lines=[ChargeOut.from_orm(charges[pk]) for pk in entry.charge_ids if pk in charges],
    )


def invoice_detail(invoice: Invoice) -> InvoiceDetailOut:
    """A document with its lines."""
    return InvoiceDetailOut(
        **InvoiceOut.from_orm(invoice).model_dump(),
        seller=invoice.seller,
        buyer=invoice.buyer,
        capitals_zh=f"人民币{capitals(invoice.gross_fen)}",
        lines=[LineOut.from_orm(line) for line in invoice.lines.all()],
    )
