"""Invoice runs: repeatable, in turns, gapless."""

from datetime import date, datetime

import pytest
from django.db import transaction

from base_ops.core import live
from base_ops.core.actors import SYSTEM
from billing import services
from billing.models import Invoice, InvoiceRun
from billing.services import numbers, runs
from tests.billing.data import span
from tests.billing.run_world import NOVEMBER, approved, november, some_charges
from tests.billing.world import finished, room


@pytest.mark.usefixtures("prices")
def test_preview_equals_what_is_issued(later: datetime) -> None:
    some_charges(later)
    run = approved(later)

    made = services.issue_due(later)

    run.refresh_from_db()
    assert (made, run.status, run.entries_done) == (3, "issued", 3)
    for entry in run.entries.select_related("invoice"):
        assert entry.invoice is not None
        assert entry.invoice.gross_fen == entry.gross_fen
        assert list(entry.invoice.lines.values_list("charge_id", flat=True)) == entry.charge_ids
    numbered = [i.number for i in Invoice.objects.order_by("number")]
    assert numbered == [f"PYB-2026-{n:06d}" for n in (1, 2, 3)]
    assert run.gross_fen == sum(i.gross_fen for i in Invoice.objects.all())


@pytest.mark.usefixtures("prices")
def test_a_second_run_over_the_same_period_finds_nothing(later: datetime) -> None:
    some_charges(later)
    approved(later)
    services.issue_due(later)

    again = approved(later)
    made = services.issue_due(later)

    again.refresh_from_db()
    assert (made, again.entries_total, again.status) == (0, 0, "issued")


@pytest.mark.usefixtures("prices")
def test_late_facts_go_to_the_next_period(later: datetime) -> None:
    [tenant] = some_charges(later, 1)
    approved(later)
    services.issue_due(later)
    finished(tenant=tenant, space=room(), span=span("11-20 10:00", 1), now=later)

    run = services.preview_run(
        period_from=date(2026, 12, 1), period_to=date(2026, 12, 31), actor=SYSTEM, now=later
    )

    assert [len(e.charge_ids) for e in run.entries.all()] == [2]


@pytest.mark.usefixtures("prices")
def test_issue_is_refused_when_inputs_changed_since_approval(later: datetime) -> None:
    some_charges(later)
    first, second = november(later), november(later)
    InvoiceRun.objects.filter(pk=first.pk).update(status="preview")
    services.approve_run(run_id=first.pk, actor=SYSTEM, now=later)
    InvoiceRun.objects.filter(pk=second.pk).update(status="approved")
    services.ask_issue(run_id=first.pk, actor=SYSTEM, now=later)
    services.issue_due(later)

    with pytest.raises(runs.InputsChanged):
        services.ask_issue(run_id=second.pk, actor=SYSTEM, now=later)
    with pytest.raises(runs.WrongState):
        services.approve_run(run_id=second.pk, actor=SYSTEM, now=later)


@pytest.mark.usefixtures("prices")
@pytest.mark.parametrize(
    ("first_day", "last_day"),
    [("2026-11-15", "2026-12-15"), ("2026-12-01", "2026-12-31")],
    ids=["shared days", "shared charges only"],
)
def test_runs_that_overlap_take_turns(later: datetime, first_day: str, last_day: str) -> None:
    some_charges(later)
    first = november(later)
    second = services.preview_run(
        period_from=date.fromisoformat(first_day),
        period_to=date.fromisoformat(last_day),
        actor=SYSTEM,
        now=later,
    )
    services.approve_run(run_id=first.pk, actor=SYSTEM, now=later)

    with pytest.raises(runs.RunOverlaps) as beside_approved:
        services.approve_run(run_id=second.pk, actor=SYSTEM, now=later)
    services.ask_issue(run_id=first.pk, actor=SYSTEM, now=later)
    InvoiceRun.objects.filter(pk=second.pk).update(status="approved")
    with pytest.raises(runs.RunOverlaps) as beside_issuing:
        services.ask_issue(run_id=second.pk, actor=SYSTEM, now=later)

    assert services.issue_due(later) == 3
    for refused in (beside_approved, beside_issuing):
        assert refused.value.context["run"] == first.pk


