"""Fees that a screen shows before somebody acts, by the terms that the frozen quote names."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from base_ops.core.spans import Span
from billing.domain import aftermath
from billing.domain.terms import Terms
from billing.selectors.book import terms_of


def terms_of_quote(quote_json: Mapping[str, Any]) -> Terms:
    """The terms by which a booking with this quote is settled, whatever is in force now."""
    return terms_of(str(quote_json.get("tariff_version", "")))


def cancellation_fee_fen(quote_json: Mapping[str, Any], starts_at: datetime, now: datetime) -> int:
    """What cancelling now costs, VAT included, from the quote frozen in the booking."""
    terms = terms_of_quote(quote_json)
    return aftermath.cancellation_fen(quote_json, starts_at=starts_at, at=now, terms=terms)


def change_fee_fen(
    quote_json: Mapping[str, Any], was: Span, becomes: Span, now: datetime
) -> tuple[int, int]:
    """What moving now costs, VAT included, and the percentage that it is by."""
    terms = terms_of_quote(quote_json)
    fee_fen = aftermath.change_fen(quote_json, was=was, becomes=becomes, at=now, terms=terms)
    return fee_fen, terms.cancellation_pct(starts_at=was.start, at=now)
