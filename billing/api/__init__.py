"""The billing endpoints, one module per subject: parse, one call, answer."""

from ninja import Router

from billing.api import charges, invoices, ledger, payments, prices, receivables, runs

PARTS = (prices, charges, runs, invoices, payments, receivables, ledger)

router = Router(tags=["billing"])
for part in PARTS:
    router.add_router("", part.router)
