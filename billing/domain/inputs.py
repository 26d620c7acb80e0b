"""The fingerprint of what an invoice will be made of."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Input:
    """One charge as a run sees it."""

    charge_id: int
    net_fen: int
    vat_fen: int
    gross_fen: int


def inputs_hash(inputs: Iterable[Input]) -> str:
    """SHA-256 over the charges of one document, in line order."""
    text = "\n".join(f"{i.charge_id} {i.net_fen} {i.vat_fen} {i.gross_fen}" for i in inputs)
    return hashlib.sha256(text.encode()).hexdigest()


def run_hash(entries: Iterable[tuple[str, str, str]]) -> str:
    """SHA-256 over (tenant code, document, hash) of all documents of a run, in order."""
    text = "\n".join(" ".join(entry) for entry in entries)
    return hashlib.sha256(text.encode()).hexdigest()
