"""Book: take a slot with all that belongs to it, as a draft, a hold, a request or for good."""

import functools
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction

from base_ops.core import db, errors, statements
from base_ops.core.actors import SYSTEM, Actor
from billing import services as billing
from billing.domain.quote import Quote
from booking import selectors
from booking.domain import rules
from booking.domain.states import BLOCKING, OPEN, Deed, Status, after
from booking.models import Booking
from booking.services import judging, locking, resources, telling, waitlist, wishes
from booking.services.changing import advance, by_of, locked, record, save, show
from booking.services.judging import Ruling
from booking.services.quotes import QUOTE_TTL, QuoteChanged, check_quote
from booking.services.resources import Lack, Need
from booking.services.wishes import BookingWish, price

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class SlotTaken(errors.Conflict):
    """Somebody else was faster; says what is in the way, what is lacking, what would be free.

    Alternatives and offers are looked up when the context is first read: by then the caller's
    transaction has given the room back, and nobody waits for the search. Who does not read pays
    nothing.
    """

    code, title_zh, title_en = "slot_taken", "该时段已被占用", "This slot is taken"

    def __init__(
        self, conflicts: list[dict[str, Any]], search: Callable[[], Mapping[str, object]]
    ) -> None:
        self._search = search
        self._conflicts = conflicts
        super().__init__("the slot is taken, buffers included", conflicts=conflicts)

    @property
    def conflicts(self) -> list[dict[str, Any]]:
        """What is in the way; of others only that they are busy."""
        return self._conflicts

    @property
    def context(self) -> dict[str, object]:
        """What is in the way, and other times and rooms."""
        if "alternatives" not in self._known:
            self._known |= self._search()
        return self._known

    @context.setter
    def context(self, known: dict[str, object]) -> None:
        self._known = known


class HoldExpired(errors.Conflict):
    """The hold is over; the slot may already be somebody else's."""

    code, title_zh, title_en = "hold_expired", "占位已过期", "The hold has expired"


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
    """Lock, look, write; in the caller's transaction, which a refusal rolls back."""
    needs = resources.needs_of(wish)
    resources.lock(needs)
    quoted = functools.cache(partial(price, wish, now=now))
    ruling = judging.judge(wish=wish, actor=actor, price_fen=lambda: quoted().total_fen, now=now)
    picked = picked_or_refused(wish, needs, now=now)
    quote = quoted()
    check_quote(wish, quote, now=now)
    booking = _create(wish, quote, _first_status(ruling, hold=hold), ruling, now=now)
    occupy(booking, wish, picked, now=now)
    billing.reserve(source=locking.source_of(booking), tenant=wish.tenant, quote=quote, now=now)
    telling.booked(booking, actor=actor, now=now)
    record(
        booking, "book", actor=actor, now=now,
        overridden=booking.waived, price_fen=booking.price_fen, rules_version=ruling.version,
    )  # fmt: skip
    show(booking, now=now)
    return booking


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
    places = picked_or_refused(wish, needs, now=now)
    booking = _create(wish, quote, Status.HELD, ruling, now=now)
    booking.expires_at, booking.source = now + lasts, source
    booking.save(update_fields=["expires_at", "source"])
    occupy(booking, wish, places, now=now)
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


def hold(*, booking: Booking, actor: Actor, now: datetime) -> Booking:
    """Turn a draft into a hold, at the price it was drafted with.

    Raises:
        HoldExpired: the draft is too old.
        QuoteChanged: the price moved meanwhile; draft again.
        SlotTaken, rules.RulesBroken: as when booking.
    """
    return db.in_transaction(partial(_undraft, booking, Deed.HOLD, actor=actor, now=now))


