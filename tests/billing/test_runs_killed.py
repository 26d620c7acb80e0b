"""A run that is killed anywhere and resumed gives what it would have given undisturbed."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

import pytest
from django.db import OperationalError, connection

from base_ops.core.actors import SYSTEM
from billing import importers, services
from billing.models import Charge, Invoice, InvoiceRun, UsageFact
from billing.services import issuing, runs
from tests import make
from tests.billing import rivals
from tests.billing.data import demo
from tests.billing.run_world import NOVEMBER, content

pytestmark = pytest.mark.django_db(transaction=True)

TENANTS, EACH = 15, 20
LINES = TENANTS * EACH
BATCH = issuing.Batch(documents=4, lines=2 * EACH)
# The k-th line kills the session that writes it; a sequence counts, whatever is rolled back.
MINE = """
CREATE SEQUENCE mine_lines;
CREATE FUNCTION mine() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('mine_lines') = current_setting('mine.at')::bigint THEN
        PERFORM pg_terminate_backend(pg_backend_pid());
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mine BEFORE INSERT ON billing_invoiceline FOR EACH ROW EXECUTE FUNCTION mine();
"""
CLEAR = "DROP TRIGGER mine ON billing_invoiceline; DROP FUNCTION mine; DROP SEQUENCE mine_lines"
# What was issued is undone past the rules that forbid it.
UNDO = """
SET LOCAL session_replication_role = replica;
UPDATE billing_runentry SET invoice_id = NULL;
DELETE FROM billing_invoiceline;
DELETE FROM billing_invoice;
DELETE FROM billing_numberseries;
UPDATE billing_invoicerun SET status = 'issuing', entries_done = 0, issued_at = NULL
"""


@pytest.fixture
def run(later: datetime, transactional_db: None) -> InvoiceRun:
    """An approved run of 300 lines."""
    importers.load({**demo(), "tenants": [], "training_programmes": []})
    charges(later, tenants=TENANTS, each=EACH)
    made = services.preview_run(
        period_from=NOVEMBER[0], period_to=NOVEMBER[1], actor=SYSTEM, now=later
    )
    services.approve_run(run_id=made.pk, actor=SYSTEM, now=later)
    return services.ask_issue(run_id=made.pk, actor=SYSTEM, now=later)


def charges(now: datetime, *, tenants: int, each: int) -> None:
    """Lines that need no booking."""
    for n in range(tenants):
        who = make.tenant()
        fact = UsageFact.objects.create(
            source=f"killed/{n}", kind="other", tenant=who, payload={}, tariff_version="x",
            recorded_at=now,
        )  # fmt: skip
        Charge.objects.bulk_create(
            Charge(
                source=f"killed/{n}/{i}", fact=fact, tenant=who, kind="service",
                service_on=date(2026, 11, 1 + i % 30), description_zh=f"第{i}行",
                description_en=f"line {i}", gross_fen=106 * i, net_fen=100 * i, vat_fen=6 * i,
                vat_rate=Decimal("0.06"), vat_category="service", created_at=now,
            )
            for i in range(1, each + 1)
        )  # fmt: skip


@pytest.fixture
def mine(run: InvoiceRun) -> Iterator[None]:
    sql(MINE)
    yield
    sql(CLEAR)


def sql(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text)


def issue(run: InvoiceRun, now: datetime) -> None:
    while runs.issue_next(run_id=run.pk, now=now, batch=BATCH) is not None:
        pass


def undo() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"BEGIN; {UNDO}; COMMIT")


def as_issued() -> list[tuple[object, ...]]:
    """All documents and lines, in one look."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT i.number, i.tenant_id, i.net_fen, i.vat_fen, i.gross_fen, i.line_count,"
            " array_agg(l.charge_id::text || '/' || l.position ORDER BY l.position)::text"
            " FROM billing_invoice i JOIN billing_invoiceline l ON l.invoice_id = i.id"
            " GROUP BY i.id ORDER BY i.number"
        )
        return list(cursor.fetchall())


@pytest.mark.usefixtures("mine")
def test_killed_at_every_seventh_line_and_resumed_the_result_is_the_same(
    run: InvoiceRun, later: datetime
) -> None:
    sql("SET mine.at = 0")
    issue(run, later)
    undisturbed = as_issued()
    undo()
    assert [row[0] for row in undisturbed] == [f"PYB-2026-{n:06d}" for n in range(1, TENANTS + 1)]

    different = []
    for k in [*range(1, LINES + 1, 7), LINES]:
        sql(f"SELECT setval('mine_lines', 1, false); SET mine.at = {k}")
        with pytest.raises(OperationalError):
            issue(run, later)
        connection.close()
        sql("SET mine.at = 0")
        half = Invoice.objects.count()
        issue(run, later)
        if as_issued() != undisturbed or half != (k - 1) // (2 * EACH) * 2:
            different.append((k, half))
        undo()

    assert different == []


@pytest.mark.parametrize("lines", [1, 130])
def test_a_process_killed_while_it_writes_leaves_no_half_document(
    run: InvoiceRun, later: datetime, lines: int
) -> None:
    issue(run, later)
    undisturbed = content()
    undo()
    victim = rivals.start("issue", str(run.pk))
    assert victim.stdin is not None
    victim.stdin.write("go\n")
    victim.stdin.flush()
    while Invoice.objects.count() * EACH < lines:
        assert victim.poll() is None
    victim.kill()
    victim.communicate()

    issue(run, later)

    run.refresh_from_db()
    assert (run.status, run.entries_done) == ("issued", TENANTS)
    assert content() == undisturbed
