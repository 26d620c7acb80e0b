"""What billing keeps."""

from billing.models.book import (
    PolicyRow,
    PriceBookVersion,
    ServiceRow,
    SurgeRow,
    TariffRow,
    TermsRow,
    TimeBandRow,
    VatRateRow,
)
from billing.models.charges import Charge, UsageFact
from billing.models.invoices import Invoice, InvoiceLine, InvoiceRun, NumberSeries, RunEntry
from billing.models.usage import Budget, Evidence, PolicyUse, Reservation

__all__ = [
    "Budget",
    "Charge",
    "Evidence",
    "Invoice",
    "InvoiceLine",
    "InvoiceRun",
    "NumberSeries",
    "PolicyRow",
    "PolicyUse",
    "PriceBookVersion",
    "Reservation",
    "RunEntry",
    "ServiceRow",
    "SurgeRow",
    "TariffRow",
    "TermsRow",
    "TimeBandRow",
    "UsageFact",
    "VatRateRow",
]
