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
from billing.schemas.runs import (
    ApproveIn,
    DifferencesOut,
    EntryOut,
    EntryStateOut,
    HoldIn,
    RunDetailOut,
    RunIn,
    RunOut,
    RunRulesIn,
    RunRulesOut,
)

__all__ = [
    "ApproveIn",
    "BandOut",
    "BudgetOut",
    "ChargeOut",
    "DifferencesOut",
    "EntryOut",
    "EntryStateOut",
    "HoldIn",
    "InvoiceDetailOut",
    "InvoiceOut",
    "LineOut",
    "PolicyOut",
    "RunDetailOut",
    "RunIn",
    "RunOut",
    "RunRulesIn",
    "RunRulesOut",
    "ServiceOut",
    "SurgeOut",
    "TariffOut",
    "TariffsOut",
]
