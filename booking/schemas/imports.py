"""What comes out of the import endpoints; a file goes in."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ninja import Schema

from base_ops.core.problems import FieldProblem, Problem
from booking.services.importing import Outcome, RowState


class RowOut(Schema):
    """One row of the file; several share a number when an event is a series.

    `faults` name the column and say why; money only for whom it concerns.
    """

    row: int
    state: RowState
    code: str | None
    space: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    title: str
    booking: str | None
    status: str | None
    price_fen: int | None
    faults: list[FieldProblem]
    conflicts: list[dict[str, Any]]
    broken: list[dict[str, Any]]


class ImportOut(Schema):
    """What became of a file, or would; `ignored` are columns that nobody asked for."""

    dry_run: bool
    tenant: str
    booked: int
    counts: dict[RowState, int]
    total_fen: int | None
    ignored: list[str]
    rows: list[RowOut]


class ImportRefusedProblem(Problem):
    """409 import_refused."""

    rows: list[RowOut] = []


def import_out(
    outcomes: Sequence[Outcome],
    *,
    dry_run: bool,
    tenant: str,
    ignored: Sequence[str],
    priced: bool,
) -> ImportOut:
    """The report on a file."""
    made = [o.booking for o in outcomes if o.booking is not None]
    return ImportOut(
        dry_run=dry_run,
        tenant=tenant,
        booked=0 if dry_run else len(made),
        counts={state: sum(o.state is state for o in outcomes) for state in RowState},
        total_fen=sum(b.price_fen for b in made) if priced else None,
        ignored=list(ignored),
        rows=[row_out(o, kept=not dry_run, priced=priced) for o in outcomes],
    )


def row_out(outcome: Outcome, *, kept: bool, priced: bool) -> RowOut:
    """One row; a booking that was taken back again has no code."""
    wanted, booking = outcome.wanted, outcome.booking
    return RowOut(
        row=outcome.number,
        state=outcome.state,
        code=outcome.code or None,
        space=booking.space.code if booking else wanted.space if wanted else None,
        starts_at=wanted.span.start if wanted else None,
        ends_at=wanted.span.end if wanted else None,
        title=wanted.title if wanted else "",
        booking=booking.code if booking and kept else None,
        status=booking.status if booking else None,
        price_fen=booking.price_fen if booking and priced else None,
        faults=[
            FieldProblem(name=f.name, reason_zh=f.reason_zh, reason_en=f.reason_en)
            for f in outcome.faults
        ],
        conflicts=[dict(c) for c in outcome.conflicts],
        broken=[dict(b) for b in outcome.broken],
    )
