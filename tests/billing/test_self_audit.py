"""The nightly self-audit finds a seeded fault of each kind, and nothing where there is none."""

from datetime import datetime, timedelta

import pytest
from django.db import connection

from base_ops.core import live
from base_ops.core.models import Role
from base_ops.core.models.notices import Notice
from billing import services
from billing.models import SelfAudit
from billing.services import auditing
from tests import make
from tests.billing.data import span
from tests.billing.run_world import approved, some_charges
from tests.billing.test_api import caller
from tests.billing.world import finished, room

pytestmark = pytest.mark.usefixtures("prices")
FAULTS = {
    "charges_from_facts": "UPDATE billing_charge SET gross_fen = gross_fen + 53, net_fen = net_fen"
    " + 50, vat_fen = vat_fen + 3 WHERE id = (SELECT max(id) FROM billing_charge)",
    "tax_by_line": "UPDATE billing_charge SET net_fen = net_fen + 1, vat_fen = vat_fen - 1"
    " WHERE id = (SELECT min(id) FROM billing_charge)",
    "documents_add_up": "DELETE FROM billing_invoiceline"
    " WHERE id = (SELECT max(id) FROM billing_invoiceline)",
    "lines_from_charges": "UPDATE billing_invoiceline SET net_fen = net_fen - 7,"
    " vat_fen = vat_fen + 7 WHERE id = (SELECT max(id) FROM billing_invoiceline)",
    "numbers_without_gaps": "UPDATE billing_numberseries SET last = last + 1",
    "budgets_from_reservations": "UPDATE billing_budget SET reserved_fen = reserved_fen + 1"
    " WHERE policy_code = 'P08'",
    "books_agree": "UPDATE billing_openitem SET settled_fen = 1"
    " WHERE invoice_id = (SELECT max(invoice_id) FROM billing_openitem)",
}


def november(later: datetime) -> None:
    """Documents, and one stay that is still open."""
    some_charges(later)
    approved(later)
    services.issue_due(later)
    jeweller = make.tenant(industry="jewellery", compliance_rating="B")
    finished(tenant=jeweller, space=room("studio_jewel"), span=span("11-18 19:00", 4), now=later)


def test_a_night_without_faults_is_quiet_and_comes_once(later: datetime) -> None:
    november(later)

    assert auditing.audit_due(later - timedelta(hours=7)) is False  # 02:00
    assert auditing.audit_due(later)
    assert auditing.audit_due(later) is False
    [row] = caller(Role.FINANCE, later).get("/self-audits").json()["items"]
    assert (row["ok"], row["fault_count"]) == (True, 0), row
    assert {check["code"] for check in row["checks"]} == set(FAULTS)
    assert not Notice.objects.filter(kind="billing.audit_failed").exists()
    assert live.state(auditing.TOPIC)[2]["last"]["ok"] is True
    assert caller(Role.TENANT_ADMIN, later).get("/self-audits").status_code == 403


@pytest.mark.parametrize("code", FAULTS)
def test_a_seeded_fault_is_found_told_and_shown(code: str, later: datetime) -> None:
    november(later)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(FAULTS[code])
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")

    auditing.audit(later)

    row = SelfAudit.objects.get()
    assert row.ok is False
    found = {check["code"] for check in row.checks if check["fault_count"]}
    assert code in found
    assert Notice.objects.filter(kind="billing.audit_failed").count() == 1


def test_every_check_has_a_fault_that_it_finds() -> None:
    assert {check.code for check in auditing.CHECKS} == set(FAULTS)
