"""What other apps prove about bookings: they register when ready, and are asked for claims.

Billing knows neither rooms nor devices; who composes the apps hands in how they are asked.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Proof:
    """How long a booking's room was on air, by its devices, and what says so."""

    live_s: int
    evidence: Mapping[str, Any] = field(default_factory=dict)


Provider = Callable[[Collection[str], datetime], Mapping[str, Proof]]
_providers: list[Provider] = []


def register(provider: Provider) -> None:
    """Ask this one too; the same one again changes nothing."""
    if provider not in _providers:
        _providers.append(provider)


def proofs(bookings: Collection[str], *, now: datetime) -> dict[str, Proof]:
    """What is proven of these bookings; one of which nobody knows anything is left out."""
    found: dict[str, Proof] = {}
    for provider in _providers:
        found |= provider(bookings, now)
    return found
