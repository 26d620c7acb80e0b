"""Reads of billing."""

from billing.selectors.book import price_book
from billing.selectors.fees import cancellation_fee_fen
from billing.selectors.situations import situation_of

__all__ = ["cancellation_fee_fen", "price_book", "situation_of"]
