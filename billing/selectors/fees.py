"""Fees that a screen shows before somebody acts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from billing.domain import aftermath


def cancellation_fee_fen(quote_json: Mapping[str, Any], starts_at: datetime, now: datetime) -> int:
    """What cancelling now costs, VAT included, from the quote frozen in the booking."""
    return aftermath.cancellation_fen(quote_json, starts_at=starts_at, at=now)
