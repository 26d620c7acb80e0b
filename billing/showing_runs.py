"""Runs, their differences and their quarantine as the API shows them."""

from collections.abc import Sequence

from base_ops.core.schemas import TenantRef
from billing.domain.quarantine import reason
from billing.models import InvoiceRun, RunDifference, RunEntry
from billing.schemas.runs import DifferenceOut, DifferencesOut, EntryStateOut, SurpriseOut
from billing.selectors import differences


def difference(
    run: InvoiceRun, rows: Sequence[RunDifference], following: str | None
) -> DifferencesOut:
    """One page of a run's differences, and its totals."""
    return DifferencesOut(
        before_from=run.before_from,
        before_to=run.before_to,
        gross_fen=run.gross_fen,
        before_fen=run.before_fen,
        items=[_tenant(row) for row in rows],
        next=following,
        **differences.totals(run),
    )


def _tenant(row: RunDifference) -> DifferenceOut:
    return DifferenceOut(
        tenant=TenantRef.from_orm(row.tenant),
        gross_fen=row.gross_fen,
        before_fen=row.before_fen,
        change_fen=row.gross_fen - row.before_fen,
        surprises=[SurpriseOut(**surprise) for surprise in row.surprises],
    )


def entry(row: RunEntry) -> EntryStateOut:
    """One document and what keeps it back."""
    words = reason(row.problem)
    return EntryStateOut(
        position=row.position,
        tenant=TenantRef.from_orm(row.tenant),
        document=row.document,
        gross_fen=row.gross_fen,
        invoice=row.invoice.number if row.invoice else None,
        problem=row.problem,
        problem_zh=words.zh,
        problem_en=words.en,
        note=row.note,
    )
