"""Quote, book, confirm, cancel, amend."""

import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.core import signing
from django.db import transaction

from base_ops.core import db, errors
from base_ops.core.actors import Actor
from base_ops.core.models import Space, Tenant
from base_ops.core.spans import Span
from billing import services as billing
from billing.domain.quote import Quote
from billing.domain.rating import ServiceWish
from booking import selectors
from booking.domain import rules
from booking.domain.states import Deed, Status
from booking.models import Booking
from booking.services import charging, locking, preparing
from booking.services.changing import advance, locked, record, save, show

HOLD = timedelta(minutes=10)
QUOTE_TTL = timedelta(minutes=30)
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SALT = "booking.quote"


class SlotTaken(errors.Conflict):
    """Somebody else was faster; says what is in the way and what would be free.

    The alternatives are looked up when the context is first read: by then the caller's transaction
    has given the room back, and nobody waits for the search. Who does not read pays nothing.
    """

    code, title_zh, title_en = "slot_taken", "该时段已被占用", "This slot is taken"

    def __init__(
        self, conflicts: list[dict[str, Any]], alternatives: Callable[[], list[dict[str, Any]]]
    ) -> None:
        self._search = alternatives
        super().__init__("the slot is taken, buffers included", conflicts=conflicts)

    @property
    def context(self) -> dict[str, object]:
        """What is in the way, and other times and rooms."""
        if "alternatives" not in self._known:
            self._known["alternatives"] = self._search()
        return self._known

    @context.setter
    def context(self, known: dict[str, object]) -> None:
        self._known = known


class QuoteChanged(errors.Conflict):
    """The price is not the one that was quoted; the new quote is in the answer."""

    code, title_zh, title_en = "quote_changed", "价格已变化,请重新确认", "The price has changed"


class QuoteExpired(errors.Conflict):
    """The quote is too old, not ours, or for something else."""

    code, title_zh, title_en = "quote_expired", "报价已失效", "The quote is no longer valid"


class HoldExpired(errors.Conflict):
    """The hold is over; the slot may already be somebody else's."""

    code, title_zh, title_en = "hold_expired", "占位已过期", "The hold has expired"


class AlreadyStarted(errors.Conflict):
    """A booking that began cannot be cancelled by its tenant."""

    code, title_zh, title_en = (
        "already_started",
        "预订已开始,不能取消",
        "The booking has already begun",
    )


@dataclass(frozen=True, slots=True)
class BookingWish:
    """What a tenant asks for."""

    space: Space
    tenant: Tenant
    span: Span
    purpose: str = "live_sales"
    headcount: int = 1
    title: str = ""
    services: Sequence[ServiceWish] = ()
    units: int = 1
    override: Collection[str] = field(default_factory=frozenset)
    quote_token: str | None = None

    @property
    def rules_wish(self) -> rules.Wish:
        """The part that the rules judge."""
        return rules.Wish(self.span, self.headcount, self.units)


def price(wish: BookingWish, *, ignore_source: str = "", now: datetime) -> Quote:
    """What billing would charge for the wish; a booking's own reservation does not count."""
    return billing.quote(
        tenant=wish.tenant,
        space=wish.space,
        span=wish.span,
        services=tuple(wish.services),
        purpose=wish.purpose,
        headcount=wish.headcount,
        units=wish.units,
        ignore_source=ignore_source,
        now=now,
    )


def offer_quote(*, wish: BookingWish, now: datetime) -> dict[str, Any]:
    """A quote and a signed token that books at this price, or not at all, for half an hour.

    Raises:
        rules.RulesBroken: the wish could never be booked.
        billing's BookingSuspended: a policy's gate is shut for this tenant.
    """
    rules.check(
        wish.rules_wish,
        selectors.room(wish.space),
        selectors.renter(wish.tenant),
        now=now,
        override=wish.override,
    )
    quote = price(wish, now=now)
    if quote.suspended:
        raise billing.BookingSuspended(wish.tenant.code)
    expires_at = now + QUOTE_TTL
    token = signing.dumps(
        [_fingerprint(wish), quote.total_fen, int(expires_at.timestamp())], salt=_SALT
    )
    return {"quote": quote.as_json(), "token": token, "expires_at": expires_at}


