"""Change when and where: move, resize, swap; what it costs is shown before.

A confirmed booking that gives time up late pays for that time as a cancellation would, in
proportion.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from base_ops.core import db, errors
from base_ops.core.actors import Actor
from base_ops.core.models import Space
from base_ops.core.spans import Span
from billing import selectors as fees
from billing import services as billing
from billing.domain.quote import Quote
from booking import occupancy, selectors
from booking.domain import rules
from booking.domain.states import BLOCKING, OPEN, Status
from booking.models import Booking, BookingPart
from booking.services import judging, locking, preparing, resources, telling, waiting, wishes
from booking.services.changing import locked, record, save, spaces_of
from booking.services.quotes import QuoteChanged
from booking.services.settling import check_time_left
from booking.services.taking import picked_or_refused, take
from booking.services.wishes import BookingWish, Extra, price
from devices import services as devices

Check = Callable[[Booking], None]


class TooLateToMove(errors.Conflict):
    """It began, or is over; a running show may only get another end, or be transferred."""

    code, title_zh, title_en = "too_late_to_move", "预订已开始,不能改期", "Too late to move it"


class MoveNeedsApproval(errors.Conflict):
    """There, a rule asks for approval that it did not ask for here; only the base may move it."""

    code = "move_needs_approval"
    title_zh = "改期后需基地审批,请联系基地或重新预订"
    title_en = "There it needs approval: ask the base, or book anew"


class CannotSwap(errors.Conflict):
    """Both must be waiting for their time, and not be the same."""

    code, title_zh, title_en = "cannot_swap", "这两个预订不能互换", "These two cannot be swapped"


@dataclass(frozen=True, slots=True)
class Change:
    """Where and when to, and with what beside; None keeps what is.

    `price_fen` is the new price that the caller saw, if they say which.
    """

    space: Space | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    extras: Sequence[Extra] | None = None
    override: frozenset[str] = frozenset()
    price_fen: int | None = None

    def wish(self, row: Booking) -> BookingWish:
        """The booking as it would be wished for now.

        A new start without an end keeps the length.

        Raises:
            errors.Invalid: the end is not after the start.
        """
        start = self.starts_at or row.starts_at
        end = self.ends_at or (start + row.span.length if self.starts_at else row.ends_at)
        if end <= start:
            fault = errors.FieldFault("ends_at", "须晚于开始时间", "Must be after the start")
            raise errors.Invalid("ends_at", fields=[fault])
        wish = wishes.of_booking(
            row, space=self.space or row.space, span=Span(start, end), override=self.override
        )
        return wish if self.extras is None else replace(wish, extras=tuple(self.extras))


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would mean."""

    wish: BookingWish
    quote: Quote
    was_fen: int
    fee_fen: int
    broken: Sequence[rules.Broken]
    refusal: errors.DomainError | None


def preview(*, booking: Booking, change: Change, now: datetime) -> Preview:
    """What the change would cost and what stands against it; changes nothing, locks nothing."""
    wish = change.wish(booking)
    quote = price(wish, ignore_source=locking.source_of(booking), now=now)
    broken: Sequence[rules.Broken] = ()
    refusal: errors.DomainError | None = None
    try:
        _check_movable(booking, wish, now=now)
        broken = judging.judge(
            wish=wish, changing=booking, price_fen=lambda: quote.total_fen, now=now
        ).waived
        needs = resources.needs_of(wish)
        picked_or_refused(wish, resources.pick(needs, ignore={booking.code}, now=now), now=now)
    except errors.DomainError as exc:
        refusal = exc
    fee_fen = fee_of(booking, wish, now=now)
    return Preview(wish, quote, booking.price_fen, fee_fen, broken, refusal)


def move(
    *,
    booking: Booking,
    change: Change,
    actor: Actor,
    check: Check = lambda row: None,
    now: datetime,
) -> Booking:
    """Move or resize, with all that belongs to it, at the price quoted now.

    `check` sees the locked row before anything changes: it compares versions.

    Raises:
        TooLateToMove, rules.RulesBroken, SlotTaken: as named.
        QuoteChanged: the price is not the one that the caller saw.
    """
    return db.in_transaction(partial(_move, booking, change, actor, check, now=now))


