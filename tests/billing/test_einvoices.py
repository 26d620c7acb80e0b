"""E-invoice data and its numbers; documents as files that no spreadsheet calculates."""

import csv
import io
import zipfile
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import fromstring

import openpyxl
import pytest

from base_ops.core import clock, money
from base_ops.core.models import Role
from billing import exporting
from billing.domain import einvoice
from billing.domain.einvoice import Item
from billing.models import EInvoice
from tests import make
from tests.billing.test_api import Caller, caller
from tests.billing.test_documents import invoice_for

SELLER = {
    "name_zh": "卖方",
    "region_zh": "广东省广州市番禺区",
    "property_zh": "万博",
    "cross_city": "N",
}
BUYER = {
    "name_zh": "买方",
    "uscc": "91440113DEM0001963",
    "invoice_type": "电子发票(增值税专用发票)",
}


def item(category: str, rate: str, gross_fen: int, **more: Any) -> Item:
    net, vat = money.split_vat(gross_fen, Decimal(rate))
    return Item(category, Decimal(rate), "直播间 <1>", "hour", "4", net, vat, **more)


def test_leases_are_an_einvoice_of_their_own_with_the_special_element() -> None:
    span = {"starts_on": date(2026, 11, 1), "ends_on": date(2026, 12, 1), "place": "B1"}
    items = [
        item("modern_service_6", "0.06", 22_000),
        item("modern_service_6", "0.06", -2_200),
        item("real_estate_lease_9", "0.09", 109_000, **span),
        item("tangible_lease_13", "0.13", 11_300),
    ]

    leases, rest = einvoice.parts("PYB-1", SELLER, BUYER, items, "lines")
    merged = einvoice.parts("PYB-1", SELLER, BUYER, items, "rate")[1]

    assert (leases["serial"], leases["special_element"]) == ("PYB-1/1", "06")
    assert (leases["net"], leases["vat"]) == ("1000.00", "90.00")
    assert leases["leases"] == [
        {
            "region": "广东省广州市番禺区", "address": "万博 B1", "starts_on": "2026-11-01",
            "ends_on": "2026-12-01", "cross_city": "N", "certificate": "", "area_unit": "平方米",
        }
    ]  # fmt: skip
    assert (rest["special_element"], rest["leases"]) == ("", [])
    assert [line["nature"] for line in rest["lines"]] == ["02", "01", "00"]
    assert [(li["net"], li["vat"]) for li in merged["lines"]] == [
        ("186.80", "11.20"), ("100.00", "13.00"),
    ]  # fmt: skip
    assert merged["gross"] == rest["gross"] == "311.00"
    assert "专用" in rest["kind"]
    root = fromstring(einvoice.as_xml([leases, rest]))
    assert root[1].findtext("gross") == "311.00"
    assert root[1].findtext("lines/line/specification") == "直播间 <1>"


class Office:
    """Finance with an invoice whose buyer has a hostile name."""

    def __init__(self, now: datetime) -> None:
        self.tenant = make.tenant(
            name_zh='=HYPERLINK("http://x")', name_en="+1+1", compliance_rating="A"
        )
        self.invoice = invoice_for(self.tenant, now)
        self.finance = caller(Role.FINANCE, now)
        self.serial = f"{self.invoice.number}/1"

    def send(self, data: bytes, kind: str = "csv", dry: bool = False) -> Any:
        path = f"/api/v1/einvoice-imports{'/dry-run' if dry else ''}?format={kind}"
        key = {"Idempotency-Key": f"einvoice-{hash((data, kind)) & 0xFFFFFFFF}"}
        return self.finance.client.post(path, data, content_type="text/csv", headers=key)

    def table(self, *rows: str) -> bytes:
        return "\r\n".join(["单据编号,数电票号码,开票日期,价税合计", *rows, ""]).encode()

    def row(self, number: str) -> str:
        return f"{self.serial},{number},2026-12-01,{money.yuan(self.invoice.gross_fen)}"


