"""Pages of invoices as PDF per second, against bare typst with the same compiler and data.

Each document differs, because typst remembers what it typeset; 46 lines, two pages.
"""

import json
import os
import secrets
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from typing import Any

DOCUMENTS = 40
LINES = 46


def run() -> dict[str, Any]:
    """Measure in a process of its own, so that settings and compiler are fresh."""
    environment = {
        **os.environ,
        "DATABASE_URL": "postgresql:///unused",
        "BASE_OPS_SECRET_KEY": secrets.token_urlsafe(48),
        "DJANGO_SETTINGS_MODULE": "base_ops.settings",
        "MQTT_URL": "",
    }
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.bench_billing"],
        env=environment,
        stdout=subprocess.PIPE,
        check=True,
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def measure() -> dict[str, Any]:
    """Both rates, and their ratio."""
    import django
    import pypdfium2

    django.setup()
    from billing.documents import content, pdf

    invoices = [_invoice(n) for n in range(2 * DOCUMENTS)]
    ready = [json.dumps(content.content(i, _lines(i), "zh")) for i in invoices[:DOCUMENTS]]
    first = pdf.typeset(ready[0].replace("PYB", "PYX"), at=invoices[0].issued_at)  # reads fonts
    pages = len(pypdfium2.PdfDocument(first))
    bare_s = ours_s = 0.0
    for n in range(DOCUMENTS):  # in turns, so that a busy machine is as busy for both
        start = time.perf_counter()
        pdf.typeset(ready[n], at=invoices[n].issued_at)
        between = time.perf_counter()
        invoice = invoices[DOCUMENTS + n]
        text = json.dumps(content.content(invoice, _lines(invoice), "zh"))
        pdf.typeset(text, at=invoice.issued_at)
        bare_s += between - start
        ours_s += time.perf_counter() - between
    limit, ours = pages * DOCUMENTS / bare_s, pages * DOCUMENTS / ours_s
    return {
        "name": f"invoice PDF/A of {pages} pages and {LINES} lines, against bare typst",
        "ours": round(ours, 1),
        "limit": round(limit, 1),
        "ratio": round(ours / limit, 3),
        "unit": "pages/s",
    }


def _invoice(n: int) -> Any:
    from billing.models import Invoice
    from billing.seller import SELLER

    return Invoice(
        number=f"PYB-2026-{n:06d}",
        kind="invoice",
        period_from=date(2026, 11, 1),
        period_to=date(2026, 11, 30),
        issued_at=datetime(2026, 12, 1, tzinfo=UTC),
        issued_on=date(2026, 12, 1),
        due_on=date(2026, 12, 16),
        seller=SELLER,
        buyer={"code": "T1", "name_zh": f"租户{n}", "name_en": f"Tenant {n}"},
        net_fen=LINES * (10_000 + n),
        vat_fen=LINES * 600,
        gross_fen=LINES * (10_600 + n),
    )


def _lines(invoice: Any) -> list[Any]:
    from decimal import Decimal

    from billing.models import InvoiceLine

    return [
        InvoiceLine(
            position=n,
            description_zh=f"单人直播间{n:02d} {invoice.number[-4:]} 10:00-14:00 平时",
            description_en=f"Single studio {n:02d}",
            band="standard",
            quantity="1×4h",
            price_text="220.00/4h",
            vat_rate=Decimal("0.06"),
            net_fen=10_000 + n,
            vat_fen=600,
            gross_fen=10_600 + n,
        )
        for n in range(1, LINES + 1)
    ]


if __name__ == "__main__":
    print(json.dumps(measure()))  # noqa: T201
