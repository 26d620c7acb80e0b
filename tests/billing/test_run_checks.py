"""Two people for large runs; documents that are kept back; one rule that stops one document."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from base_ops.core.actors import SYSTEM
from base_ops.core.models import Role
from billing import services
from billing.models import Charge, Invoice, InvoiceRun, RunRules, UsageFact
from billing.services import holding, runs
from tests import make
from tests.billing.run_world import approved, november, some_charges
from tests.billing.test_api import caller

pytestmark = pytest.mark.usefixtures("prices")
LARGE = {"second_person_from_fen": 1, "change_percent": 50, "change_from_fen": 0}


def test_much_money_is_approved_by_somebody_else_than_who_previewed_it(later: datetime) -> None:
    some_charges(later)
    first, second = caller(Role.FINANCE, later), caller(Role.FINANCE, later)
    RunRules.objects.update_or_create(pk=1, defaults={"second_person_from_fen": 1})
    run = first.post("/invoice-runs", {"month": "2026-11"}).json()

    refused = first.post(f"/invoice-runs/{run['id']}/approve", {})
    granted = second.post(f"/invoice-runs/{run['id']}/approve", {})

    assert (refused.status_code, refused.json()["code"]) == (403, "second_person_needed")
    assert (granted.status_code, granted.json()["second_person"]) == (200, True)


def test_the_database_too_wants_two_people(later: datetime) -> None:
    some_charges(later, 1)
    run = november(later)

    with pytest.raises(IntegrityError, match="run_approved_by_another"), transaction.atomic():
        InvoiceRun.objects.filter(pk=run.pk).update(
            second_person=True, approved_key=run.created_key
        )


def test_the_rules_are_read_by_finance_and_changed_by_others_with_their_etag(
    later: datetime,
) -> None:
    finance, admin = caller(Role.FINANCE, later), caller(Role.ADMIN, later)
    tag = finance.get("/invoice-run-rules")["ETag"]

    blind = admin.put("/invoice-run-rules", LARGE)
    own = finance.put("/invoice-run-rules", LARGE, match=tag)
    done = admin.put("/invoice-run-rules", LARGE, match=tag)
    again = admin.put("/invoice-run-rules", LARGE, match=tag)

    assert [a.status_code for a in (blind, own, done, again)] == [428, 403, 200, 412]
    assert finance.get("/invoice-run-rules").json() == LARGE | {"version": 2}


def test_a_document_that_is_held_back_waits_until_it_is_released(later: datetime) -> None:
    some_charges(later)
    finance = caller(Role.FINANCE, later)
    run = finance.post("/invoice-runs", {"month": "2026-11"}).json()
    path = f"/invoice-runs/{run['id']}"
    held = finance.post(f"{path}/entries/2/hold", {"reason": "租户有异议"})
    finance.post(f"{path}/approve", {})
    finance.post(f"{path}/issue")

    made = services.issue_due(later)
    between = finance.get(path).json()
    released = finance.post(f"{path}/entries/2/release")
    again = finance.post(f"{path}/entries/2/release")
    more = services.issue_due(later)

    assert held.json()["problem"] == "held"
    assert (made, more) == (2, 1)
    assert (between["status"], between["entries"][1]["note"]) == ("issued", "租户有异议")
    assert (released.json()["problem"], again.json()["code"]) == ("", "entry_not_held")
    ended = finance.get(path).json()
    assert (ended["status"], ended["entries_done"]) == ("issued", 3)
    assert ended["entries"][1]["invoice"] == "PYB-2026-000003"
    assert finance.post(f"{path}/entries/2/hold", {"reason": "x"}).json()["code"] == "run_state"
    assert (
        finance.post(f"{path}/entries/9/hold", {"reason": "x"}).json()["code"] == "no_such_entry"
    )


def test_a_document_that_changed_is_left_out_for_good_and_the_others_go_on(
    later: datetime,
) -> None:
    some_charges(later)
    run = approved(later)
    run.entries.filter(position=1).update(inputs_hash="0" * 64)

    made = services.issue_due(later)

    assert made == 2
    assert run.entries.get(position=1).problem == "inputs_changed"
    with pytest.raises(holding.EntryStuck):
        holding.release(run_id=run.pk, position=1, actor=SYSTEM, now=later)


def _credit(now: datetime, gross: int) -> Charge:
    who = make.tenant()
    fact = UsageFact.objects.create(
        source=f"odd/{who.code}", kind="other", tenant=who, payload={}, tariff_version="x",
        recorded_at=now,
    )  # fmt: skip
    return Charge.objects.create(
        source=f"{fact.source}/1", fact=fact, tenant=who, kind="credit",
        service_on=date(2026, 11, 3), description_zh="更正", description_en="Correction",
        gross_fen=gross, net_fen=gross, vat_fen=0, vat_rate=Decimal(0), vat_category="none",
        created_at=now,
    )  # fmt: skip


def test_an_invoice_below_zero_is_not_made_and_told_before(later: datetime) -> None:
    charge = _credit(later, -500)
    some_charges(later, 1)

    run = approved(later)
    made = services.issue_due(later)

    [difference] = run.differences.filter(tenant=charge.tenant_id)
    assert [s["code"] for s in difference.surprises] == ["wrong_sign"]
    assert (made, run.entries.get(tenant=charge.tenant_id).problem) == (1, "wrong_sign")
    entry = run.entries.get(tenant=charge.tenant_id)
    with pytest.raises(holding.EntryStuck):
        holding.release(run_id=run.pk, position=entry.position, actor=SYSTEM, now=later)


def test_a_rule_of_the_database_stops_one_document_and_names_itself(later: datetime) -> None:
    charge = _credit(later, 777)
    some_charges(later)
    run = approved(later)
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE billing_invoiceline ADD CONSTRAINT no_sevens CHECK (gross_fen <> 777)"
        )

    made = services.issue_due(later)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE billing_invoiceline DROP CONSTRAINT no_sevens")
    entry = run.entries.get(tenant=charge.tenant_id)
    holding.release(run_id=run.pk, position=entry.position, actor=SYSTEM, now=later)
    more = services.issue_due(later)

    assert (made, more) == (3, 1)
    assert (entry.problem, entry.note) == ("refused_by_database", "no_sevens")
    numbers = list(Invoice.objects.order_by("number").values_list("number", flat=True))
    assert numbers == [f"PYB-2026-{n:06d}" for n in range(1, 5)]


def test_a_run_that_was_superseded_releases_nothing(later: datetime) -> None:
    some_charges(later, 1)
    older = november(later)
    holding.hold(run_id=older.pk, position=1, why="x", actor=SYSTEM, now=later)
    november(later)

    with pytest.raises(runs.WrongState):
        holding.release(run_id=older.pk, position=1, actor=SYSTEM, now=later)


def test_differences_come_in_pages_and_can_be_only_the_surprising(later: datetime) -> None:
    some_charges(later, 4)
    finance = caller(Role.FINANCE, later)
    path = f"/invoice-runs/{finance.post('/invoice-runs', {'month': '2026-11'}).json()['id']}"

    first = finance.get(f"{path}/difference?limit=2").json()
    rest = finance.get(f"{path}/difference?limit=2&cursor={first['next']}").json()
    calm = finance.get(f"{path}/difference?surprising=false").json()

    assert (first["tenants"], len(first["items"]), len(rest["items"])) == (4, 2, 2)
    assert first["surprising"] + len(calm["items"]) == 4
    assert sum(i["gross_fen"] for i in first["items"] + rest["items"]) == first["gross_fen"]
