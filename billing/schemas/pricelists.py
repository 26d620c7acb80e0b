"""Price lists over the API; a document has the words of the data file."""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any

from ninja import Schema
from pydantic import StringConstraints

from base_ops.core.errors import FieldFault
from base_ops.core.instants import Instant
from billing.models import PriceList

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]


class PriceListIn(Schema):
    """A draft: bands, tariffs, surge days, prices by kind of day, services, VAT rates, terms."""

    name: Name
    document: dict[str, Any]


class PriceListCheckIn(Schema):
    """A document as it would be from that day on."""

    document: dict[str, Any]
    valid_from: date


class ActivateIn(Schema):
    """The first day of use that is priced by the list."""

    valid_from: date


class PriceFaultOut(Schema):
    """One field and why it is refused."""

    name: str
    reason_zh: str
    reason_en: str


class PriceListCheckOut(Schema):
    """Every fault at once; none: it may be put in force."""

    faults: list[PriceFaultOut]


class PriceListOut(Schema):
    """One price list without its document; `fingerprint` is the version that quotes name."""

    number: int
    name: str
    state: str
    valid_from: date | None
    fingerprint: str
    changed_by: str
    changed_at: Instant
    version: int


class PriceListDetailOut(PriceListOut):
    """One price list."""

    document: dict[str, Any]


class PricesOut(Schema):
    """The prices of a day as a document to draft from; no number: those of the data file."""

    on: date
    fingerprint: str
    number: int | None
    document: dict[str, Any]


def faults_out(faults: Iterable[FieldFault]) -> PriceListCheckOut:
    """The faults as the API shows them."""
    return PriceListCheckOut(
        faults=[
            PriceFaultOut(name=f.name, reason_zh=f.reason_zh, reason_en=f.reason_en)
            for f in faults
        ]
    )


def detail_out(row: PriceList) -> PriceListDetailOut:
    """A price list with its document."""
    return PriceListDetailOut.from_orm(row)
