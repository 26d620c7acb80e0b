"""Claims, bank files, reminders and late fees against the database."""

import csv
import io
import json
import zipfile
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from base_ops.core import clock
from base_ops.core.actors import SYSTEM
from base_ops.core.models import Role
from base_ops.core.models.notices import Notice
from billing import proofs
from billing.models import Charge, ClaimLine, LateFee, Payment, Reminder
from billing.selectors import books
from billing.selectors import subsidies as relief
from billing.services import claim_packs, late_fees, posting, reminding, subsidies
from tests import make
from tests.billing.money import LATER, TODAY, issued, paid, relieved, settled
from tests.booking.test_api import API, client

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("prices")]
NOVEMBER = {"first": date(2026, 11, 1), "last": date(2026, 11, 30)}


@pytest.fixture(autouse=True)
def december(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: LATER)


def draft(programme: str = "P08") -> Any:
    return subsidies.draft(programme=programme, **NOVEMBER, actor=SYSTEM, now=LATER)


def test_only_what_was_paid_is_claimed_and_each_fact_once_across_programmes() -> None:
    open_one, paid_one = relieved(make.tenant()), relieved(make.tenant())
    settled(paid_one)

    claim = draft()

    assert [(line.invoice, line.amount_fen) for line in relief.lines(claim)] == [(paid_one, 4000)]
    seen = {c.invoice: c.problem for c in relief.candidates(programme="P08", **NOVEMBER)}
    assert seen == {open_one.number: "unpaid", paid_one.number: "claimed"}
    with pytest.raises(subsidies.NothingToClaim):
        draft()
    other, line = relief.claim(claim.pk), claim.lines.get()
    other.pk, other.programme = None, "P09"
    other.save(force_insert=True)
    line.pk, line.claim = None, other
    with pytest.raises(IntegrityError, match="claimline_fact_once"), transaction.atomic():
        line.save(force_insert=True)
    subsidies.discard(claim_id=claim.pk, actor=SYSTEM, now=LATER)
    assert draft().requested_fen == 4000


def test_the_district_owes_what_was_submitted_then_what_it_accepts_until_it_pays() -> None:
    for _ in range(2):
        settled(relieved(make.tenant()))
    claim = draft()
    first, second = claim.lines.order_by("pk")

    def owed() -> int:
        assert books.disagreements() == []
        rows = books.trial_balance(first=TODAY, last=TODAY)
        return next(row.closing_fen for row in rows if row.code == "1221")

    assert owed() == 0
    subsidies.submit(claim_id=claim.pk, actor=SYSTEM, now=LATER)
    assert owed() == 8000
    cut = [subsidies.Decision(first.pk, 0, "重复"), subsidies.Decision(second.pk, 3000)]
    subsidies.decide(claim_id=claim.pk, decisions=cut, note="", actor=SYSTEM, now=LATER)
    assert owed() == 3000
    assert relief.claim(claim.pk).status == "cut"
    assert [line.live for line in ClaimLine.objects.order_by("pk")] == [False, True]
    row = subsidies.pay(claim_id=claim.pk, on=TODAY, bank_reference="D1", actor=SYSTEM, now=LATER)
    assert (owed(), row.status) == (0, "paid")


def test_a_pack_has_an_index_and_each_file_that_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    invoice = relieved(make.tenant(name_zh="=HYPERLINK(1)"))
    settled(invoice)
    code = str(invoice.lines.first().charge.booking_code)  # type: ignore[union-attr] # it has two
    shown = proofs.Proof(5400, {"shows": []})
    monkeypatch.setattr(proofs, "_providers", [lambda codes, now: {code: shown}])
    claim = draft()

    data = claim_packs.packed(row=claim, now=LATER)

    assert data == claim_packs.packed(row=claim, now=LATER)
    with zipfile.ZipFile(io.BytesIO(data)) as pack:
        names = set(pack.namelist())
        head, line = csv.reader(io.StringIO(pack.read("index.csv").decode("utf-8-sig")))
        named = {
            line[head.index(n)] for n in head if n.startswith(("合同", "账单文件", "付款", "证据"))
        }
        assert named == names - {"index.csv", "index.json"}
        assert line[head.index("租户 Tenant")].startswith("'=")
        assert line[head.index("申领金额 Claimed (CNY)")] == "40.00"
        assert pack.read(f"invoices/{invoice.number}.pdf").startswith(b"%PDF")
        proof = json.loads(pack.read(f"proofs/{code}.json"))
        paid_by = json.loads(pack.read(f"payments/{invoice.number}.json"))
    assert proof["live_s"] == 5400
    assert paid_by["payments"][0]["amount_fen"] == invoice.gross_fen


def test_the_liaison_sees_sums_alone() -> None:
    settled(relieved(make.tenant()))
    claim = draft()
    liaison = client(make.user(Role.LIAISON))

    (figure,) = liaison.get(f"{API}/claims/figures").json()

    assert (figure["programme"], figure["requested_fen"], figure["claims"]) == ("P08", 4000, 1)
    for path in ("claims", f"claims/{claim.pk}", f"claims/{claim.pk}/pack", "payments", "ageing"):
        assert liaison.get(f"{API}/{path}").status_code == 403, path