def _move(
    booking: Booking, change: Change, actor: Actor, check: Check, *, now: datetime
) -> Booking:
    wish = change.wish(booking)
    _lock(booking, wish)
    row = locked(booking, [wish.space.pk])
    check(row)
    check_time_left(row, now=now)
    wish = change.wish(row)
    _check_movable(row, wish, now=now)
    fee_fen = fee_of(row, wish, now=now)
    old = spaces_of(row), row.span
    waiting.lock_line([old], tenants=[row.tenant_id], now=now)
    quote = price(wish, ignore_source=locking.source_of(row), now=now)
    ruling = _ruled(row, wish, quote, actor=actor, now=now)
    if change.price_fen is not None and quote.total_fen != change.price_fen:
        raise QuoteChanged(quote=quote.as_json(), quoted_fen=change.price_fen)
    if fee_fen:
        _charge_fee(row, wish, fee_fen, now=now)
    _settle(row, wish, quote, actor=actor, deed="move", now=now, fee_fen=fee_fen,
            overridden=[b.code for b in ruling.waived], ruling=ruling)  # fmt: skip
    _show([row], [old], now=now)
    return row


def _ruled(
    row: Booking, wish: BookingWish, quote: Quote, *, actor: Actor, away: Sequence[Booking] = (),
    now: datetime,
) -> judging.Ruling:  # fmt: skip
    """What the rules in force say of the booking where it would be, at its new price.

    What is confirmed stays confirmed, so a tenant cannot move it to where a rule newly asks for
    approval; the base can, for that is an approval. What is not confirmed yet asks later.
    `away` are bookings that leave their places too.

    Raises:
        rules.RulesBroken: a rule is broken that is not waived.
        MoveNeedsApproval: as said.
    """
    ruling = judging.judge(
        wish=wish, changing=row, away=away, price_fen=lambda: quote.total_fen, now=now
    )
    newly = sorted(set(ruling.approvals) - set(row.approvals))
    settled = row.status in (Status.CONFIRMED, Status.CHECKED_IN)
    if newly and settled and not actor.is_staff:
        raise MoveNeedsApproval(", ".join(newly), rules=newly)
    return ruling


def _lock(booking: Booking, wish: BookingWish) -> None:
    """Everything it takes and everything it wants, in the one order."""
    parts = list(booking.parts.all()) if booking.part_count else []
    needs = resources.needs_of(wish)
    spaces = {booking.space_id, *(p.space_id for p in parts if p.space_id)}
    pools = {p.pool_id for p in parts if p.pool_id}
    locking.lock_spaces(spaces | {n.resource.pk for n in needs if n.is_space})
    locking.lock_pools(pools | {n.resource.pk for n in needs if not n.is_space})


def _check_movable(row: Booking, wish: BookingWish, *, now: datetime) -> None:
    """Whatever has not begun moves; a running stay may only get another end.

    Raises:
        TooLateToMove: otherwise.
    """
    if row.status in (*OPEN, Status.CONFIRMED) and now < row.starts_at:
        return
    only_end = (wish.space.pk, wish.span.start) == (row.space_id, row.starts_at)
    if row.status == Status.CHECKED_IN and only_end and wish.span.end > now:
        return
    raise TooLateToMove(f"{row.status} since {row.starts_at.isoformat()}")


def fee_of(row: Booking, wish: BookingWish, *, now: datetime) -> int:
    """Fee in fen for the time that is given up: its share of the room price, by how late it is.

    Nothing for what was never confirmed, nor for another room at the same time.
    """
    if row.status != Status.CONFIRMED:
        return 0
    return fees.change_fee_fen(row.quote, row.span, wish.span, now)[0]


def _charge_fee(row: Booking, wish: BookingWish, fee_fen: int, *, now: datetime) -> None:
    billing.charge_change(
        facts=billing.ChangeFacts(
            booking_code=row.code,
            number=row.version,
            tenant_id=row.tenant_id,
            space_id=row.space_id,
            span=row.span,
            became=wish.span,
            quote=row.quote,
            fee_fen=fee_fen,
            pct=fees.change_fee_fen(row.quote, row.span, wish.span, now)[1],
        ),
        now=now,
    )


def _settle(
    row: Booking, wish: BookingWish, quote: Quote, *, actor: Actor, deed: str, now: datetime,
    ruling: judging.Ruling, **more: Any,
) -> None:  # fmt: skip
    """Give the old places back, take the new ones, at the new price; everything is locked."""
    before, old_room, old_start = _where(row), row.space, row.starts_at
    _replace(row, wish, now=now)
    if row.status in BLOCKING:
        source = locking.source_of(row)
        billing.reserve(source=source, tenant=row.tenant, quote=quote, now=now)
    ruled = {"rules_version": ruling.version, "approvals": list(ruling.approvals)}
    save(row, **_columns(row, wish, quote, now=now), **ruled)
    record(
        row, deed, actor=actor, before=before, now=now, price_fen=quote.total_fen,
        to=_where(row), **more,
    )  # fmt: skip
    if row.status == Status.CHECKED_IN:
        devices.extend_grant(booking_code=row.code, until=row.until, now=now)
    if row.status in (Status.CONFIRMED, Status.PENDING_APPROVAL):
        telling.moved(row, old_space=old_room, old_starts_at=old_start, now=now)