@pytest.mark.usefixtures("prices")
def test_an_approved_run_that_can_never_be_issued_blocks_nobody(later: datetime) -> None:
    [tenant] = some_charges(later, 1)
    stale = november(later)
    approved(later)
    services.issue_due(later)
    InvoiceRun.objects.filter(pk=stale.pk).update(status="approved")
    finished(tenant=tenant, space=room(), span=span("11-20 10:00", 1), now=later)

    run = approved(later)

    assert (run.status, services.issue_due(later)) == ("issuing", 1)


@pytest.mark.usefixtures("prices")
def test_a_run_that_could_make_no_document_has_failed(later: datetime) -> None:
    some_charges(later)
    doomed = november(later)
    approved(later)
    services.issue_due(later)
    InvoiceRun.objects.filter(pk=doomed.pk).update(status="issuing")

    services.issue_due(later)

    doomed.refresh_from_db()
    assert (doomed.status, doomed.entries_done, doomed.issued_at) == ("failed", 0, None)
    assert live.state(doomed.topic)[2]["progress"]["problems"] == 3


@pytest.mark.usefixtures("prices")
@pytest.mark.parametrize(
    ("first_day", "last_day"),
    [
        ("2026-12-02", "2026-12-31"),
        ("2025-01-01", "2026-12-01"),
        ("1999-12-01", "2000-01-01"),
        ("2026-12-01", "2101-01-01"),
    ],
)
def test_a_period_to_come_or_without_sense_is_refused(
    later: datetime, first_day: str, last_day: str
) -> None:
    with pytest.raises(runs.PeriodOutOfRange):
        services.preview_run(
            period_from=date.fromisoformat(first_day),
            period_to=date.fromisoformat(last_day),
            actor=SYSTEM,
            now=later,
        )


@pytest.mark.usefixtures("prices")
def test_approving_another_preview_than_the_one_seen_is_refused(later: datetime) -> None:
    some_charges(later, 1)
    run = november(later)

    with pytest.raises(runs.InputsChanged):
        services.approve_run(run_id=run.pk, inputs_hash="0" * 64, actor=SYSTEM, now=later)


@pytest.mark.usefixtures("prices")
def test_progress_is_live(later: datetime) -> None:
    some_charges(later)
    run = approved(later)

    services.issue_due(later)

    _, seq, state = live.state(run.topic)
    assert seq == 3 + 1 + 1  # its steps, its one batch, its end
    assert state["progress"]["status"] == "issued"
    assert (state["progress"]["done"], state["progress"]["total"]) == (3, 3)
    assert state["last"]["invoice"] == "PYB-2026-000003"


@pytest.mark.usefixtures("prices")
def test_a_newer_preview_supersedes_the_older(later: datetime) -> None:
    some_charges(later, 1)
    older = november(later)

    november(later)

    older.refresh_from_db()
    assert older.status == "superseded"


@pytest.mark.usefixtures("prices")
def test_an_empty_period_is_refused(later: datetime) -> None:
    with pytest.raises(runs.EmptyPeriod):
        services.preview_run(
            period_from=NOVEMBER[1], period_to=NOVEMBER[0], actor=SYSTEM, now=later
        )


@pytest.mark.usefixtures("prices")
def test_numbers_stay_gapless_when_a_transaction_rolls_back() -> None:
    drawn = []
    for rolls_back in (False, True, True, False):
        with transaction.atomic():
            number = numbers.draw(document="invoice", year=2026)
            transaction.set_rollback(rolls_back)
        if not rolls_back:
            drawn.append(number)

    assert drawn == ["PYB-2026-000001", "PYB-2026-000002"]
