"""What the API says about money, one module per subject."""

from billing.schemas.charges import ChargeOut
from billing.schemas.invoices import InvoiceDetailOut, InvoiceOut, LineOut
from billing.schemas.prices import (
    BandOut,
    BudgetOut,
    PolicyOut,
    ServiceOut,
    SurgeOut,
    TariffOut,
    TariffsOut,
)
from billing.schemas.runs import ApproveIn, EntryOut, RunDetailOut, RunIn, RunOut

__all__ = [
    "ApproveIn",
    "BandOut",
    "BudgetOut",
    "ChargeOut",
    "EntryOut",
    "InvoiceDetailOut",
    "InvoiceOut",
    "LineOut",
    "PolicyOut",
    "RunDetailOut",
    "RunIn",
    "RunOut",
    "ServiceOut",
    "SurgeOut",
    "TariffOut",
    "TariffsOut",
]
