"""The life of a claim: who may do what to it, from which state to which."""

from collections.abc import Mapping
from typing import Final

DEEDS: Final[Mapping[str, frozenset[str]]] = {
    "submit": frozenset({"draft"}),
    "discard": frozenset({"draft"}),
    "decide": frozenset({"submitted"}),
    "pay": frozenset({"accepted", "cut"}),
}
"""From which states a deed begins."""


def outcome(requested_fen: int, accepted_fen: int) -> str:
    """The state after a decision.

    Raises:
        ValueError: more than was asked, or less than nothing.
    """
    if not 0 <= accepted_fen <= requested_fen:
        raise ValueError(f"{accepted_fen} of {requested_fen}")
    if accepted_fen == requested_fen:
        return "accepted"
    return "cut" if accepted_fen else "refused"
