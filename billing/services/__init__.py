"""Deeds of billing, one transaction each."""

from billing.domain.facts import ChangeFacts
from billing.domain.rating import ServiceWish
from billing.services.budgets import (
    BookingSuspended,
    BudgetUsedUp,
    lock_budgets,
    release,
    reserve,
)
from billing.services.bulk import (
    Claim,
    quote_claims,
    release_many,
    replace_many,
    reserve_many,
)
from billing.services.changing import charge_change
from billing.services.charging import (
    charge_booking,
    charge_many,
    credit_fault,
    known_sources,
)
from billing.services.claiming import reserve_first
from billing.services.leasing import charge_lease, cut_lease, quote_lease
from billing.services.quoting import Beside, Pricing, ask_quote, quote, quote_many
from billing.services.runs import approve_run, ask_issue, issue_due, preview_run

__all__ = [
    "Beside",
    "BookingSuspended",
    "BudgetUsedUp",
    "ChangeFacts",
    "Claim",
    "Pricing",
    "ServiceWish",
    "approve_run",
    "ask_issue",
    "ask_quote",
    "charge_booking",
    "charge_change",
    "charge_lease",
    "charge_many",
    "credit_fault",
    "cut_lease",
    "issue_due",
    "known_sources",
    "lock_budgets",
    "preview_run",
    "quote",
    "quote_claims",
    "quote_lease",
    "quote_many",
    "release",
    "release_many",
    "replace_many",
    "reserve",
    "reserve_first",
    "reserve_many",
]
