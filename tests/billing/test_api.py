"""Billing through its public doors: who sees what, and the whole run over HTTP."""

import itertools
import json
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from base_ops.core import auth
from base_ops.core.models import Role, User
from billing import jobs
from tests import make
from tests.billing.data import span
from tests.billing.world import finished, room

pytestmark = pytest.mark.usefixtures("prices")
_keys = itertools.count(1)


class Caller:
    """Somebody with a personal token."""

    def __init__(self, user: User, now: datetime) -> None:
        token, _ = auth.new_token(user=user, name="test", now=now)
        self.headers = {"Authorization": f"Bearer {token}"}
        self.client = Client(headers=self.headers)

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(f"/api/v1{path}", headers=self.headers | headers)

    def post(self, path: str, body: Any = None, key: str | None = None) -> Any:
        key = key or f"test-key-{next(_keys)}"
        return self.client.post(
            f"/api/v1{path}",
            data=json.dumps(body or {}),
            content_type="application/json",
            headers=self.headers | {"Idempotency-Key": key},
        )

    def put(self, path: str, body: Any, match: str | None = None) -> Any:
        return self.client.put(
            f"/api/v1{path}",
            data=json.dumps(body),
            content_type="application/json",
            headers=self.headers | ({"If-Match": match} if match else {}),
        )


def caller(role: Role, now: datetime, **changes: Any) -> Caller:
    return Caller(make.user(role, **changes), now)


def issued(finance: Caller, now: datetime) -> list[dict[str, Any]]:
    """Run November through HTTP and the job."""
    run = finance.post("/invoice-runs", {"month": "2026-11"}).json()
    hash_seen = {"inputs_hash": run["inputs_hash"]}
    assert finance.post(f"/invoice-runs/{run['id']}/approve", hash_seen).status_code == 200
    assert finance.post(f"/invoice-runs/{run['id']}/issue").status_code == 202
    for job in jobs.JOBS:
        job.run(now)
    found: list[dict[str, Any]] = finance.get("/invoices").json()["items"]
    return found


def test_the_whole_run_over_http(later: datetime) -> None:
    finance = caller(Role.FINANCE, later)
    tenant = make.tenant(compliance_rating="A")
    finished(tenant=tenant, space=room(), span=span("11-16 10:00", 4), now=later)

    created = finance.post("/invoice-runs", {"month": "2026-11"})

    run = created.json()
    assert (created.status_code, run["status"], run["gross_fen"]) == (201, "preview", 20_900)
    detail = finance.get(f"/invoice-runs/{run['id']}").json()
    [entry] = detail["entries"]
    assert [line["gross_fen"] for line in entry["lines"]] == [22_000, -1_100]
    [invoice] = issued(finance, later)
    assert invoice["number"] == "PYB-2026-000001"
    full = finance.get(f"/invoices/{invoice['number']}").json()
    assert full["capitals_zh"] == "人民币贰佰零玖元整"
    assert [line["gross_fen"] for line in full["lines"]] == [22_000, -1_100]
    [done] = finance.get(f"/invoice-runs/{run['id'] + 1}").json()["entries"]
    assert {line["invoice"] for line in done["lines"]} == {done["invoice"]} == {invoice["number"]}
    assert {line["vat_rate"] for line in done["lines"]} == {"0.06"}
    charges = finance.get("/charges?month=2026-11").json()["items"]
    assert {c["invoice"] for c in charges} == {"PYB-2026-000001"}


def test_the_same_preview_request_again_has_one_effect(later: datetime) -> None:
    finance = caller(Role.FINANCE, later)

    first = finance.post("/invoice-runs", {"month": "2026-11"}, key="one-preview-key")
    again = finance.post("/invoice-runs", {"month": "2026-11"}, key="one-preview-key")

    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(finance.get("/invoice-runs").json()["items"]) == 1


def test_a_tenant_sees_own_invoices_and_nobody_elses(later: datetime) -> None:
    finance = caller(Role.FINANCE, later)
    mine, other = make.tenant(), make.tenant()
    for tenant in (mine, other):
        finished(tenant=tenant, space=room(), span=span("11-16 10:00", 4), now=later)
    numbers = {i["tenant"]["code"]: i["number"] for i in issued(finance, later)}
    me = caller(Role.TENANT_MEMBER, later, tenant=mine)

    seen = me.get("/invoices").json()["items"]

    assert [i["number"] for i in seen] == [numbers[mine.code]]
    assert me.get(f"/invoices?tenant={other.code}").json()["items"] == []
    assert me.get(f"/charges?tenant={other.code}").json()["items"] == []
    for path in (f"/invoices/{numbers[other.code]}", f"/invoices/{numbers[other.code]}/pdf"):
        unknown = me.get(path.replace(numbers[other.code], "PYB-2026-999999"))
        answer = me.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "no_such_invoice")
        assert unknown.status_code == 404
    assert me.get(f"/invoices/{numbers[mine.code]}").status_code == 200


