"""Payments, wallets, deposits and the books over HTTP."""

from typing import Any

import pytest

from base_ops.core import clock
from base_ops.core.models import Role, User
from billing.models import Payment
from billing.selectors import books
from tests import make
from tests.billing.money import LATER, issued
from tests.booking.test_api import API, client, post

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("prices")]


@pytest.fixture(autouse=True)
def december(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: LATER)


def money(**more: Any) -> dict[str, Any]:
    return {"method": "transfer", "amount_fen": 10_000, "received_on": "2026-12-01"} | more


def test_a_payment_is_recorded_allocated_and_its_rest_prepaid_once() -> None:
    payer = make.user(Role.TENANT_ADMIN)
    assert payer.tenant is not None
    (invoice,) = issued(payer.tenant)
    finance = client(make.user(Role.FINANCE))
    body = money(amount_fen=invoice.gross_fen + 500, bank_reference="B-1")

    made = post(finance, "/payments", body, key="pay-key-1").json()
    again = post(finance, "/payments", body, key="pay-key-1").json()
    path = f"/payments/{made['id']}/allocate"
    used = post(finance, path, {"tenant": payer.tenant.code, "rest": "wallet"}).json()

    assert made == again
    assert Payment.objects.count() == 1
    assert (used["allocated_fen"], used["moved_fen"], used["left_fen"]) == (
        invoice.gross_fen, 500, 0,
    )  # fmt: skip
    assert [part["invoice"] for part in used["allocations"]] == [invoice.number]
    caller = client(payer)
    (standing,) = caller.get(f"{API}/ageing").json()["tenants"]
    assert (standing["total_fen"], standing["wallet_fen"]) == (0, 500)
    assert caller.get(f"{API}/payments").json()["items"][0]["id"] == made["id"]
    assert caller.get(f"{API}/wallet-moves").json()["items"][0]["amount_fen"] == 500
    assert caller.get(f"{API}/receivables").json()["items"] == []

    back = post(
        finance, f"/payments/{made['id']}/take-back",
        {"allocation": used["allocations"][0]["id"]},
    ).json()  # fmt: skip
    assert back["allocated_fen"] == 0
    paid = post(
        caller, "/wallets/use", {"parts": [{"invoice": invoice.number, "amount_fen": 400}]}
    )
    assert paid.json()["method"] == "wallet"
    row = caller.get(f"{API}/receivables").json()["items"][0]
    assert (row["open_fen"], row["bucket"]) == (invoice.gross_fen - 400, "not_due")
    assert books.disagreements() == []


def test_another_tenant_sees_nothing_of_it() -> None:
    (invoice,) = issued(make.tenant())
    finance = client(make.user(Role.FINANCE))
    made = post(finance, "/payments", money(tenant=invoice.tenant.code)).json()
    post(finance, "/deposits", {"tenant": invoice.tenant.code, "purpose": "lease/1",
                                "amount_fen": 5, "on": "2026-12-01"})  # fmt: skip
    stranger = client(make.user(Role.TENANT_ADMIN))

    assert stranger.get(f"{API}/payments/{made['id']}").status_code == 404
    for path in ("payments", "receivables?all_documents=true", "wallet-moves"):
        assert stranger.get(f"{API}/{path}").json()["items"] == []
    assert stranger.get(f"{API}/deposits").json() == []
    one = stranger.get(f"{API}/ageing", {"tenant": invoice.tenant.code}).json()
    assert (one["tenants"], one["total_fen"]) == ([], 0)
    narrow = stranger.post(
        f"{API}/wallets/use", {"tenant": invoice.tenant.code}, content_type="application/json",
        headers={"Idempotency-Key": "stranger-1"},
    )  # fmt: skip
    assert narrow.json()["code"] == "wallet_short"


@pytest.mark.parametrize(
    "role", [Role.TENANT_ADMIN, Role.TENANT_MEMBER, Role.MANAGER, Role.TECHNICIAN, Role.LIAISON]
)
def test_only_finance_moves_money(role: Role) -> None:
    caller = client(make.user(role))

    for path in ("/payments", "/payments/1/allocate", "/payments/1/void", "/wallets/refund",
                 "/deposits", "/deposits/1/set-off", "/ledger/periods/2026-11/close"):  # fmt: skip
        body = {"payments": money()}.get(path.strip("/"), {"reason": "x"})
        assert post(caller, path, body).status_code in (403, 422), path
    for path in ("ledger/entries", "ledger/periods"):
        assert caller.get(f"{API}/{path}").status_code == 403
    if role not in (Role.TENANT_ADMIN, Role.TENANT_MEMBER):
        assert caller.get(f"{API}/payments").status_code == 403


def test_the_books_are_shown_closed_and_opened_by_an_administrator_alone() -> None:
    (invoice,) = issued(make.tenant())
    finance: User = make.user(Role.FINANCE)
    caller, admin = client(finance), client(make.user(Role.ADMIN))
    span = {"first": "2026-11-01", "last": "2026-12-31"}

    trial = caller.get(f"{API}/ledger/trial-balance", span).json()
    entries = caller.get(f"{API}/ledger/entries", {"month": "2026-11"}).json()["items"]
    closed = post(caller, "/ledger/periods/2026-11/close").json()

    assert trial["balanced"]
    assert trial["debit_fen"] == trial["credit_fen"] == invoice.gross_fen + invoice.vat_fen
    assert [entry["invoice"] for entry in entries] == [invoice.number]
    assert sum(p["amount_fen"] for p in entries[0]["postings"]) == 0
    assert (closed["month"], closed["closed"]) == ("2026-11", True)
    path = "/ledger/periods/2026-11/reopen"
    assert post(caller, path, {"reason": "x"}).status_code == 403
    assert post(admin, path, {"reason": "漏记"}).json()["closed"] is False
    assert caller.get(f"{API}/ledger/periods").json()[0]["reopened_by"]