def test_a_bank_file_is_judged_row_by_row_and_taken_once() -> None:
    tenant = make.tenant()
    (invoice,) = issued(tenant)
    paid(None, 1, bank_reference="OLD")
    caller = client(make.user(Role.FINANCE))
    gross = f"{invoice.gross_fen / 100:.2f}"
    rows = [
        "交易日期,到账,流水号,对方户名,摘要",
        f'2026-12-01,"{gross}",N1,{tenant.name_zh},付 {invoice.number}',
        "2026-12-01,5.00,OLD,x,y",
        "2026-12-01,5.00,N1,x,y",
        "2026-12-01,-5.00,N2,x,y",
        "2027-12-01,5.00,N3,x,y",
        "2026-12-01,五元,N4,x,y",
    ]
    data = "\r\n".join(rows).encode("gb18030")

    def send(path: str, key: str) -> Any:
        return caller.post(
            f"{API}/{path}format=csv&columns=amount:到账", data, content_type="text/csv",
            headers={"Idempotency-Key": key},
        )  # fmt: skip

    tried = send("bank-imports/dry-run?", "file-key-0").json()
    refused = send("bank-imports?mode=atomic&", "file-key-1")
    before = Payment.objects.count()
    taken = send("bank-imports?mode=skip&allocate=true&", "file-key-2").json()
    again = send("bank-imports?mode=skip&allocate=true&", "file-key-3").json()

    states = ["new", "duplicate", "duplicate", "outgoing", "refused", "refused"]
    assert [row["state"] for row in tried["rows"]] == states
    assert tried["rows"][0]["suggestions"][0]["score"] == 100
    assert (refused.status_code, refused.json()["code"]) == (409, "bank_import_refused")
    assert [f["name"] for row in refused.json()["rows"] for f in row["faults"]] == [
        "received_on", "amount",
    ]  # fmt: skip
    assert before == 1
    assert [row["allocated"] for row in taken["rows"]] == [True] + [False] * 5
    assert again["new"] == 0
    invoice.open_item.refresh_from_db()
    assert invoice.open_item.open_fen == 0
    made = Payment.objects.get(bank_reference="N1")
    assert caller.get(f"{API}/payments/{made.pk}/suggestions").json() == []


def test_reminders_follow_the_plan_once_and_spare_who_has_paid() -> None:
    (invoice,) = issued(make.tenant())
    due = invoice.due_on

    def on(days: int) -> int:
        at = datetime.combine(due + timedelta(days=days), datetime.min.time(), LATER.tzinfo)
        return reminding.remind(at)

    assert [on(-4), on(-3), on(-3), on(0), on(11), on(11)] == [0, 1, 0, 0, 1, 0]
    assert list(Reminder.objects.order_by("days").values_list("step", flat=True)) == [
        "coming", "second",
    ]  # fmt: skip
    assert set(Notice.objects.values_list("kind", flat=True)) >= {
        "billing.coming", "billing.demand",
    }  # fmt: skip
    paid(invoice.tenant, invoice.gross_fen)
    assert on(25) == 0


def test_late_days_are_charged_once_each_and_stop_when_paid() -> None:
    (invoice,) = issued(make.tenant())

    def at(day: date) -> datetime:
        return datetime.combine(day, datetime.min.time(), LATER.tzinfo)

    assert late_fees.charge_late_fees(at(date(2026, 12, 31))) == 0
    assert late_fees.charge_late_fees(at(date(2027, 1, 2))) == 1
    assert late_fees.charge_late_fees(at(date(2027, 1, 3))) == 0
    settled(invoice, at(date(2027, 1, 11)))
    assert late_fees.charge_late_fees(at(date(2027, 1, 12))) == 1
    assert late_fees.charge_late_fees(at(date(2027, 2, 12))) == 0

    spans = list(LateFee.objects.values_list("first_on", "last_on"))
    assert spans == [
        (invoice.due_on + timedelta(days=1), date(2026, 12, 31)),
        (date(2027, 1, 1), date(2027, 1, 10)),
    ]
    days = [(last - first).days + 1 for first, last in spans]
    charged = list(Charge.objects.filter(kind="late_fee").order_by("pk"))
    assert [c.gross_fen for c in charged] == [
        (invoice.gross_fen * n * 5 + 5000) // 10_000 for n in days
    ]
    with pytest.raises(IntegrityError, match="latefee_no_day_twice"), transaction.atomic():
        LateFee.objects.create(
            item=invoice.open_item, first_on=spans[0][1], last_on=spans[0][1], amount_fen=0
        )
    assert posting.post_documents(LATER) == 0


def test_the_plan_is_data_that_finance_changes_by_its_version() -> None:
    caller = client(make.user(Role.FINANCE))
    shown = caller.get(f"{API}/dunning")
    body = {k: v for k, v in shown.json().items() if k != "version"}
    body["late_fee"]["per_day"] = "0.0003"

    def put(body: Any, **headers: str) -> Any:
        return caller.put(f"{API}/dunning", body, content_type="application/json", headers=headers)

    assert put(body).status_code == 428
    assert put(body, **{"If-Match": shown["ETag"]}).json()["version"] == 1
    assert put(body, **{"If-Match": shown["ETag"]}).status_code == 412
    assert reminding.plan().per_day.as_tuple().digits == (3,)
    assert caller.get(f"{API}/reminders").json()["items"] == []
