"""What billing keeps."""

from billing.models.accounts import Account, Entry, OpenItem, Period, Posting
from billing.models.auditing import SelfAudit
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
from billing.models.claims import Claim, ClaimLine
from billing.models.dunning import DunningPlan, LateFee, Reminder
from billing.models.einvoices import EInvoice
from billing.models.invoices import Invoice, InvoiceLine, InvoiceRun, NumberSeries, RunEntry
from billing.models.payments import (
    Allocation,
    Deposit,
    DepositMove,
    Payment,
    Refund,
    Wallet,
    WalletMove,
)
from billing.models.pricelists import PriceList
from billing.models.reds import ChargeCorrection, InvoiceStanding, RedLetter, RedLine
from billing.models.runs import RunDifference, RunRules
from billing.models.seller import Seller
from billing.models.statements import Dispute, Statement, StatementEntry
from billing.models.usage import Budget, Evidence, PolicyUse, Reservation

__all__ = [
    "Account",
    "Allocation",
    "Budget",
    "Charge",
    "ChargeCorrection",
    "Claim",
    "ClaimLine",
    "Deposit",
    "DepositMove",
    "Dispute",
    "DunningPlan",
    "EInvoice",
    "Entry",
    "Evidence",
    "Invoice",
    "InvoiceLine",
    "InvoiceRun",
    "InvoiceStanding",
    "LateFee",
    "NumberSeries",
    "OpenItem",
    "Payment",
    "Period",
    "PolicyRow",
    "PolicyUse",
    "Posting",
    "PriceBookVersion",
    "PriceList",
    "RedLetter",
    "RedLine",
    "Refund",
    "Reminder",
    "Reservation",
    "RunDifference",
    "RunEntry",
    "RunRules",
    "SelfAudit",
    "Seller",
    "ServiceRow",
    "Statement",
    "StatementEntry",
    "SurgeRow",
    "TariffRow",
    "TermsRow",
    "TimeBandRow",
    "UsageFact",
    "VatRateRow",
    "Wallet",
    "WalletMove",
]
