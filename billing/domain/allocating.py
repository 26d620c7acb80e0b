"""Spread money over what is open: the oldest due first, and say what is left."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Open:
    """One document that still asks for `open_fen` > 0."""

    number: str
    due_on: date
    open_fen: int


@dataclass(frozen=True, slots=True)
class Part:
    """So much for one document."""

    number: str
    amount_fen: int


def spread(amount_fen: int, items: Sequence[Open]) -> tuple[list[Part], int]:
    """Spread an amount over documents, those due first first; the order given does not matter.

    Returns:
        The parts, each > 0 and no more than its document asks for, and what is left over.

    Raises:
        ValueError: a negative amount.
    """
    if amount_fen < 0:
        raise ValueError(f"negative amount: {amount_fen}")
    parts: list[Part] = []
    for item in sorted(items, key=lambda item: (item.due_on, item.number)):
        part = min(amount_fen, item.open_fen)
        if part > 0:
            parts.append(Part(item.number, part))
            amount_fen -= part
    return parts, amount_fen
