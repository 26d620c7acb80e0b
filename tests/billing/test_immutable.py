"""The database refuses to change what was charged or issued."""

from datetime import date, datetime

import pytest
from django.db import DatabaseError, connection, transaction

from billing import services
from billing.models import Invoice, InvoiceLine
from tests.billing.data import span
from tests.billing.run_world import NOVEMBER, approved, some_charges
from tests.billing.world import finished, room


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
