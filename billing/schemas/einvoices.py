"""What the API says about e-invoices; amounts in yuan, as the tax office has them."""

from ninja import Schema

from base_ops.core.problems import Problem


class EPartyOut(Schema):
    """Who buys or sells."""

    name: str
    tax_number: str
    address: str = ""
    bank: str = ""
    account: str = ""


class ELineOut(Schema):
    """One line; `nature` is 00 plain, 02 discounted, 01 the discount that follows it."""

    position: str
    nature: str
    name: str
    tax_code: str
    specification: str
    unit: str
    quantity: str
    net: str
    rate: str
    vat: str


class ELeaseOut(Schema):
    """What the special element 06 says of one place that is let."""

    region: str
    address: str
    starts_on: str
    ends_on: str
    cross_city: str
    certificate: str
    area_unit: str


class EInvoiceOut(Schema):
    """One e-invoice that a document becomes; `number` once the platform gave it."""

    serial: str
    number: str | None
    kind: str
    special_element: str
    buyer: EPartyOut
    seller: EPartyOut
    lines: list[ELineOut]
    leases: list[ELeaseOut]
    net: str
    vat: str
    gross: str
    capitals: str
    remark: str


class ERowFaultOut(Schema):
    """Why a cell is refused."""

    name: str
    reason_zh: str
    reason_en: str


class ERowOut(Schema):
    """What becomes of a row: new, known or refused."""

    row: int
    serial: str
    number: str
    outcome: str
    faults: list[ERowFaultOut]


class EInvoiceImportOut(Schema):
    """What an import did, or would do."""

    dry_run: bool
    ignored: list[str]
    rows: list[ERowOut]


class RowsRefusedProblem(Problem):
    """The rows of an import of which some were refused."""

    rows: list[ERowOut] = []
