"""Invoice runs: repeatable, resumable, gapless, immutable."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from base_ops.core import live
from base_ops.core.actors import SYSTEM
from base_ops.core.models import Tenant
from billing import services
from billing.domain.catalog import NotPriced
from billing.domain.facts import LeaseFacts
from billing.domain.quote import Quote
from billing.models import Budget, Charge, Invoice, InvoiceLine, InvoiceRun, UsageFact
from billing.services import numbers, runs
from tests import make
from tests.billing.data import span
from tests.billing.world import finished, room

NOVEMBER = (date(2026, 11, 1), date(2026, 11, 30))


def november(now: datetime) -> InvoiceRun:
    return services.preview_run(
        period_from=NOVEMBER[0], period_to=NOVEMBER[1], actor=SYSTEM, now=now
    )


def approved(now: datetime) -> InvoiceRun:
    run = november(now)
    services.approve_run(run_id=run.pk, inputs_hash=run.inputs_hash, actor=SYSTEM, now=now)
    return services.ask_issue(run_id=run.pk, actor=SYSTEM, now=now)


def some_charges(now: datetime, tenants: int = 3) -> list[Tenant]:
    space = room()
    found = [make.tenant(compliance_rating="A") for _ in range(tenants)]
    for i, tenant in enumerate(found):
        finished(tenant=tenant, space=space, span=span("11-16 10:00", 4), now=now)
        finished(tenant=tenant, space=space, span=span(f"11-1{i % 9} 18:00", 3), now=now)
    return found


def content() -> list[tuple[object, ...]]:
    """All documents, as they would be compared by an auditor."""
    return [
        (i.number, i.tenant.code, i.net_fen, i.vat_fen, i.gross_fen, *lines(i))
        for i in Invoice.objects.order_by("number")
    ]


def lines(invoice: Invoice) -> list[tuple[object, ...]]:
    return list(invoice.lines.values_list("position", "description_zh", "net_fen", "vat_fen"))


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


class Killed(Exception):
    """The process dies here."""


@pytest.mark.usefixtures("prices")
@pytest.mark.parametrize("fatal_step", range(1, 5))
def test_a_run_killed_half_way_resumes_to_the_same_documents(
    later: datetime, monkeypatch: pytest.MonkeyPatch, fatal_step: int
) -> None:
    some_charges(later, 4)
    run = approved(later)
    with transaction.atomic():
        services.issue_due(later)
        undisturbed = content()
        transaction.set_rollback(True)
    steps = iter(range(1, 100))

    def draw_and_die(*, document: str, year: int) -> str:
        number = numbers_draw(document=document, year=year)
        if next(steps) == fatal_step:
            raise Killed
        return number

    numbers_draw = numbers.draw
    monkeypatch.setattr(numbers, "draw", draw_and_die)
    with pytest.raises(Killed):
        services.issue_due(later)
    assert Invoice.objects.count() == fatal_step - 1
    services.issue_due(later)

    run.refresh_from_db()
    assert (run.status, run.entries_done) == ("issued", 4)
    assert content() == undisturbed


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
    assert seq == 3 + 3 + 1
    assert state["progress"]["status"] == "issued"
    assert (state["progress"]["done"], state["progress"]["total"]) == (3, 3)
    assert state["last"]["invoice"] == "PYB-2026-000003"


@pytest.mark.usefixtures("prices")
def test_a_changed_booking_replaces_its_reservation(later: datetime) -> None:
    tenant, space = make.tenant(industry="jewellery"), room("studio_jewel")
    budget = Budget.objects.filter(policy_code="P08", year=2026)

    def booked(hours: int) -> int:
        quote = services.quote(
            tenant=tenant,
            space=space,
            span=span("11-18 19:00", hours),
            ignore_source="booking/B",
            now=later,
        )
        services.reserve(source="booking/B", tenant=tenant, quote=quote, now=later)
        return quote.discount_fen

    booked(4)

    assert booked(2) == budget.get().reserved_fen == 9600
    services.release(source="booking/B", now=later)
    services.release(source="booking/B", now=later)
    assert budget.get().reserved_fen == 0


@pytest.mark.usefixtures("prices")
def test_many_rooms_are_priced_at_once_and_unpriced_ones_are_left_out(later: datetime) -> None:
    tenant, hourly, monthly = make.tenant(), room(), room("incubator")
    when = span("11-18 10:00", 2)

    found = services.quote_many(tenant=tenant, spaces=[hourly, monthly], span=when, now=later)

    assert {pk: q.total_fen for pk, q in found.items()} == {hourly.pk: 12_000}
    with pytest.raises(NotPriced):
        services.quote(tenant=tenant, space=monthly, span=when, now=later)


@pytest.mark.usefixtures("prices")
def test_lease_months_are_charged_once_and_their_relief_is_budgeted(later: datetime) -> None:
    tenant, space = make.tenant(compliance_rating="A"), room(name_zh="单人直播间07")
    facts = LeaseFacts(
        lease_code="LS1",
        tenant_id=tenant.pk,
        space_id=space.pk,
        month=date(2026, 11, 1),
        starts_on=date(2026, 3, 1),
        ends_on=date(2027, 2, 28),
        area_m2=Decimal(15),
        policy="P02",
    )
    first = services.charge_lease(facts=facts, now=later)
    again = services.charge_lease(facts=facts, now=later)
    approved(later)
    services.issue_due(later)

    assert [c.gross_fen for c in first] == [420_000, -210_000]
    assert [c.pk for c in again] == [c.pk for c in first]
    budget = Budget.objects.get(policy_code="P02", year=2026)
    assert (budget.reserved_fen, budget.committed_fen) == (0, 210_000)


@pytest.mark.usefixtures("prices")
def test_monthly_use_counts_other_bookings_but_not_the_one_being_priced(later: datetime) -> None:
    tenant, space = make.tenant(joined_on=date(2026, 6, 1)), room()

    def quoted(day: int, source: str) -> Quote:
        quote = services.quote(
            tenant=tenant,
            space=space,
            span=span(f"11-{day} 10:00", 8),
            ignore_source=source,
            now=later,
        )
        services.reserve(source=source, tenant=tenant, quote=quote, now=later)
        return quote

    first, again = quoted(16, "booking/1"), quoted(16, "booking/1")
    second, third = quoted(17, "booking/2"), quoted(18, "booking/3")

    free = [next(v.half_hours for v in q.policies if v.code == "P01") for q in (first, second)]
    assert again == first
    assert free == [16, 4]
    assert next(v for v in third.policies if v.code == "P01").verdict == "refused"


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
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE billing_charge SET gross_fen = gross_fen",
        "DELETE FROM billing_charge",
        "UPDATE billing_usagefact SET kind = 'x'",
        "DELETE FROM billing_usagefact",
        "UPDATE billing_invoiceline SET position = position + 100",
        "DELETE FROM billing_invoiceline",
        "UPDATE billing_invoice SET gross_fen = gross_fen",
        "DELETE FROM billing_invoice",
    ],
)
def test_the_database_refuses_to_change_what_was_issued(later: datetime, statement: str) -> None:
    some_charges(later, 1)
    approved(later)
    services.issue_due(later)

    with (
        pytest.raises(DatabaseError, match=r"immutable|is issued"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


@pytest.mark.usefixtures("prices")
def test_no_line_can_be_added_to_an_issued_invoice(later: datetime) -> None:
    [tenant] = some_charges(later, 1)
    approved(later)
    services.issue_due(later)
    [charge, *_] = finished(tenant=tenant, space=room(), span=span("11-20 10:00", 1), now=later)

    with pytest.raises(DatabaseError, match="is issued"), transaction.atomic():
        InvoiceLine.objects.create(
            invoice=Invoice.objects.get(),
            charge=charge,
            position=99,
            vat_rate="0.06",
            net_fen=0,
            vat_fen=0,
            gross_fen=0,
        )


@pytest.mark.usefixtures("prices")
def test_an_invoice_whose_lines_do_not_add_up_cannot_be_issued(later: datetime) -> None:
    [tenant] = some_charges(later, 1)
    invoice = Invoice.objects.create(
        kind="invoice",
        tenant=tenant,
        period_from=NOVEMBER[0],
        period_to=NOVEMBER[1],
        issued_at=later,
        issued_on=date(2026, 12, 1),
        due_on=date(2026, 12, 16),
        seller={},
        buyer={},
    )
    invoice.status, invoice.number, invoice.net_fen, invoice.gross_fen = "issued", "X", 1, 1

    with pytest.raises(DatabaseError, match="do not add up"), transaction.atomic():
        invoice.save()


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


@pytest.mark.usefixtures("prices")
def test_one_fact_is_charged_once(later: datetime) -> None:
    tenant, space = make.tenant(), room()
    first = finished(
        tenant=tenant, space=space, span=span("11-16 10:00", 4), now=later, booking_code="BKX"
    )

    again = finished(
        tenant=tenant,
        space=space,
        span=span("11-16 10:00", 4),
        now=later,
        booking_code="BKX",
        outcome="no_show",
    )

    assert [c.pk for c in again] == [c.pk for c in first]
    assert (UsageFact.objects.count(), Charge.objects.count()) == (1, len(first))


@pytest.mark.usefixtures("prices")
def test_budgets_are_reserved_committed_and_released(later: datetime) -> None:
    tenant = make.tenant(industry="jewellery", compliance_rating="B")
    space = room("studio_jewel")
    budget = Budget.objects.get(policy_code="P08", year=2026)
    finished(tenant=tenant, space=space, span=span("11-18 19:00", 4), now=later)
    budget.refresh_from_db()
    assert (budget.reserved_fen, budget.committed_fen) == (17_400, 0)

    approved(later)
    services.issue_due(later)
    finished(tenant=tenant, space=space, span=span("11-19 19:00", 4), now=later, outcome="no_show")

    budget.refresh_from_db()
    assert (budget.reserved_fen, budget.committed_fen) == (0, 17_400)
