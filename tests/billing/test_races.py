"""Several processes at once: budgets, numbers and runs; and a negative control for each lock."""

from collections import Counter
from datetime import datetime

import pytest
from django.db import IntegrityError, connection, transaction

from base_ops.core.actors import SYSTEM
from billing import importers, services
from billing.models import Budget, Invoice, InvoiceRun, OpenItem, Payment
from billing.selectors import books
from tests import make
from tests.billing import rivals
from tests.billing.data import demo, span
from tests.billing.money import paid
from tests.billing.run_world import NOVEMBER, content
from tests.billing.world import finished, room

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def loaded(transactional_db: None) -> None:
    importers.load({**demo(), "tenants": [], "training_programmes": []})


def run_of(tenants: int, now: datetime) -> InvoiceRun:
    space = room()
    for i in range(tenants):
        finished(tenant=make.tenant(), space=space, span=span(f"11-{i + 1:02d} 10:00", 4), now=now)
    run = services.preview_run(
        period_from=NOVEMBER[0], period_to=NOVEMBER[1], actor=SYSTEM, now=now
    )
    services.approve_run(run_id=run.pk, actor=SYSTEM, now=now)
    return services.ask_issue(run_id=run.pk, actor=SYSTEM, now=now)


def test_the_last_yuan_of_a_budget_goes_to_one_of_sixteen(later: datetime) -> None:
    room("studio_jewel", code="RACE")
    tenants = [make.tenant(industry="jewellery").code for _ in range(16)]
    Budget.objects.filter(policy_code="P08", year=2026).update(limit_fen=125_000)
    four_each = [" ".join(tenants[n::4]) for n in range(4)]

    outcomes = Counter(x for answer in rivals.race("reserve", four_each) for x in answer)

    budget = Budget.objects.get(policy_code="P08", year=2026)
    assert budget.left_fen == 0
    assert budget.reserved_fen == 125_000
    given = {code: n for code, n in outcomes.items() if code.startswith("reserved")}
    assert sum(int(code.split()[1]) * n for code, n in given.items()) == 125_000
    assert sum(outcomes.values()) == 64
    assert set(outcomes) - set(given) <= {"budget_used_up"}


def test_a_budget_cannot_be_overspent_even_past_the_service() -> None:
    with pytest.raises(IntegrityError, match="budget_never_negative"), transaction.atomic():
        Budget.objects.filter(policy_code="P08", year=2026).update(reserved_fen=30_000_001)
    with pytest.raises(IntegrityError, match="budget_never_negative"), transaction.atomic():
        Budget.objects.filter(policy_code="P08", year=2026).update(reserved_fen=-1)


def test_numbers_are_gapless_among_processes_that_roll_back() -> None:
    drawn = [n for answer in rivals.race("draw", ["0", "1", "2"]) for n in answer]

    assert sorted(drawn) == [f"PYB-2026-{n:06d}" for n in range(1, len(drawn) + 1)]
    assert len(drawn) == 60


def test_two_processes_issue_one_run_as_one_would(later: datetime) -> None:
    run = run_of(12, later)
    with transaction.atomic():
        services.issue_due(later)
        alone = content()
        transaction.set_rollback(True)

    made = rivals.race("issue", [str(run.pk)] * 3)

    run.refresh_from_db()
    assert sum(made) == 12
    assert (run.status, run.entries_done) == ("issued", 12)
    assert content() == alone


def test_a_process_killed_while_issuing_leaves_no_half_document(later: datetime) -> None:
    run = run_of(12, later)
    with transaction.atomic():
        services.issue_due(later)
        undisturbed = content()
        transaction.set_rollback(True)
    victim = rivals.start("issue", str(run.pk))
    assert victim.stdin is not None
    victim.stdin.write("go\n")
    victim.stdin.flush()
    while not Invoice.objects.exists():
        assert victim.poll() is None
    victim.kill()
    victim.communicate()

    services.issue_due(later)

    run.refresh_from_db()
    assert (run.status, run.entries_done) == ("issued", 12)
    assert content() == undisturbed


def test_without_the_unique_line_a_charge_could_be_billed_twice(later: datetime) -> None:
    """Negative control: two documents for one charge are refused only by the constraint."""
    run_of(1, later)
    services.issue_due(later)
    copy = (
        "INSERT INTO billing_invoice (number, kind, status, tenant_id, period_from, period_to,"
        " issued_at, issued_on, due_on, seller, buyer, line_count, net_fen, vat_fen, gross_fen)"
        " SELECT NULL, kind, 'draft', tenant_id, period_from, period_to, issued_at, issued_on,"
        " due_on, seller, buyer, 0, 0, 0, 0 FROM billing_invoice RETURNING id"
    )
    line = (
        "INSERT INTO billing_invoiceline (invoice_id, charge_id, position, description_zh,"
        " description_en, band, surge, quantity, unit, unit_fen, price_text, policy, vat_category,"
        " vat_rate, net_fen, vat_fen, gross_fen) SELECT %s, charge_id, position, description_zh,"
        " description_en, band, surge, quantity, unit, unit_fen, price_text, policy, vat_category,"
        " vat_rate, net_fen, vat_fen, gross_fen FROM billing_invoiceline"
    )

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(copy)
        other = cursor.fetchone()[0]
        with pytest.raises(IntegrityError, match="charge_id"):
            cursor.execute(line, [other])
        transaction.set_rollback(True)


def test_rivals_neither_overpay_a_document_nor_use_a_payment_twice(later: datetime) -> None:
    run = run_of(3, later)
    services.issue_due(later)
    number = Invoice.objects.latest("pk").number
    tenant = Invoice.objects.latest("pk").tenant
    ids = [paid(tenant, amount).pk for amount in (200, 305)]

    posted = rivals.race("post", ["", "", ""])
    done = rivals.race("allocate", [f"{number}/{ids[0]},{ids[1]}", f"{number}/{ids[1]},{ids[0]}"])

    assert sum(posted) == run.entries_total == 3
    outcomes = Counter(x for answer in done for x in answer)
    assert outcomes == {"allocated": 28 + 30, "over_allocated": 2}
    for payment in Payment.objects.filter(pk__in=ids):
        assert 0 <= payment.left_fen <= payment.amount_fen
    assert OpenItem.objects.get(invoice__number=number).settled_fen == outcomes["allocated"] * 7
    assert set(outcomes) <= {"allocated", "over_allocated"}
    assert books.disagreements() == []