def _undraft(booking: Booking, deed: Deed, *, actor: Actor, now: datetime) -> Booking:
    row = locked(booking)
    after(row.status, deed, by_of(actor))
    check_time_left(row, now=now)
    wish = wishes.of_booking(row)
    needs = resources.needs_of(wish)
    quote = price(wish, now=now)
    ruling = judging.judge(
        wish=wish, actor=actor, granted=row.waived, price_fen=lambda: quote.total_fen, now=now
    )
    picked = picked_or_refused(wish, needs, now=now)
    if quote.total_fen != row.price_fen:
        raise QuoteChanged(quote=quote.as_json(), quoted_fen=row.price_fen)
    if deed == Deed.CONFIRM and ruling.approvals:
        deed = Deed.REQUEST
    row.expires_at = now + ruling.hold if deed == Deed.HOLD else None
    occupy(row, wish, picked, now=now)
    billing.reserve(source=locking.source_of(row), tenant=row.tenant, quote=quote, now=now)
    advance(
        row, deed, actor=actor, now=now, expires_at=row.expires_at, quote=quote.as_json(),
        confirmed_at=now if deed == Deed.CONFIRM else None, **ruling.as_columns(),
    )  # fmt: skip
    show(row, now=now)
    return row


def check_time_left(row: Booking, *, now: datetime) -> None:
    """Refuse a draft or hold whose time is over, tidied up or not.

    Raises:
        HoldExpired: it is.
    """
    if row.status in (Status.DRAFT, Status.HELD) and row.expires_at and row.expires_at <= now:
        raise HoldExpired(f"the {row.status} ended at {row.expires_at.isoformat()}")


def check_rules(
    wish: BookingWish, *, changing: Booking | None = None, now: datetime
) -> Sequence[rules.Broken]:
    """The rules that are broken and overridden; `changing` is the booking that becomes the wish.

    Args:
        wish: what is judged.
        changing: the booking that becomes this wish, if any; it does not count beside itself.
        now: the present instant.

    Raises:
        rules.RulesBroken: any other rule is broken.
    """
    return judging.judge(wish=wish, changing=changing, now=now).waived


def picked_or_refused(
    wish: BookingWish, needs: Sequence[Need], *, ignore: Collection[str] = (), now: datetime
) -> Sequence[locking.Place]:
    """Free places for everything that is needed.

    Raises:
        SlotTaken: something is lacking; names exactly what, with equal ones.
    """
    picked = resources.pick(needs, ignore=ignore, now=now)
    if picked.lacks:
        raise slot_taken(wish, picked.lacks, now=now)
    return picked.places


def occupy(
    booking: Booking, wish: BookingWish, places: Sequence[locking.Place], *, now: datetime
) -> None:
    """Take the places of a new booking, and write down what is beside its room.

    Raises:
        SlotTaken: as `take`.
    """
    if wish.extras and not booking.part_count:
        resources.keep_parts(booking, resources.needs_of(wish))
    take(booking, wish, places, now=now)


def take(
    booking: Booking, wish: BookingWish, places: Sequence[locking.Place], *, now: datetime
) -> None:
    """Take the places; what stands in the way can only be a hold whose time is over: drop it.

    Raises:
        SlotTaken: it was something else after all, or others wait for what the hold leaves.
    """
    if locking.allocate(booking, places):
        return
    booking.allocations.filter(active=True).delete()
    spaces = {p.space_id for p in places if p.space_id is not None}
    pools = {p.pool_id for p in places if p.pool_id is not None}
    dropped = locking.drop_expired(spaces, pools, now=now)
    if dropped and booking.source != waitlist.SOURCE:
        # Who waits comes first: the job that tidies the hold up makes them an offer.
        window = selectors.buffers(wish.space).block(wish.span)
        if waitlist.somebody_waits(spaces, window, now=now):
            raise slot_taken(wish, (), now=now)
    if not dropped or not locking.allocate(booking, places):
        raise slot_taken(wish, (), now=now)


def _create(
    wish: BookingWish, quote: Quote, status: Status, ruling: Ruling, *, now: datetime
) -> Booking:
    lasts = {Status.HELD: ruling.hold, Status.DRAFT: QUOTE_TTL}.get(status)
    booking = Booking(
        code=new_code(),
        tenant=wish.tenant,
        space=wish.space,
        starts_at=wish.span.start,
        ends_at=wish.span.end,
        status=status,
        expires_at=now + lasts if lasts else None,
        title=wish.title,
        purpose=wish.purpose,
        headcount=wish.headcount,
        units=wish.units,
        services=[{"code": s.code, "qty": str(s.qty)} for s in wish.services],
        quote=quote.as_json(),
        price_fen=quote.total_fen,
        pin=f"{secrets.randbelow(10**6):06d}",
        created_at=now,
        confirmed_at=now if status == Status.CONFIRMED else None,
        **ruling.as_columns(),
        **selectors.buffers(wish.space).as_minutes(),
    )
    statements.add(booking)
    return booking