def _show(
    rows: Sequence[Booking], freed: Sequence[tuple[Sequence[int], Span]], *, now: datetime
) -> None:
    """Offer what was freed, once everything has its place; then show it all."""
    for spaces, span in freed:
        waiting.offer_freed(spaces, span, now=now)
    shown = {pk for spaces, _ in freed for pk in spaces}
    occupancy.refresh(space_ids=shown.union(*(spaces_of(row) for row in rows)), now=now)


def _where(row: Booking) -> dict[str, Any]:
    return {
        "space": row.space.code,
        "starts_at": row.starts_at.isoformat(),
        "ends_at": row.ends_at.isoformat(),
    }


def _columns(row: Booking, wish: BookingWish, quote: Quote, *, now: datetime) -> dict[str, Any]:
    """What changes on the booking itself; a room made ready for it is no more."""
    changes: dict[str, Any] = {
        "space": wish.space,
        "starts_at": wish.span.start,
        "ends_at": wish.span.end,
        "quote": quote.as_json(),
        "price_fen": quote.total_fen,
    }
    if row.overtime_until and row.overtime_until <= wish.span.end:
        changes["overtime_until"] = None
    elsewhere = (wish.space.pk, wish.span.start) != (row.space_id, row.starts_at)
    if elsewhere:
        changes |= selectors.buffers(wish.space).as_minutes()
        changes |= {"prepared_at": None, "ready": "", "ready_at": None, "ready_reasons": []}
        changes |= {"proposal": None, "warned_min": 0}
        if row.prepared_at is not None:
            preparing.leave(row, now=now)
    return changes


def _replace(row: Booking, wish: BookingWish, *, now: datetime) -> None:
    """Swap the booking's places for those of the wish.

    Raises:
        SlotTaken: something is lacking.
    """
    needs = resources.needs_of(wish)
    picked = resources.pick(needs, ignore={row.code}, now=now)
    places = picked_or_refused(wish, picked, now=now)
    locking.free(row)
    if row.status in BLOCKING:
        take(row, wish, places, now=now)
    resources.keep_parts(row, needs)


def swap(*, one: Booking, other: Booking, actor: Actor, now: datetime) -> tuple[Booking, Booking]:
    """Let two bookings change rooms and times with each other, both or neither.

    Each keeps its tenant, its length and what it takes beside the room; prices are quoted anew.

    Raises:
        CannotSwap: the same one, or one that began.
        rules.RulesBroken, SlotTaken: one of them does not fit where the other was.
    """
    return db.in_transaction(partial(_swap, one, other, actor, now=now))


def _swap(one: Booking, other: Booking, actor: Actor, *, now: datetime) -> tuple[Booking, Booking]:
    if one.pk == other.pk:
        raise CannotSwap("a booking and itself")
    a, b = _both_locked(one, other)
    for row in (a, b):
        if row.status not in (*OPEN, Status.CONFIRMED) or row.starts_at <= now:
            raise CannotSwap(f"{row.code} is {row.status}")
    wish_a = wishes.of_booking(a, space=b.space, span=Span(b.starts_at, _end(a, b)))
    wish_b = wishes.of_booking(b, space=a.space, span=Span(a.starts_at, _end(b, a)))
    freed = [(spaces_of(row), row.span) for row in (a, b)]
    waiting.lock_line(freed, now=now, tenants=(a.tenant_id, b.tenant_id), even_alone=True)
    for row in (a, b):
        locking.free(row)
    # The first is judged as if the second were nowhere, the second beside the first's new place.
    for row, wish, partner, away in ((a, wish_a, b, [b]), (b, wish_b, a, [])):
        quote = price(wish, ignore_source=locking.source_of(row), now=now)
        ruling = _ruled(row, wish, quote, away=away, actor=actor, now=now)
        _settle(
            row, wish, quote, actor=actor, deed="swap", now=now, partner=partner.code,
            ruling=ruling,
        )  # fmt: skip
    _show([a, b], freed, now=now)
    return a, b


def _end(row: Booking, place: Booking) -> datetime:
    return place.starts_at + row.span.length


def _both_locked(one: Booking, other: Booking) -> tuple[Booking, Booking]:
    """Both bookings, everything that either takes locked first, then their rows in id order."""
    parts = BookingPart.objects.filter(booking__in=(one, other))
    pairs = list(parts.values_list("space_id", "pool_id"))
    locking.lock_spaces({one.space_id, other.space_id, *(s for s, _ in pairs if s)})
    locking.lock_pools({p for _, p in pairs if p})
    rows = {row.pk: locked(row) for row in sorted((one, other), key=lambda r: r.pk)}
    return rows[one.pk], rows[other.pk]
