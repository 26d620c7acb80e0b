"""Statements add up, and tenants confirm or dispute them line by line."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from base_ops.core import clock
from base_ops.core.actors import SYSTEM
from base_ops.core.models import Role
from billing.domain.reds import RedReason, Side
from billing.models import Payment
from billing.services import reds
from tests import make
from tests.billing.test_api import Caller, caller
from tests.billing.test_documents import invoice_for, text_of

pytestmark = pytest.mark.usefixtures("prices")


def paid(tenant_id: int, fen: int, now: datetime, method: str = "transfer") -> None:
    Payment.objects.create(
        source=f"test/{method}/{fen}", tenant_id=tenant_id, method=method, amount_fen=fen,
        received_on=now.date(), created_by="x", created_at=now,
    )  # fmt: skip


def state(finance: Caller, tenant: str, month: str = "2026-12") -> dict[str, Any]:
    answer = finance.post("/statements", {"tenant": tenant, "month": month})
    assert answer.status_code == 201, answer.json()
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture(autouse=True)
def december(later: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: later)


def test_a_month_is_stated_disputed_answered_and_confirmed(later: datetime) -> None:
    """An invoice, its whole red letter of the same day, and what was paid the month before."""
    tenant = make.tenant(compliance_rating="A", industry="jewellery")
    finance = caller(Role.FINANCE, later)
    mine = caller(Role.TENANT_ADMIN, later, tenant=tenant)
    other = caller(Role.TENANT_ADMIN, later, tenant=make.tenant())
    invoice = invoice_for(tenant, later)
    paid(tenant.pk, 500, later - timedelta(days=20))
    paid(tenant.pk, 700, later + timedelta(days=1))
    paid(tenant.pk, 900, later, method="credit_note")

    first = state(finance, tenant.code)
    letter = reds.start(
        invoice=invoice, side=Side.SELLER, reason=RedReason.ENDED, wanted=None, note="",
        actor=SYSTEM, now=later,
    )  # fmt: skip
    reds.issue(letter=letter, actor=SYSTEM, now=later)
    said = state(finance, tenant.code)
    path = f"/statements/{said['id']}"
    line = f"/invoices/{invoice.number}/lines/1/disputes"

    assert (first["opening_fen"], first["closing_fen"]) == (-500, invoice.gross_fen - 1_200)
    assert mine.get(f"/statements/{first['id']}").json()["state"] == "replaced"
    moves = [(e["kind"], e["amount_fen"], e["balance_fen"]) for e in said["entries"]]
    assert moves == [
        ("invoice", invoice.gross_fen, invoice.gross_fen - 500),
        ("credit_note", -invoice.gross_fen, -500),
        ("payment", -700, -1_200),
    ]
    raised = mine.post(line, {"reason": "当天没有使用"})
    assert (raised.status_code, raised.json()["state"]) == (201, "raised")
    assert mine.post(line, {"reason": "再次"}).json()["code"] == "dispute_open"
    assert mine.post(line.replace("/1/", "/99/"), {"reason": "x"}).json()["code"] == "no_such_line"
    blocked = mine.post(f"{path}/confirm")
    assert (blocked.status_code, blocked.json()["code"]) == (409, "disputes_open")
    dispute = f"/disputes/{raised.json()['id']}"
    proof = finance.get(f"{dispute}/evidence").json()
    assert proof["source"].startswith("booking/")
    assert proof["used"]["outcome"] == "completed"
    assert proof["booked"]["start"].startswith("2026-11-")
    assert proof["tariff_version"]
    answered = finance.post(f"{dispute}/answer", {"accept": False, "answer": "门禁有记录"})
    assert answered.json()["state"] == "rejected"
    closed = mine.post(f"{dispute}/withdraw")
    assert (closed.status_code, closed.json()["code"]) == (409, "dispute_closed")
    assert mine.post(f"{path}/confirm").json()["state"] == "confirmed"
    assert mine.post(f"{path}/confirm").json()["confirmed_at"]
    again = finance.post("/statements", {"tenant": tenant.code, "month": "2026-12"})
    assert (again.status_code, again.json()["code"]) == (409, "statement_closed")
    pdf = mine.get(f"{path}/pdf")
    text = text_of(pdf.content)
    assert pdf.content == mine.get(f"{path}/pdf").content
    for wanted in ("对账单", "期初余额", "-12.00", "（负数）壹拾贰元整", str(invoice.number)):
        assert wanted in text
    for hidden in (path, f"{path}/pdf"):
        assert other.get(hidden).json()["code"] == "no_such_statement"
    assert other.get(f"{dispute}/evidence").json()["code"] == "no_such_dispute"
    assert other.get("/statements").json()["items"] == other.get("/disputes").json()["items"] == []
    assert finance.post(f"{path}/confirm").status_code == 403


def test_what_cannot_be_stated_is_refused(later: datetime) -> None:
    finance, tenant = caller(Role.FINANCE, later), make.tenant()

    unknown = finance.post("/statements", {"tenant": "NOBODY", "month": "2026-10"})
    ahead = finance.post("/statements", {"tenant": tenant.code, "month": "2099-01"})

    assert (unknown.status_code, unknown.json()["code"]) == (404, "no_such_payer")
    assert (ahead.status_code, ahead.json()["code"]) == (422, "month_not_begun")
    assert state(finance, tenant.code, "2026-10")["closing_fen"] == 0
