"""Book: take a slot with all that belongs to it, as a draft, a hold, a request or for good."""

import secrets
from datetime import datetime, timedelta
from functools import cached_property, partial

import msgspec
from django.db import transaction

from base_ops.core import db, statements
from base_ops.core.actors import SYSTEM, Actor
from billing import services as billing
from billing.domain.quote import Quote
from booking import selectors
from booking.domain.states import Status
from booking.models import Booking
from booking.services import judging, locking, resources, taking, telling
from booking.services.changing import record, show
from booking.services.judging import Ruling
from booking.services.quotes import QUOTE_TTL, check_quote
from booking.services.wishes import BookingWish, ask_price, price

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def book(*, wish: BookingWish, actor: Actor, hold: bool = True, now: datetime) -> Booking:
    """Take the slot at the price quoted now: held, requested, or confirmed at once.

    Raises:
        rules.RulesBroken: names every broken rule.
        SlotTaken: with the conflicts, what is lacking, and alternatives.
        QuoteExpired, QuoteChanged: the wish carried a quote token that does not hold.
        billing's BookingSuspended, BudgetUsedUp: the gate is shut, or others took the discount.
    """
    return db.in_transaction(partial(_book, wish, actor=actor, hold=hold, now=now))


def _book(wish: BookingWish, *, actor: Actor, hold: bool, now: datetime) -> Booking:
    """Lock, look, write; in the caller's transaction, which a refusal rolls back.

    What is asked goes to the server in two exchanges: the locks with all that is looked at under
    them, then all that is written. Only in the second is the venue locked where a rule counts
    everybody: whoever holds that lock keeps all others waiting.
    """
    needs = resources.needs_of(wish)
    resources.ask_lock(needs)
    trial = judging.open_trial(wish=wish, actor=actor, lock=judging.lock_own, now=now)
    priced = _Priced(wish)
    if trial.needs_price:  # otherwise who finds the slot taken need not know what it costs
        priced.ask()
    looking = resources.look(needs, now=now)

    ruling = trial.ruling(price_fen=lambda: priced.quote.total_fen)
    places = taking.picked_or_refused(wish, looking.pick(), now=now)
    quote = priced.quote
    check_quote(wish, quote, now=now)

    booking = _new(wish, quote, _first_status(ruling, hold=hold), ruling, now=now)
    booking.encoded_quote = booking.quote
    taken = taking.ask_to_occupy(booking, wish, places)
    telling.booked(booking, actor=actor, now=now)
    record(
        booking, "book", actor=actor, now=now,
        overridden=booking.waived, price_fen=booking.price_fen, rules_version=ruling.version,
    )  # fmt: skip
    crowded = trial.count_everybody(new=booking)
    claimed = billing.reserve_first(
        source=locking.source_of(booking), tenant=wish.tenant, quote=quote, now=now
    )
    taking.occupied(taken, booking, wish, places, now=now)
    crowded(ruling)
    claimed()
    show(booking, now=now)
    return booking


class _Priced:
    """The price of a wish, worked out once and only if somebody wants it."""

    def __init__(self, wish: BookingWish) -> None:
        self._wish = wish

    def ask(self) -> billing.Pricing:
        """Ask what it depends on."""
        return self._asked

    @cached_property
    def _asked(self) -> billing.Pricing:
        return ask_price(self._wish)

    @cached_property
    def quote(self) -> Quote:
        """The price."""
        return self._asked.quote()


def _first_status(ruling: Ruling, *, hold: bool) -> Status:
    """Held, confirmed, or where a rule asks for approval a request."""
    if hold:
        return Status.HELD
    return Status.PENDING_APPROVAL if ruling.approvals else Status.CONFIRMED


def hold_for(wish: BookingWish, *, lasts: timedelta, source: str, now: datetime) -> Booking:
    """A hold that the system makes for somebody, in the caller's transaction.

    Raises:
        rules.RulesBroken, SlotTaken: as when booking.
    """
    needs = resources.needs_of(wish)
    resources.lock(needs)
    quote = price(wish, now=now)
    ruling = judging.judge(wish=wish, price_fen=lambda: quote.total_fen, now=now)
    places = taking.picked_or_refused(wish, resources.pick(needs, now=now), now=now)
    booking = _create(wish, quote, Status.HELD, ruling, now=now)
    booking.expires_at, booking.source = now + lasts, source
    booking.save(update_fields=["expires_at", "source"])
    taking.occupy(booking, wish, places, now=now)
    billing.reserve(source=locking.source_of(booking), tenant=wish.tenant, quote=quote, now=now)
    record(booking, "offer", actor=SYSTEM, now=now, price_fen=booking.price_fen)
    show(booking, now=now)
    return booking


def draft(*, wish: BookingWish, actor: Actor, now: datetime) -> Booking:
    """Keep a wish with its quote for half an hour; it takes nothing and promises only the price.

    Raises:
        rules.RulesBroken: the wish could never be booked.
    """
    needs = resources.needs_of(wish)
    with transaction.atomic():
        quote = price(wish, now=now)
        ruling = judging.judge(wish=wish, actor=actor, price_fen=lambda: quote.total_fen, now=now)
        booking = _create(wish, quote, Status.DRAFT, ruling, now=now)
        resources.keep_parts(booking, needs)
        record(
            booking, "draft", actor=actor, now=now,
            overridden=booking.waived, price_fen=booking.price_fen,
        )  # fmt: skip
    return booking


def _create(
    wish: BookingWish, quote: Quote, status: Status, ruling: Ruling, *, now: datetime
) -> Booking:
    booking = _new(wish, quote, status, ruling, now=now)
    statements.add(booking)
    return booking


def _new(
    wish: BookingWish, quote: Quote, status: Status, ruling: Ruling, *, now: datetime
) -> Booking:
    """The booking, not yet written."""
    lasts = {Status.HELD: ruling.hold, Status.DRAFT: QUOTE_TTL}.get(status)
    booking = statements.new(
        Booking,
        code=new_code(),
        tenant_id=wish.tenant.pk,
        space_id=wish.space.pk,
        starts_at=wish.span.start,
        ends_at=wish.span.end,
        status=status,
        expires_at=now + lasts if lasts else None,
        title=wish.title,
        purpose=wish.purpose,
        headcount=wish.headcount,
        units=wish.units,
        services=[{"code": s.code, "qty": str(s.qty)} for s in wish.services],
        quote=msgspec.Raw(quote.encoded()),
        price_fen=quote.total_fen,
        pin=f"{secrets.randbelow(10**6):06d}",
        created_at=now,
        confirmed_at=now if status == Status.CONFIRMED else None,
        **ruling.as_columns(),
        **selectors.buffers(wish.space).as_minutes(),
    )
    statements.refer(booking, "tenant", wish.tenant)
    statements.refer(booking, "space", wish.space)
    return booking


def new_code() -> str:
    """A code that tells nothing about how many bookings there are."""
    return "BK" + "".join(secrets.choice(_ALPHABET) for _ in range(8))
