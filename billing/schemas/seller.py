"""What the API says about the seller, and to whoever verifies a document."""

from datetime import date, datetime
from typing import Annotated

from ninja import Schema
from pydantic import Field

Name = Annotated[str, Field(min_length=1, max_length=160)]
Place = Annotated[str, Field(min_length=1, max_length=240)]


class SellerIn(Schema):
    """Who sends the invoices from now on."""

    name_zh: Name
    name_en: Name
    uscc: str = Field("", max_length=18)
    address_zh: Place
    address_en: Place
    bank_zh: Name
    bank_en: Name
    account: str = Field(min_length=1, max_length=40)
    region_zh: str = Field(min_length=1, max_length=120)
    property_zh: Place
    certificate: str = Field(min_length=1, max_length=64)
    cross_city: bool = False


class SellerOut(SellerIn):
    """Who sends the invoices."""

    version: int
    updated_at: datetime | None


class VerifiedOut(Schema):
    """What a document's code proves, and nothing else."""

    number: str
    kind: str
    status: str
    seller_zh: str
    buyer_masked: str
    issued_on: date
    gross_fen: int
