"""A claim as one ZIP that the district can check: an index, contracts, invoices, payments, proofs.

The same claim makes the same bytes: entries have a fixed order and the day of the claim.
"""

import io
import json
import zipfile
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import IO, Any

from base_ops.core.errors import Conflict
from base_ops.core.money import yuan
from base_ops.core.tables import writing
from billing import documents, proofs
from billing.models import Allocation, Claim, ClaimLine, Evidence, Invoice
from billing.selectors import subsidies

MOST_INVOICES = 300
_STAMP = (2000, 1, 1, 0, 0, 0)
_HEAD = (
    "序号 No.", "事实 Fact", "租户 Tenant", "预订 Booking", "日期 Date", "账单 Invoice",
    "申领金额 Claimed (CNY)", "核定金额 Accepted (CNY)", "直播时长 Live (s)",
    "合同 Contract", "账单文件 Invoice file", "付款证明 Payment proof", "证据 Proof",
)  # fmt: skip


class PackTooLarge(Conflict):
    """More invoices than one pack may hold: claim a shorter period."""

    code, title_zh, title_en = "pack_too_large", "申领包账单过多", "Too many invoices for one pack"


def write(file: IO[bytes], *, row: Claim, now: datetime) -> None:
    """Write the pack.

    Raises:
        PackTooLarge: more invoices than one pack may hold; nothing was written.
    """
    lines = list(subsidies.lines(row).order_by("service_on", "id"))
    invoices = {line.invoice_id: line.invoice for line in lines}
    if len(invoices) > MOST_INVOICES:
        raise PackTooLarge(f"{len(invoices)} invoices", limit=MOST_INVOICES)
    proven = proofs.proofs([line.booking_code for line in lines if line.booking_code], now=now)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as pack:
        _add(pack, "index.csv", b"".join(writing.csv_chunks(_index(lines))))
        _add(pack, "index.json", _json(_summary(row, lines)))
        for line in lines:
            _add(pack, _contract(line), _json(_contract_data(line)))
        for pk in sorted(invoices):
            invoice = invoices[pk]
            _add(pack, f"invoices/{invoice.number}.pdf", documents.render(invoice, "zh"))
            _add(pack, f"payments/{invoice.number}.json", _json(_payments(invoice)))
        for code in sorted(proven):
            proof = {"booking": code, "live_s": proven[code].live_s}
            _add(pack, f"proofs/{code}.json", _json(proof | dict(proven[code].evidence)))


def packed(*, row: Claim, now: datetime) -> bytes:
    """The pack as bytes."""
    out = io.BytesIO()
    write(out, row=row, now=now)
    return out.getvalue()


def _add(pack: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, _STAMP)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    pack.writestr(entry, data)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True, default=str).encode()


def _index(lines: Sequence[ClaimLine]) -> Iterable[Sequence[writing.Value]]:
    yield _HEAD
    for number, line in enumerate(lines, start=1):
        accepted = line.accepted_fen
        yield (
            number, line.fact.source, line.tenant.name_zh, line.booking_code,
            line.service_on.isoformat(), line.invoice.number, Decimal(yuan(line.amount_fen)),
            None if accepted is None else Decimal(yuan(accepted)), line.live_s, _contract(line),
            f"invoices/{line.invoice.number}.pdf", f"payments/{line.invoice.number}.json",
            "" if line.live_s is None else f"proofs/{line.booking_code}.json",
        )  # fmt: skip


def _summary(row: Claim, lines: Sequence[ClaimLine]) -> dict[str, Any]:
    return {
        "claim": row.pk,
        "programme": row.programme,
        "period": [str(row.period_from), str(row.period_to)],
        "status": row.status,
        "requested_fen": row.requested_fen,
        "accepted_fen": row.accepted_fen,
        "lines": len(lines),
        "live_s": sum(line.live_s or 0 for line in lines),
    }


def _contract(line: ClaimLine) -> str:
    return f"contracts/{line.fact.source.replace('/', '-')}.json"


def _contract_data(line: ClaimLine) -> dict[str, Any]:
    """What was agreed: the fact as it was recorded, and what the tenant has proven."""
    on = line.service_on
    rows = Evidence.objects.filter(tenant=line.tenant, valid_from__lte=on, valid_to__gte=on)
    return {
        "fact": line.fact.source,
        "recorded_at": line.fact.recorded_at.isoformat(),
        "tariff_version": line.fact.tariff_version,
        "tenant": {
            "code": line.tenant.code,
            "name": line.tenant.name_zh,
            "uscc": line.tenant.uscc,
        },
        "agreed": line.fact.payload,
        "evidence": list(rows.order_by("key", "value").values("key", "value", "document_zh")),
    }


def _payments(invoice: Invoice) -> dict[str, Any]:
    rows = Allocation.objects.filter(item_id=invoice.pk).select_related("payment").order_by("id")
    return {
        "invoice": invoice.number,
        "gross_fen": invoice.gross_fen,
        "payments": [
            {
                "on": str(a.on), "amount_fen": a.amount_fen, "method": a.payment.method,
                "bank_reference": a.payment.bank_reference, "payer": a.payment.payer,
            }
            for a in rows
        ],
    }  # fmt: skip