def new_code() -> str:
    """A code that tells nothing about how many bookings there are."""
    return "BK" + "".join(secrets.choice(_ALPHABET) for _ in range(8))


def slot_taken(wish: BookingWish, lacks: Sequence[Lack], *, now: datetime) -> SlotTaken:
    """The refusal: conflicts now, alternatives and equal ones when somebody reads them."""
    tenant_id = wish.tenant.pk
    conflicts = [
        resources.conflict_json(taken, lack.need.resource.code, tenant_id)
        for lack in lacks
        for taken in lack.takings
    ]
    return SlotTaken(conflicts, partial(_ways_out, wish, lacks, now=now))


def _ways_out(wish: BookingWish, lacks: Sequence[Lack], *, now: datetime) -> dict[str, object]:
    """For the room: other times, and equal rooms; for what is beside it: equal ones."""
    alternatives: list[dict[str, Any]] = []
    if not lacks or any(lack.need.resource == wish.space for lack in lacks):
        alternatives = selectors.alternatives(
            wish.space, wish.span, wish.headcount, units=wish.units, renter=wish.tenant, now=now
        )
    rooms = [
        {"kind": "space", "code": a["space"], "name_zh": a["name_zh"], "name_en": a["name_en"]}
        for a in alternatives
        if a["kind"] == "space"
    ]
    lacking = [
        resources.lack_json(lack, tenant_id=wish.tenant.pk)
        | {
            "offers": rooms
            if lack.need.resource == wish.space
            else resources.offers(lack, now=now)
        }
        for lack in lacks
    ]
    return {"lacking": lacking, "alternatives": alternatives}


def confirm(
    *, booking: Booking, actor: Actor, clock: Callable[[], datetime] | None = None, now: datetime
) -> Booking:
    """Turn a draft or a hold into a confirmed booking; for the base, approve a request.

    Where a rule asks for approval, a tenant's confirmation is a request. With `clock` a hold must
    still live once everything is locked: whoever counted before that, by a clock behind it,
    counted the hold.

    Raises:
        HoldExpired: too late.
        states.WrongState: nothing that can be confirmed.
        states.NotYours: a tenant cannot approve.
    """
    if booking.status == Status.DRAFT:
        return db.in_transaction(partial(_undraft, booking, Deed.CONFIRM, actor=actor, now=now))
    waits = booking.status == Status.PENDING_APPROVAL
    deed = Deed.APPROVE if waits else Deed.CONFIRM
    clock = clock or (lambda: now)
    return db.in_transaction(partial(_settle, booking, deed, actor=actor, clock=clock, now=now))


def approve(*, booking: Booking, actor: Actor, now: datetime) -> Booking:
    """Confirm a request; its slot was kept for it.

    Raises:
        states.WrongState: it does not wait for approval.
        states.NotYours: a tenant cannot approve.
    """
    return db.in_transaction(
        partial(_settle, booking, Deed.APPROVE, actor=actor, clock=lambda: now, now=now)
    )


def _settle(
    booking: Booking, deed: Deed, *, actor: Actor, clock: Callable[[], datetime], now: datetime
) -> Booking:
    row = locked(booking)
    if row.status == Status.HELD:
        judging.count_alone(wishes.of_booking(row), now=now)
    check_time_left(row, now=max(now, clock()))
    if deed == Deed.CONFIRM and row.approvals and not actor.is_staff:
        deed = Deed.REQUEST
    confirmed_at = None if deed == Deed.REQUEST else now
    advance(row, deed, actor=actor, now=now, expires_at=None, confirmed_at=confirmed_at)
    if not locking.keep(row):
        raise HoldExpired("the time was over for a rival who came first")
    waitlist.settle(row, now=now)
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
