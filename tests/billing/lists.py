"""Price lists for tests: the demo's prices with something changed."""

import copy
from datetime import datetime, timedelta
from typing import Any

from base_ops.core.actors import Actor
from billing.domain import booktext
from billing.domain.texts import local_day
from billing.models import PriceList
from billing.services import pricelists
from tests.billing.data import book

ACTOR = Actor(kind="user", id="1", label="finance@test.invalid")


def document() -> dict[str, Any]:
    """The demo's prices as a document of its own."""
    return copy.deepcopy(booktext.as_document(book()))


def tariff(document: dict[str, Any], code: str = "TF-SINGLE") -> dict[str, Any]:
    """One tariff of it."""
    found: dict[str, Any] = next(t for t in document["tariffs"] if t["code"] == code)
    return found


def dearer() -> dict[str, Any]:
    """A single studio costs 100 an hour in the standard band, and 300 for four."""
    changed = document()
    single = tariff(changed)
    single["hourly"]["standard"], single["session_4h"]["standard"] = "100.00", "300.00"
    return changed


def in_force(wanted: dict[str, Any], *, now: datetime, days_ahead: int = 1) -> PriceList:
    """Draft it and put it in force from a day on."""
    row = pricelists.draft(name="新价目", document=wanted, actor=ACTOR, now=now)
    return pricelists.activate(
        number=row.number,
        valid_from=local_day(now) + timedelta(days=days_ahead),
        check=lambda version: None,
        actor=ACTOR,
        now=now,
    )
