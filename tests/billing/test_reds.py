"""Red letters with their documents: within the invoice, to the fen, by whose turn it is."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Sum

from base_ops.core.actors import SYSTEM
from base_ops.core.models import Role
from billing import documents, services
from billing.domain.reds import BuyerUse, RedDeed, RedReason, RedState, Side
from billing.models import Charge, Invoice, InvoiceStanding, RedLetter
from billing.services import reds
from tests import make
from tests.billing.data import span
from tests.billing.rivals import race
from tests.billing.test_api import Caller, caller
from tests.billing.test_documents import invoice_for, issue, text_of
from tests.billing.world import finished, room

pytestmark = pytest.mark.usefixtures("prices")


class Desk:
    """Finance and a tenant with an invoice, over HTTP."""

    def __init__(self, now: datetime) -> None:
        self.tenant = make.tenant(compliance_rating="A", industry="jewellery")
        self.invoice = invoice_for(self.tenant, now)
        self.finance = caller(Role.FINANCE, now)
        self.tenants = caller(Role.TENANT_ADMIN, now, tenant=self.tenant)
        self.path = f"/invoices/{self.invoice.number}"

    def start(self, who: Caller, reason: str = "allowance", **more: Any) -> Any:
        return who.post(f"{self.path}/red-letters", {"reason": reason, **more})

    def use(self, use: str) -> None:
        assert self.finance.post(f"{self.path}/buyer-use", {"use": use}).status_code == 200

    def do(self, who: Caller, red: int, deed: str) -> tuple[int, Any]:
        answer = who.post(f"/red-letters/{red}/{deed}", {"note": "好"})
        return answer.status_code, answer.json()

    def left(self) -> int:
        found: int = self.finance.get(f"{self.path}/standing").json()["left_fen"]
        return found


def test_an_unused_invoice_is_taken_back_by_the_seller_alone(later: datetime) -> None:
    desk = Desk(later)
    invoice = desk.invoice

    refused = desk.start(desk.tenants)
    made = desk.start(desk.finance, "wrong", note="金额错误")
    issued = desk.do(desk.finance, made.json()["id"], "issue")

    assert (refused.status_code, refused.json()["code"]) == (409, "seller_starts")
    assert (made.status_code, made.json()["state"]) == (201, "confirmed")
    status, body = issued
    assert (status, body["state"], body["credit_note"]) == (200, "issued", "PYC-2026-000001")
    assert body["capitals_zh"].startswith("人民币（负数）")
    note = Invoice.objects.get(number="PYC-2026-000001")
    sums = (note.net_fen, note.vat_fen, note.gross_fen)
    assert sums == (-invoice.net_fen, -invoice.vat_fen, -invoice.gross_fen)
    for blue, red in zip(invoice.lines.all(), note.lines.all(), strict=True):
        assert (red.net_fen, red.vat_fen) == (-blue.net_fen, -blue.vat_fen)
        assert red.charge.source == f"red/{body['id']}/{blue.position}"
    text = text_of(documents.render(note, "zh"))
    for wanted in ("红字账单", str(invoice.number), "开票有误", "（负数）"):
        assert wanted in text
    again = desk.do(desk.finance, body["id"], "issue")[1]
    assert again["credit_note"] == "PYC-2026-000001"
    nothing = desk.start(desk.finance)
    assert (nothing.status_code, nothing.json()["code"]) == (409, "red_too_much")
    assert desk.left() == 0


def test_a_used_invoice_needs_the_other_side(later: datetime) -> None:
    desk = Desk(later)
    desk.use("deducted")
    part = {"position": 1, "gross_fen": 1_000}

    by_tenant = desk.start(desk.tenants, lines=[part]).json()
    own = desk.do(desk.tenants, by_tenant["id"], "confirm")
    early = desk.do(desk.finance, by_tenant["id"], "issue")
    agreed = desk.do(desk.finance, by_tenant["id"], "confirm")
    issued = desk.do(desk.finance, by_tenant["id"], "issue")
    by_base = desk.start(desk.finance, lines=[part]).json()
    refused = desk.do(desk.tenants, by_base["id"], "refuse")
    taken_back = desk.start(desk.finance, lines=[part]).json()
    withdrawn = desk.do(desk.finance, taken_back["id"], "withdraw")

    assert (by_tenant["state"], by_tenant["started_by"]) == ("requested", "buyer")
    assert (own[0], own[1]["code"]) == (409, "other_side_decides")
    assert (early[0], early[1]["code"]) == (409, "wrong_red_state")
    assert (agreed[1]["state"], issued[1]["state"]) == ("confirmed", "issued")
    assert (refused[1]["state"], withdrawn[1]["state"]) == ("refused", "withdrawn")
    assert desk.left() == desk.invoice.gross_fen - 1_000
    listed = desk.tenants.get("/red-letters?state=issued").json()["items"]
    assert [row["id"] for row in listed] == [by_tenant["id"]]


def test_what_nobody_confirms_in_72_hours_is_void_and_gives_back_its_amount(
    later: datetime,
) -> None:
    desk = Desk(later)
    desk.use("booked")
    red = RedLetter.objects.get(pk=desk.start(desk.finance).json()["id"])
    RedLetter.objects.filter(pk=red.pk).update(expires_at=later + timedelta(hours=72))
    assert desk.left() == 0

    early = reds.expire_due(later + timedelta(hours=71, minutes=59))
    due = reds.expire_due(later + timedelta(hours=72))

    assert (early, due) == (0, 1)
    red.refresh_from_db()
    assert red.state == RedState.EXPIRED
    assert desk.left() == desk.invoice.gross_fen


def test_partial_red_letters_sum_to_exactly_zero(later: datetime) -> None:
    invoice = invoice_for(make.tenant(compliance_rating="A", industry="jewellery"), later)
    reds.note_use(invoice=invoice, use=BuyerUse.BOOKED, actor=SYSTEM, now=later)
    for turn in range(3):
        wanted = None
        if turn < 2:
            wanted = {line.position: line.gross_fen // 3 for line in invoice.lines.all()}
        letter = reds.start(
            invoice=invoice, side=Side.SELLER, reason=RedReason.ALLOWANCE, wanted=wanted,
            note="", actor=SYSTEM, now=later,
        )  # fmt: skip
        reds.decide(letter=letter, deed=RedDeed.CONFIRM, side=Side.BUYER, actor=SYSTEM, now=later)
        reds.issue(letter=letter, actor=SYSTEM, now=later)

    for name in ("net_fen", "vat_fen", "gross_fen"):
        assert Invoice.objects.aggregate(n=Sum(name))["n"] == 0
        assert Charge.objects.aggregate(n=Sum(name))["n"] == 0
    numbers = Invoice.objects.filter(kind="credit_note").order_by("id")
    assert [n.number for n in numbers] == [f"PYC-2026-{k:06d}" for k in (1, 2, 3)]
    assert services.preview_run(
        period_from=invoice.period_from, period_to=invoice.period_to, actor=SYSTEM, now=later
    ).entries_total == 0  # fmt: skip


def test_others_neither_see_nor_touch_a_red_letter(later: datetime) -> None:
    desk = Desk(later)
    desk.use("booked")
    red = desk.start(desk.finance).json()["id"]
    other = caller(Role.TENANT_ADMIN, later, tenant=make.tenant())
    member = caller(Role.TENANT_MEMBER, later, tenant=desk.tenant)

    assert other.get("/red-letters").json()["items"] == []
    for deed in ("confirm", "refuse", "withdraw"):
        assert desk.do(other, red, deed)[1]["code"] == "no_such_red_letter"
        assert desk.do(member, red, deed)[0] == 403
    assert desk.do(desk.tenants, red, "issue")[0] == 403
    assert other.get(f"/red-letters/{red}").status_code == 404
    assert other.get(f"{desk.path}/standing").json()["code"] == "no_such_invoice"
    assert member.get(f"/red-letters/{red}").status_code == 200
    assert caller(Role.MANAGER, later).get("/red-letters").status_code == 403


def test_a_credit_note_is_not_taken_back(later: datetime) -> None:
    desk = Desk(later)
    red = desk.start(desk.finance).json()["id"]
    number = desk.do(desk.finance, red, "issue")[1]["credit_note"]

    answer = desk.finance.post(f"/invoices/{number}/red-letters", {"reason": "ended"})
    twice = desk.start(desk.finance, lines=[{"position": 1, "gross_fen": 1}] * 2)

    assert (answer.status_code, answer.json()["code"]) == (422, "not_an_invoice")
    assert (twice.status_code, twice.json()["code"]) == (422, "red_reason_unfit")


def test_the_database_itself_keeps_credits_within_the_invoice(later: datetime) -> None:
    invoice = invoice_for(make.tenant(), later)
    reds.note_use(invoice=invoice, use=BuyerUse.BOOKED, actor=SYSTEM, now=later)
    rows = InvoiceStanding.objects.filter(invoice=invoice)

    for amount in (invoice.gross_fen + 1, -1):
        with (
            pytest.raises(IntegrityError, match="standing_credits_within_invoice"),
            transaction.atomic(),
        ):
            rows.update(credited_fen=amount)


@pytest.mark.django_db(transaction=True)
def test_rivals_never_take_back_more_than_the_invoice(later: datetime) -> None:
    invoice = invoice_for(make.tenant(), later)
    number = str(invoice.number)
    reds.note_use(invoice=invoice, use=BuyerUse.BOOKED, actor=SYSTEM, now=later)

    answers = race("red", [number, number, number])

    [row] = InvoiceStanding.objects.all()
    issued = Invoice.objects.filter(kind="credit_note").order_by("number")
    outcomes = [outcome for answer in answers for outcome in answer]
    assert outcomes.count("red_too_much") == 3 * 5 - 10
    assert row.credited_fen == -sum(note.gross_fen for note in issued) <= invoice.gross_fen
    assert [note.number for note in issued] == [f"PYC-2026-{n:06d}" for n in range(1, 11)]


def test_a_charge_is_corrected_by_a_pair_and_only_once(later: datetime) -> None:
    finance, tenant = caller(Role.FINANCE, later), make.tenant()
    [wrong] = finished(tenant=tenant, space=room(), span=span("11-16 10:00", 4), now=later)
    path = f"/charges/{wrong.pk}/correct"

    same = finance.post(path, {"gross_fen": wrong.gross_fen, "reason": "x"})
    made = finance.post(path, {"gross_fen": 20_000, "reason": "时段录错"}).json()
    again = finance.post(path, {"gross_fen": 1, "reason": "x"})

    assert (same.status_code, same.json()["code"]) == (422, "not_correctable")
    assert (again.status_code, again.json()["code"]) == (409, "already_corrected")
    assert made["reversal"]["source"] == f"reversal/{wrong.pk}/1"
    assert made["reversal"]["gross_fen"] == -wrong.gross_fen
    assert (made["replacement"]["gross_fen"], made["replacement"]["net_fen"]) == (20_000, 18_868)
    [invoice] = issue(later)
    assert (invoice.line_count, invoice.gross_fen) == (3, 20_000)
    on_invoice = finance.post(
        f"/charges/{made['replacement']['id']}/correct", {"gross_fen": None, "reason": "x"}
    )
    assert (on_invoice.status_code, on_invoice.json()["code"]) == (409, "charge_on_invoice")
    assert on_invoice.json()["invoice"] == invoice.number
    assert finance.post("/charges/0/correct", {"gross_fen": 1, "reason": "x"}).status_code == 404


def test_an_invoiced_charge_is_corrected_once_a_red_letter_took_it_back(later: datetime) -> None:
    """The right amount goes to the next run; what was billed wrongly is not reversed twice."""
    finance, tenant = caller(Role.FINANCE, later), make.tenant()
    [wrong] = finished(tenant=tenant, space=room(), span=span("11-16 10:00", 4), now=later)
    [invoice] = issue(later)
    red = finance.post(f"/invoices/{invoice.number}/red-letters", {"reason": "wrong"}).json()
    path, body = f"/charges/{wrong.pk}/correct", {"gross_fen": 20_000, "reason": "时段录错"}
    assert finance.post(path, body).json()["code"] == "charge_on_invoice"
    finance.post(f"/red-letters/{red['id']}/issue")

    made = finance.post(path, body).json()
    run = services.preview_run(
        period_from=later.date(), period_to=later.date(), actor=SYSTEM, now=later
    )

    assert (made["reversal"], made["replacement"]["gross_fen"]) == (None, 20_000)
    assert (run.entries_total, run.gross_fen) == (1, 20_000)
