"""What the API says about documents; amounts in integer fen."""

from datetime import date, datetime

from ninja import Schema

from base_ops.core.schemas import TenantRef
from billing.schemas.plain import Plain


class LineOut(Schema):
    """One line of a document."""

    position: int
    description_zh: str
    description_en: str
    band: str
    surge: Plain
    quantity: str
    unit: str
    unit_fen: int | None
    price_text: str
    policy: str
    vat_category: str
    vat_rate: Plain
    net_fen: int
    vat_fen: int
    gross_fen: int


class InvoiceOut(Schema):
    """One document."""

    number: str
    kind: str
    status: str
    tenant: TenantRef
    period_from: date
    period_to: date
    issued_at: datetime
    issued_on: date
    due_on: date
    line_count: int
    net_fen: int
    vat_fen: int
    gross_fen: int


class InvoiceDetailOut(InvoiceOut):
    """One document with its lines."""

    seller: dict[str, str]
    buyer: dict[str, str]
    capitals_zh: str
    lines: list[LineOut]
