"""The billing endpoints, one module per subject: parse, one call, answer."""

from ninja import Router

from billing.api import (
    audits,
    banking,
    budgets,
    charges,
    claims,
    einvoices,
    invoices,
    ledger,
    payments,
    policies,
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
    policies,
    budgets,
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