def _fingerprint(wish: BookingWish) -> list[Any]:
    services = sorted([s.code, str(s.qty)] for s in wish.services)
    start, end = (int(t.timestamp()) for t in (wish.span.start, wish.span.end))
    return [
        wish.tenant.code, wish.space.code, start, end, wish.purpose, wish.headcount, wish.units,
        services,
    ]  # fmt: skip


def _check_quote(wish: BookingWish, quote: Quote, *, now: datetime) -> None:
    """Compare with the price the caller saw, if they say which.

    Raises:
        QuoteExpired: too old, forged, or of another wish.
        QuoteChanged: the price moved meanwhile.
    """
    if wish.quote_token is None:
        return
    try:
        fingerprint, total_fen, expires = signing.loads(wish.quote_token, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError) as exc:
        raise QuoteExpired("not a quote of ours") from exc
    if expires <= now.timestamp() or fingerprint != _fingerprint(wish):
        raise QuoteExpired("ask for a new quote")
    if total_fen != quote.total_fen:
        raise QuoteChanged(quote=quote.as_json(), quoted_fen=total_fen)


def book(*, wish: BookingWish, actor: Actor, hold: bool = True, now: datetime) -> Booking:
    """Take the slot at the price quoted now: held for ten minutes, or confirmed at once.

    Raises:
        rules.RulesBroken: names every broken rule.
        SlotTaken: with the conflicts and alternatives.
        QuoteExpired, QuoteChanged: the wish carried a quote token that does not hold.
        billing's BookingSuspended, BudgetUsedUp: the gate is shut, or others took the discount.
    """
    return db.in_transaction(partial(_book, wish, actor=actor, hold=hold, now=now))


def _book(wish: BookingWish, *, actor: Actor, hold: bool, now: datetime) -> Booking:
    """Lock, look, write; in the caller's transaction, which a refusal rolls back."""
    block = selectors.buffers(wish.space).block(wish.span)
    locking.lock_spaces([wish.space.pk])
    waived = rules.check(
        wish.rules_wish,
        selectors.room(wish.space),
        selectors.renter(wish.tenant),
        now=now,
        override=wish.override,
    )
    takings = selectors.taken(space_ids=[wish.space.pk], window=block, now=now)
    units = selectors.free_units(wish.space, block, takings[wish.space.pk])[: wish.units]
    if len(units) < wish.units:
        raise _slot_taken(wish, takings[wish.space.pk], now=now)
    quote = price(wish, now=now)
    _check_quote(wish, quote, now=now)
    booking = _create(wish, quote, hold=hold, now=now)
    if not _allocated(booking, units, block, now=now):
        raise _slot_taken(wish, (), now=now)
    billing.reserve(source=locking.source_of(booking), tenant=wish.tenant, quote=quote, now=now)
    record(
        booking, "book", actor=actor, now=now,
        overridden=[b.code for b in waived], price_fen=booking.price_fen,
    )  # fmt: skip
    show(booking, now=now)
    return booking


def _allocated(booking: Booking, units: Sequence[int], block: Span, *, now: datetime) -> bool:
    """Take the units; what stands in the way can only be a hold whose time is over: end it."""
    if locking.allocate(booking, units=units, block=block):
        return True
    booking.allocations.all().delete()
    expired = locking.release_expired([booking.space_id], now=now)
    return bool(expired) and locking.allocate(booking, units=units, block=block)


def _create(wish: BookingWish, quote: Quote, *, hold: bool, now: datetime) -> Booking:
    return Booking.objects.create(
        code=new_code(),
        tenant=wish.tenant,
        space=wish.space,
        starts_at=wish.span.start,
        ends_at=wish.span.end,
        status=Status.HELD if hold else Status.CONFIRMED,
        expires_at=now + HOLD if hold else None,
        title=wish.title,
        purpose=wish.purpose,
        headcount=wish.headcount,
        units=wish.units,
        services=[{"code": s.code, "qty": str(s.qty)} for s in wish.services],
        quote=quote.as_json(),
        price_fen=quote.total_fen,
        pin=f"{secrets.randbelow(10**6):06d}",
        created_at=now,
        confirmed_at=None if hold else now,
    )


def new_code() -> str:
    """A code that tells nothing about how many bookings there are."""
    return "BK" + "".join(secrets.choice(_ALPHABET) for _ in range(8))


