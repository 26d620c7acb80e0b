"""Amend what does not move a booking: its title, purpose and headcount."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from base_ops.core import db, errors
from base_ops.core.actors import Actor
from billing import services as billing
from booking.domain.states import BLOCKING, OPEN, Status
from booking.models import Booking
from booking.services import judging, locking, wishes
from booking.services.changing import locked, record, save, show
from booking.services.wishes import price


def amend(
    *,
    booking: Booking,
    actor: Actor,
    title: str | None,
    purpose: str | None,
    headcount: int | None,
    check: Callable[[Booking], None] = lambda row: None,
    now: datetime,
) -> Booking:
    """Change what does not move the booking; the price is quoted again.

    `check` sees the locked row before anything changes: it compares versions.

    Raises:
        rules.RulesBroken: more people than the space holds.
        errors.Conflict: the booking is over.
    """
    changes = {"title": title, "purpose": purpose, "headcount": headcount}
    wanted = {name: value for name, value in changes.items() if value is not None}
    return db.in_transaction(partial(_amend, booking, wanted, check, actor=actor, now=now))


def _amend(
    booking: Booking,
    wanted: Mapping[str, Any],
    check: Callable[[Booking], None],
    *,
    actor: Actor,
    now: datetime,
) -> Booking:
    row = locked(booking)
    check(row)
    if row.status not in (*OPEN, Status.CONFIRMED):
        raise errors.Conflict("too late to change", booking_status=row.status)
    changes = {name: value for name, value in wanted.items() if value != getattr(row, name)}
    before = {name: getattr(row, name) for name in changes}
    if changes.keys() & {"purpose", "headcount"}:
        changes |= _requoted(row, changes, now=now)
    save(row, **changes)
    record(row, "amend", actor=actor, before=before, now=now, price_fen=row.price_fen)
    show(row, now=now)
    return row


def _requoted(row: Booking, changes: dict[str, Any], *, now: datetime) -> dict[str, Any]:
    wish = wishes.of_booking(row, **changes)
    judging.check_amended(wish, row, now=now)
    source = locking.source_of(row)
    quote = price(wish, ignore_source=source, now=now)
    if row.status in BLOCKING:
        billing.reserve(source=source, tenant=row.tenant, quote=quote, now=now)
    return {"quote": quote.as_json(), "price_fen": quote.total_fen}
