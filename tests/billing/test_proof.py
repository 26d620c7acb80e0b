"""The code on a document, the page behind it, the archive format, and who sends the invoices."""

import io
from datetime import datetime
from typing import Any

import pypdfium2
import pytest
from django.core.cache import cache
from django.test import Client, override_settings

from base_ops.core.models import Role
from billing import documents, verifying
from billing.documents import proof
from billing.domain.masking import masked
from billing.models import Invoice
from tests import make
from tests.billing.data import span
from tests.billing.test_api import caller
from tests.billing.test_documents import invoice_for, issue
from tests.billing.world import finished, room

pytestmark = pytest.mark.usefixtures("prices")


def test_the_code_leads_to_what_it_proves_and_nothing_else(later: datetime) -> None:
    cache.clear()
    tenant = make.tenant(name_zh="广州虚构直播有限公司", uscc="91440113DEM0001963")
    invoice = invoice_for(tenant, later)
    token = proof.token(str(invoice.number))
    stranger = Client()

    said = stranger.get(f"/api/v1/verify/{token}").json()
    page = stranger.get(f"/verify/{token}")
    forged = f"{invoice.number}.{'0' * 16}"

    assert said == {
        "number": invoice.number,
        "kind": "invoice",
        "status": "issued",
        "seller_zh": invoice.seller["name_zh"],
        "buyer_masked": "广州******司",
        "issued_on": "2026-12-01",
        "gross_fen": invoice.gross_fen,
    }
    text = page.content.decode()
    assert page.status_code == 200
    assert "单据真实" in text
    for hidden in (tenant.name_zh, "91440113DEM0001963", tenant.code):
        assert hidden not in text
    assert stranger.get(f"/api/v1/verify/{forged}").json()["code"] == "not_proven"
    assert stranger.get(f"/verify/{forged}").status_code == 404
    assert stranger.get("/verify/x").status_code == 404
    unknown = proof.token("PYB-2026-999999")
    assert stranger.get(f"/api/v1/verify/{unknown}").status_code == 404


def test_asking_is_limited(later: datetime) -> None:
    cache.clear()
    answers = [Client().get("/api/v1/verify/x.y") for _ in range(verifying.PER_MINUTE + 1)]

    assert [a.status_code for a in answers[:-1]] == [404] * verifying.PER_MINUTE
    assert (answers[-1].status_code, answers[-1].json()["code"]) == (429, "verify_too_often")
    assert Client().get("/verify/x.y").headers["Retry-After"] == "60"
    cache.clear()


@override_settings(PUBLIC_URL="https://base.example.org")
def test_the_pdf_is_an_archive_copy_that_shows_the_code(later: datetime) -> None:
    invoice = invoice_for(make.tenant(), later)
    pdf = documents.render(invoice, "zh")
    drawn = proof.picture(proof.address(str(invoice.number)))

    metadata = pdf[pdf.index(b"<?xpacket") : pdf.index(b"<?xpacket end")]
    assert b"<pdfaid:part>2</pdfaid:part>" in metadata
    assert b"<pdfaid:conformance>B</pdfaid:conformance>" in metadata
    assert b"/OutputIntents" in pdf or b"GTS_PDFA1" in pdf
    assert proof.address("PYB-1").startswith("https://base.example.org/verify/PYB-1.")
    assert drawn.startswith("<svg")
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    paths = sum(1 for item in document[len(document) - 1].get_objects() if item.type == 2)
    document.close()
    assert paths > 5


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("广州虚构直播有限公司", "广州******司"),
        ("张三", "张**"),
        ("", "**"),
        ("甲乙丙丁", "甲乙*丁"),
    ],
)
def test_names_are_masked(name: str, shown: str) -> None:
    assert masked(name) == shown


def test_the_seller_is_data_and_issued_invoices_keep_the_old_one(later: datetime) -> None:
    finance = caller(Role.FINANCE, later)
    tenant, space = make.tenant(), room()
    finished(tenant=tenant, space=space, span=span("11-16 10:00", 4), now=later)
    [old] = issue(later)
    read = finance.get("/billing/seller")
    wish = {k: v for k, v in read.json().items() if k not in ("version", "updated_at")}
    wish |= {"name_zh": "新基地运营有限公司", "uscc": "91440113DEM0001963"}

    def put(body: object, match: str | None = None) -> Any:
        headers = {"If-Match": match} if match else {}
        return finance.client.put(
            "/api/v1/billing/seller", body, content_type="application/json", headers=headers
        )

    without, stale = put(wish), put(wish, '"7"')
    bad = put(wish | {"uscc": "91440113DEM0001964"}, read.headers["ETag"])
    done = put(wish, read.headers["ETag"])

    assert [a.status_code for a in (without, stale, bad, done)] == [428, 412, 422, 200]
    assert bad.json()["code"] == "bad_seller"
    finished(tenant=tenant, space=space, span=span("11-17 10:00", 4), now=later)
    new = next(i for i in issue(later) if i.pk != old.pk)
    assert new.seller["name_zh"] == "新基地运营有限公司"
    assert Invoice.objects.get(pk=old.pk).seller == old.seller
    assert old.seller["name_zh"] != new.seller["name_zh"]
    assert caller(Role.TENANT_ADMIN, later).get("/billing/seller").status_code == 403
