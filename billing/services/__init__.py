"""Deeds of billing, one transaction each."""

from billing.domain.rating import ServiceWish
from billing.services.budgets import BookingSuspended, BudgetUsedUp, release, reserve
from billing.services.charging import charge_booking, charge_lease, credit_fault
from billing.services.quoting import quote, quote_many
from billing.services.runs import approve_run, ask_issue, issue_due, preview_run

__all__ = [
    "BookingSuspended",
    "BudgetUsedUp",
    "ServiceWish",
    "approve_run",
    "ask_issue",
    "charge_booking",
    "charge_lease",
    "credit_fault",
    "issue_due",
    "preview_run",
    "quote",
    "quote_many",
    "release",
    "reserve",
]