@pytest.mark.parametrize("role", [Role.MANAGER, Role.TECHNICIAN, Role.LIAISON])
def test_money_detail_is_closed_to_other_staff(later: datetime, role: Role) -> None:
    somebody = caller(role, later)

    for path in ("/charges", "/invoices", "/invoices/X", "/invoices/X/pdf", "/invoice-runs"):
        assert somebody.get(path).status_code == 403
    assert somebody.post("/invoice-runs", {"month": "2026-11"}).status_code == 403
    assert somebody.get("/policies").status_code == 200


@pytest.mark.parametrize("role", [Role.TENANT_ADMIN, Role.MANAGER, Role.LIAISON])
def test_runs_are_for_finance_only(later: datetime, role: Role) -> None:
    somebody = caller(role, later)

    assert somebody.get("/invoice-runs").status_code == 403
    assert somebody.post("/invoice-runs/1/approve").status_code == 403
    assert somebody.post("/invoice-runs/1/issue").status_code == 403


def test_each_policy_is_a_document_that_may_be_edited_and_checked(later: datetime) -> None:
    finance, somebody = caller(Role.FINANCE, later), caller(Role.TENANT_ADMIN, later)
    documents = {p["code"]: p["document"] for p in finance.get("/policies").json()}

    assert len(documents) == 17
    for document in documents.values():
        answer = finance.post("/policies/check", {"document": document}).json()
        assert answer["faults"] == []
    assert {p["document"] for p in somebody.get("/policies").json()} == {None}


def test_prices_are_open_but_budgets_only_to_the_base(later: datetime) -> None:
    me, liaison = caller(Role.TENANT_ADMIN, later), caller(Role.LIAISON, later)

    prices = me.get("/tariffs").json()
    mine = {p["code"]: p["budgets"] for p in me.get("/policies").json()}
    theirs = {p["code"]: p["budgets"] for p in liaison.get("/policies").json()}

    assert len(prices["tariffs"]) == 21
    assert len(prices["bands"]) == 3
    assert len(me.get("/services").json()) == 12
    assert len(mine) == 17
    assert mine["P08"] == []
    assert [b["left_fen"] for b in theirs["P08"]] == [30_000_000, 30_000_000]


@pytest.mark.parametrize(
    ("role", "budgets"),
    [
        (Role.FINANCE, 2),
        (Role.LIAISON, 2),
        (Role.ADMIN, 2),
        (Role.MANAGER, 0),
        (Role.TECHNICIAN, 0),
    ],
)
def test_budgets_are_for_who_answers_for_them(later: datetime, role: Role, budgets: int) -> None:
    found = {p["code"]: p["budgets"] for p in caller(role, later).get("/policies").json()}

    assert len(found["P08"]) == budgets


def test_refusals_name_the_code_and_the_field(later: datetime) -> None:
    finance = caller(Role.FINANCE, later)

    bad = finance.post("/invoice-runs", {"month": "2026-13"})
    neither = finance.post("/invoice-runs", {})
    empty = finance.post("/invoice-runs", {"period_from": "2026-11-30", "period_to": "2026-11-01"})
    unknown = finance.post("/invoice-runs/999/approve")

    assert (bad.status_code, bad.json()["fields"][0]["name"]) == (422, "month")
    assert neither.status_code == 422
    assert (empty.status_code, empty.json()["code"]) == (422, "empty_period")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "no_such_run")


def test_issue_before_approval_is_a_conflict(later: datetime) -> None:
    finance = caller(Role.FINANCE, later)
    run = finance.post("/invoice-runs", {"month": "2026-11"}).json()

    answer = finance.post(f"/invoice-runs/{run['id']}/issue")

    assert (answer.status_code, answer.json()["code"]) == (409, "run_state")


def test_overlapping_runs_are_a_conflict_that_names_the_other(later: datetime) -> None:
    finance = caller(Role.FINANCE, later)
    first = finance.post("/invoice-runs", {"month": "2026-11"}).json()["id"]
    days = {"period_from": "2026-11-15", "period_to": "2026-12-15"}
    second = finance.post("/invoice-runs", days).json()["id"]
    finance.post(f"/invoice-runs/{first}/approve")

    answer = finance.post(f"/invoice-runs/{second}/approve")

    assert (answer.status_code, answer.json()["code"]) == (409, "run_overlaps")
    assert answer.json()["run"] == first


def test_a_month_to_come_is_refused(later: datetime) -> None:
    answer = caller(Role.FINANCE, later).post("/invoice-runs", {"month": "2099-01"})

    assert (answer.status_code, answer.json()["code"]) == (422, "period_out_of_range")


def test_pdf_has_a_name_and_is_not_sent_twice(later: datetime) -> None:
    finance = caller(Role.FINANCE, later)
    finished(tenant=make.tenant(), space=room(), span=span("11-16 10:00", 4), now=later)
    [invoice] = issued(finance, later)
    path = f"/invoices/{invoice['number']}/pdf"

    first = finance.get(f"{path}?lang=en")
    again = finance.get(f"{path}?lang=en", **{"If-None-Match": first.headers["ETag"]})
    chinese = finance.get(path)

    assert first.content.startswith(b"%PDF")
    assert first.headers["Content-Disposition"] == 'inline; filename="PYB-2026-000001-en.pdf"'
    assert (again.status_code, again.content) == (304, b"")
    assert chinese.headers["ETag"] != first.headers["ETag"]
    assert finance.get(f"{path}?lang=fr").status_code == 422
