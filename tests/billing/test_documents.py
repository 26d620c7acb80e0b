"""What a PDF says, read back from its bytes."""

from datetime import datetime

import pypdfium2
import pytest

from base_ops.core.actors import SYSTEM
from base_ops.core.models import Tenant
from billing import documents, services
from billing.documents.content import Language, grouped
from billing.domain.capitals import capitals
from billing.domain.facts import FaultFacts
from billing.models import Invoice
from tests import make
from tests.billing.data import span
from tests.billing.run_world import NOVEMBER
from tests.billing.world import finished, room

pytestmark = pytest.mark.usefixtures("prices")


def issue(now: datetime) -> list[Invoice]:
    run = services.preview_run(
        period_from=NOVEMBER[0], period_to=NOVEMBER[1], actor=SYSTEM, now=now
    )
    services.approve_run(run_id=run.pk, actor=SYSTEM, now=now)
    services.ask_issue(run_id=run.pk, actor=SYSTEM, now=now)
    services.issue_due(now)
    return list(Invoice.objects.order_by("number"))


def invoice_for(tenant: Tenant, now: datetime) -> Invoice:
    space = room("studio_jewel", name_zh="珠宝直播间02", name_en="Jewellery studio 02")
    finished(tenant=tenant, space=space, span=span("11-11 19:00", 4), now=now)
    finished(tenant=tenant, space=space, span=span("11-16 22:00", 4), now=now)
    return issue(now)[0]


def text_of(pdf: bytes) -> str:
    """All text without white space: typesetting may break and space lines anywhere."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        found = ""
        for page in document:
            part = page.get_textpage()
            found += part.get_text_range()
            part.close()
            page.close()
        return "".join(found.split())
    finally:
        document.close()


def squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_pdf_says_everything_that_is_owed(later: datetime, lang: Language) -> None:
    tenant = make.tenant(
        compliance_rating="A", industry="jewellery", uscc="91440113DEM0001963", invoice_type="x"
    )
    invoice = invoice_for(tenant, later)

    text = text_of(documents.render(invoice, lang))

    assert invoice.number is not None
    for wanted in (
        invoice.number,
        tenant.name_zh if lang == "zh" else tenant.name_en,
        "91440113DEM0001963",
        grouped(invoice.net_fen),
        grouped(invoice.vat_fen),
        grouped(invoice.gross_fen),
        f"人民币{capitals(invoice.gross_fen)}",
        invoice.due_on.isoformat(),
    ):
        assert squeezed(wanted) in text
    lines = list(invoice.lines.all())
    assert len(lines) >= 5
    for line in lines:
        said = line.description_zh if lang == "zh" else line.description_en
        assert squeezed(said) in text
        for amount in (line.net_fen, line.vat_fen, line.gross_fen):
            assert grouped(amount) in text
    assert {"P08", "P15"} <= {line.policy for line in lines}
    assert "P15" in text


def test_pdf_is_the_same_bytes_each_time(later: datetime) -> None:
    invoice = invoice_for(make.tenant(), later)

    first = documents.render(invoice, "zh")
    documents.render(invoice, "en")
    again = documents.render(Invoice.objects.get(pk=invoice.pk), "zh")

    assert first == again
    assert documents.etag(invoice, "zh") != documents.etag(invoice, "en")


@pytest.mark.parametrize(
    "name",
    [
        '#eval("1+1") #read("/etc/passwd")',
        "$x^2$ *bold* _em_ `raw` = Heading",
        '"]}, "number": "PYB-0000',
        "<label> @ref // comment /* c */ \\u{41}",
        "#set page(fill: red)",
    ],
)
def test_names_are_shown_as_they_are_written(later: datetime, name: str) -> None:
    invoice = invoice_for(make.tenant(name_zh=name, name_en=name), later)

    for lang in ("zh", "en"):
        assert squeezed(name) in text_of(documents.render(invoice, lang))


def test_a_later_change_of_the_tenants_name_does_not_reach_an_issued_invoice(
    later: datetime,
) -> None:
    tenant = make.tenant(name_zh="旧名称有限公司")
    invoice = invoice_for(tenant, later)
    before = documents.render(invoice, "zh")

    Tenant.objects.filter(pk=tenant.pk).update(name_zh="新名称有限公司")

    assert documents.render(Invoice.objects.get(pk=invoice.pk), "zh") == before


def test_a_fault_credit_is_a_document_of_its_own(later: datetime) -> None:
    tenant, space = make.tenant(), room("studio_team_l")
    finished(
        tenant=tenant, space=space, span=span("11-19 19:00", 4), now=later, booking_code="BK7"
    )
    fault = FaultFacts(
        fault_code="F1", booking_code="BK7", outage_min=25, evidence={"metric": "streaming"}
    )
    earlier = datetime.fromisoformat("2026-11-20T01:00:00+00:00")
    services.credit_fault(facts=fault, now=earlier)
    services.credit_fault(facts=fault, now=earlier)

    found = {i.kind: i for i in issue(later)}

    note = found["credit_note"]
    assert (note.number, note.gross_fen) == ("PYC-2026-000001", -14_583)
    assert (found["invoice"].number, found["invoice"].gross_fen) == ("PYB-2026-000001", 70_000)
    text = text_of(documents.render(note, "zh"))
    assert "红字账单" in text
    assert "（负数）壹佰肆拾伍元捌角叁分" in text


def test_a_long_invoice_repeats_its_header_and_counts_pages(later: datetime) -> None:
    tenant, space = make.tenant(), room()
    for day in range(1, 29):
        for start in ("08", "18"):
            finished(
                tenant=tenant, space=space, span=span(f"11-{day:02d} {start}:00", 2), now=later
            )

    [invoice] = issue(later)

    text = text_of(documents.render(invoice, "zh"))
    assert invoice.line_count > 100
    assert "第1页" in text
    assert text.count("价税合计（大写）") == 1
    assert text.count("价税合计") >= 4
