"""Documents and charges of a month as tables, and a month of documents in one archive."""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from decimal import Decimal
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from base_ops.core.errors import Conflict
from base_ops.core.tables import writing
from billing import documents
from billing.models import Charge, Invoice, InvoiceLine
from billing.services import numbering

MOST_DOCUMENTS = 300
IN_MEMORY = 4 * 1024 * 1024
_STAMP = (1980, 1, 1, 0, 0, 0)
Row = Sequence[writing.Value]


class TooManyDocuments(Conflict):
    """More than one archive may have; ask for single tenants."""

    code, title_zh, title_en = "too_many_documents", "单据过多，请按租户下载", "Too many documents"


def _yuan(fen: int) -> Decimal:
    return Decimal(fen) / 100


def invoices(rows: Any) -> Iterator[Row]:
    """One row per document."""
    yield (
        "单据号",
        "类型",
        "租户",
        "名称",
        "开具日期",
        "到期日",
        "行数",
        "不含税",
        "税额",
        "价税合计",
    )
    for i in rows.order_by("number").iterator(chunk_size=500):
        row: Invoice = i
        yield (
            row.number, row.kind, row.tenant.code, row.buyer["name_zh"], str(row.issued_on),
            str(row.due_on), row.line_count, _yuan(row.net_fen), _yuan(row.vat_fen),
            _yuan(row.gross_fen),
        )  # fmt: skip


def lines(rows: Any) -> Iterator[Row]:
    """One row per line of these documents."""
    yield (
        "单据号",
        "行",
        "项目",
        "Item",
        "数量",
        "单位",
        "政策",
        "税类",
        "税率",
        "不含税",
        "税额",
        "价税合计",
    )
    found = InvoiceLine.objects.filter(invoice__in=rows.order_by()).select_related("invoice")
    for row in found.order_by("invoice__number", "position").iterator(chunk_size=500):
        yield (
            row.invoice.number, row.position, row.description_zh, row.description_en,
            row.quantity, row.unit, row.policy, row.vat_category, f"{row.vat_rate.normalize():f}",
            _yuan(row.net_fen), _yuan(row.vat_fen), _yuan(row.gross_fen),
        )  # fmt: skip


def charges(rows: Any) -> Iterator[Row]:
    """One row per charge."""
    yield (
        "来源",
        "租户",
        "使用日",
        "预订",
        "空间",
        "项目",
        "政策",
        "不含税",
        "税额",
        "价税合计",
        "单据号",
    )
    for c in rows.order_by("service_on", "id").iterator(chunk_size=500):
        row: Charge = c
        yield (
            row.source, row.tenant.code, str(row.service_on), row.booking_code, row.space_code,
            row.description_zh, row.policy, _yuan(row.net_fen), _yuan(row.vat_fen),
            _yuan(row.gross_fen), row.invoice,
        )  # fmt: skip


def archive(rows: Any) -> IO[bytes]:
    """The PDFs and e-invoice data of these documents with an index; same documents, same bytes.

    One document at a time is in memory; what is packed goes to the disk beyond 4 MiB.

    Raises:
        TooManyDocuments: more than 300.
    """
    wanted = list(rows.order_by("number")[: MOST_DOCUMENTS + 1])
    if len(wanted) > MOST_DOCUMENTS:
        raise TooManyDocuments(f"more than {MOST_DOCUMENTS}", limit=MOST_DOCUMENTS)
    out = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - whoever sends it closes it
    index: list[Row] = [("文件", "SHA-256", "单据号", "租户", "价税合计")]
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as package:
        for row in wanted:
            data = json.dumps(numbering.data_of(row), ensure_ascii=False, indent=1).encode()
            for name, content in (
                (f"{row.number}.pdf", documents.render(row, "zh")),
                (f"{row.number}.json", data),
            ):
                _add(package, name, content)
                digest = hashlib.sha256(content).hexdigest()
                index.append((name, digest, row.number, row.tenant.code, _yuan(row.gross_fen)))
        _add(package, "index.csv", b"".join(writing.csv_chunks(index)))
    out.seek(0)
    return out


def _add(package: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, _STAMP)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    package.writestr(entry, content)


def einvoice_rows(found: Sequence[dict[str, Any]]) -> Iterator[Row]:
    """The lines of e-invoices, each with what is said of its whole."""
    names = ("serial", "kind", "special_element", "gross")
    of_line = (
        "position", "nature", "name", "tax_code", "specification", "unit", "quantity", "net",
        "rate", "vat",
    )  # fmt: skip
    of_lease = (
        "region", "address", "area_unit", "starts_on", "ends_on", "cross_city", "certificate",
    )  # fmt: skip
    yield (*names, "buyer", "buyer_tax_number", *of_line, *of_lease)
    for part in found:
        for n, line in enumerate(part["lines"]):
            lease = part["leases"][n] if n < len(part["leases"]) else {}
            yield (
                *(part[name] for name in names),
                part["buyer"]["name"],
                part["buyer"]["tax_number"],
                *(line[name] for name in of_line),
                *(lease.get(name, "") for name in of_lease),
            )


def xlsx(rows: Iterator[Row], title: str) -> bytes:
    """A sheet of them."""
    file = io.BytesIO()
    writing.write_xlsx(file, rows, title=title)
    return file.getvalue()
