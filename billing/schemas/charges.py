"""What the API says about charges; amounts in integer fen, tax included unless named net."""

from datetime import date, datetime

from ninja import Schema

from base_ops.core.schemas import TenantRef
from billing.schemas.plain import Plain


class ChargeOut(Schema):
    """One priced line of something that happened."""

    id: int
    source: str
    tenant: TenantRef
    document: str
    kind: str
    booking_code: str
    space_code: str
    service_on: date
    description_zh: str
    description_en: str
    starts_at: datetime | None
    ends_at: datetime | None
    band: str
    surge: Plain
    quantity: str
    unit: str
    unit_fen: int | None
    price_text: str
    net_fen: int
    vat_fen: int
    gross_fen: int
    vat_rate: Plain
    vat_category: str
    policy: str
    payer: str
    invoice: str | None
