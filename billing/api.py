"""Prices, charges, invoice runs and invoices over HTTP."""

from ninja import Router

router = Router(tags=["billing"])
