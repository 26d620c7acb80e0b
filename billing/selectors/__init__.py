"""Reads of billing."""

from billing.selectors.book import price_book, terms_of, terms_of_many
from billing.selectors.fees import cancellation_fee_fen, change_fee_fen, terms_of_quote
from billing.selectors.situations import (
    Asked,
    ask_situation,
    situation_and_book,
    situation_of,
)

__all__ = [
    "Asked",
    "ask_situation",
    "cancellation_fee_fen",
    "change_fee_fen",
    "price_book",
    "situation_and_book",
    "situation_of",
    "terms_of",
    "terms_of_many",
    "terms_of_quote",
]