@pytest.fixture
def office(prices: None, later: datetime, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.setattr(clock, "now", lambda: later)
    return Office(later)


def test_issued_numbers_come_back_all_or_none_with_a_reason_for_each_row(office: Office) -> None:
    good = office.table(office.row("1" * 20))
    bad = office.table(
        office.row("123"),
        "PYB-0000/1," + "2" * 20 + ",2026-12-01,1.00",
        f"{office.serial},{'3' * 20},2099-01-01,0.01",
        f"=1+1,{'4' * 20},2026-12-01,1.00",
    )

    tried = office.send(bad, dry=True).json()["rows"]
    refused = office.send(bad)
    dry = office.send(good, dry=True).json()
    nothing = EInvoice.objects.count()
    taken = office.send(good)
    again = office.send(office.table(office.row("1" * 20), ""))
    other = office.send(office.table(office.row("5" * 20)))

    assert [[f["name"] for f in row["faults"]] for row in tried] == [
        ["number"], ["serial"], ["issued_on", "gross"], ["serial"],
    ]  # fmt: skip
    assert (refused.status_code, refused.json()["code"]) == (409, "einvoice_rows_refused")
    assert refused.json()["rows"] == tried
    assert (dry["rows"][0]["outcome"], nothing) == ("new", 0)
    assert (taken.status_code, EInvoice.objects.get().number) == (201, "1" * 20)
    assert again.json()["rows"][0]["outcome"] == "known"
    assert other.json()["rows"][0]["faults"][0]["reason_en"] == "it has another number"
    said = office.finance.get(f"/invoices/{office.invoice.number}/einvoice").json()
    assert said[0]["number"] == "1" * 20
    assert sum(money.fen(part["gross"]) for part in said) == office.invoice.gross_fen


def package(**parts: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in {"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<w/>"}.items():
            made.writestr(name, parts.get(name, text))
        if "more" in parts:
            made.writestr("xl/more.xml", parts["more"])
    return out.getvalue()


def test_hostile_files_are_refused_and_say_why(office: Office) -> None:
    entity = '<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]><w>&x;</w>'
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.append(["单据编号", "数电票号码", "开票日期", "价税合计"])
    sheet["A1048576"] = "far"
    sheet.append(["=1+1", "1", "2026-12-01", "1"])
    huge = io.BytesIO()
    book.save(huge)

    for data, reason in (
        (package(more="0" * 5_000_000), "zip_bomb"),
        (package(**{"xl/workbook.xml": entity}), "not_xlsx"),
        (b"PK\x03\x04nothing", "not_xlsx"),
        (huge.getvalue(), "too_many_rows"),
    ):
        answer = office.send(data, "xlsx", dry=True)
        assert (answer.status_code, answer.json().get("reason")) == (422, reason), answer.json()


def test_files_show_a_month_and_no_spreadsheet_calculates_them(office: Office) -> None:
    number, month = office.invoice.number, "2026-11"
    stranger: Caller = caller(Role.TENANT_ADMIN, clock.now(), tenant=make.tenant())

    def body(path: str, who: Caller = office.finance) -> bytes:
        answer = who.get(path)
        assert answer.status_code == 200, path
        return answer.getvalue() if answer.streaming else answer.content  # type: ignore[no-any-return]

    rows = list(
        csv.reader(io.StringIO(body(f"/exports/invoices.csv?month={month}").decode("utf-8-sig")))
    )
    sheet: Any = openpyxl.load_workbook(
        io.BytesIO(body(f"/exports/invoices.xlsx?month={month}"))
    ).active
    packed = body(f"/exports/documents.zip?month={month}")

    assert (rows[1][0], rows[1][3]) == (number, '\'=HYPERLINK("http://x")')
    assert rows[1][9] == money.yuan(office.invoice.gross_fen)
    assert (sheet["D2"].data_type, sheet["D2"].quotePrefix) == ("s", True)
    for what, count in (
        ("lines", office.invoice.line_count),
        ("charges", office.invoice.line_count),
    ):
        assert body(f"/exports/{what}.csv?month={month}").count(b"\r\n") == count + 1
        assert body(f"/exports/{what}.csv?month={month}", stranger).count(b"\r\n") == 1
    assert packed == body(f"/exports/documents.zip?month={month}")
    with zipfile.ZipFile(io.BytesIO(packed)) as found:
        assert found.namelist() == [f"{number}.pdf", f"{number}.json", "index.csv"]
        assert found.read(f"{number}.pdf").startswith(b"%PDF")
        assert b"HYPERLINK" not in found.read("index.csv")
    for kind in ("xml", "xlsx"):
        assert body(f"/invoices/{number}/einvoice.{kind}?merge=rate")
    assert stranger.get(f"/invoices/{number}/einvoice.xml").status_code == 403


def test_an_archive_has_a_limit(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "MOST_DOCUMENTS", 0)

    answer = office.finance.get("/exports/documents.zip?month=2026-11")

    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_documents")