def _slot_taken(
    wish: BookingWish, takings: Sequence[selectors.Taken], *, now: datetime
) -> SlotTaken:
    return SlotTaken(
        [_conflict(t, wish) for t in takings],
        partial(selectors.alternatives, wish.space, wish.span, wish.headcount, now=now),
    )


def _conflict(taken: selectors.Taken, wish: BookingWish) -> dict[str, Any]:
    """What is in the way; of others only that they are busy."""
    own = taken.tenant_id == wish.tenant.pk
    return {
        "space": wish.space.code,
        "from": taken.span.start.isoformat(),
        "to": taken.span.end.isoformat(),
        "kind": taken.kind if own else "busy",
        "booking": taken.booking_code if own else None,
    }


def confirm(*, booking: Booking, actor: Actor, now: datetime) -> Booking:
    """Turn a hold, or a request that staff approve, into a confirmed booking.

    Raises:
        HoldExpired: too late.
        states.WrongState: neither held nor waiting for approval.
        errors.Forbidden: a tenant cannot approve.
    """
    with transaction.atomic():
        row = locked(booking)
        if row.status == Status.HELD and row.expires_at is not None and row.expires_at <= now:
            raise HoldExpired(f"the hold ended at {row.expires_at.isoformat()}")
        if row.status == Status.PENDING_APPROVAL and not actor.is_staff:
            raise errors.Forbidden("waits for the base's approval")
        advance(row, Deed.CONFIRM, actor=actor, now=now, expires_at=None, confirmed_at=now)
        row.allocations.filter(active=True).update(expires_at=None)
        show(row, now=now)
    return row


def cancel(*, booking: Booking, actor: Actor, reason: str = "", now: datetime) -> Booking:
    """Give the slot back; a confirmed booking may cost a fee, by how late it is.

    Raises:
        AlreadyStarted: a tenant's booking that began.
        states.WrongState: it is over, or checked in.
    """
    with transaction.atomic():
        row = locked(booking)
        if not actor.is_staff and row.starts_at <= now and row.status == Status.CONFIRMED:
            raise AlreadyStarted
        was = row.status
        advance(
            row, Deed.CANCEL, actor=actor, why=reason, now=now,
            cancelled_at=now, cancel_reason=reason, expires_at=None,
            wrap_due_at=now if row.prepared_at else None,
        )  # fmt: skip
        locking.free(row)
        if was == Status.CONFIRMED:
            charging.charge(row, "cancelled", now=now)
        else:
            billing.release(source=locking.source_of(row), now=now)
        preparing.wrap_if_due(row, now=now)
        show(row, now=now)
    return row


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
    with transaction.atomic():
        row = locked(booking)
        check(row)
        if row.status not in (Status.HELD, Status.PENDING_APPROVAL, Status.CONFIRMED):
            raise errors.Conflict("too late to change", booking_status=row.status)
        changes: dict[str, Any] = {
            name: value
            for name, value in (("title", title), ("purpose", purpose), ("headcount", headcount))
            if value is not None and value != getattr(row, name)
        }
        before = {name: getattr(row, name) for name in changes}
        if changes.keys() & {"purpose", "headcount"}:
            changes |= _requoted(row, changes, now=now)
        save(row, **changes)
        record(row, "amend", actor=actor, before=before, now=now, price_fen=row.price_fen)
        show(row, now=now)
    return row


def _requoted(row: Booking, changes: dict[str, Any], *, now: datetime) -> dict[str, Any]:
    wish = BookingWish(
        space=row.space,
        tenant=row.tenant,
        span=row.span,
        purpose=changes.get("purpose", row.purpose),
        headcount=changes.get("headcount", row.headcount),
        services=tuple(charging.services_of(row)),
        units=row.units,
    )
    if not 1 <= wish.headcount <= row.space.capacity:
        raise rules.RulesBroken(
            "capacity",
            fields=[
                errors.FieldFault(
                    "headcount",
                    f"人数须为 1 至 {row.space.capacity}",
                    f"Between 1 and {row.space.capacity} people",
                )
            ],
        )
    quote = price(wish, ignore_source=locking.source_of(row), now=now)
    billing.reserve(source=locking.source_of(row), tenant=row.tenant, quote=quote, now=now)
    return {"quote": quote.as_json(), "price_fen": quote.total_fen}
