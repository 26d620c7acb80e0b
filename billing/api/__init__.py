"""The billing endpoints, one module per subject: parse, one call, answer."""

from ninja import Router

from billing.api import (
    audits,
    banking,
    charges,
    claims,
    einvoices,
    invoices,
    ledger,
    payments,
    pricelists,
    prices,
    receivables,
    reds,
    run_checks,
    runs,
    seller,
    statements,
)

PARTS = (
    audits,
    prices,
    pricelists,
    charges,
    runs,
    run_checks,
    invoices,
    payments,
    banking,
    receivables,
    ledger,
    claims,
    einvoices,
    reds,
    seller,
    statements,
)

router = Router(tags=["billing"])
for part in PARTS:
    router.add_router("", part.router)
