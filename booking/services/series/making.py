"""Book a series: all of it, or what can be had, or nothing with what could be had instead."""

import logging
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Literal

from base_ops.core import audit, db
from base_ops.core.actors import Actor
from billing import services as billing
from billing.domain.facts import booking_source
from billing.domain.quote import Quote
from booking import occupancy, selectors
from booking.domain.states import Status
from booking.models import Booking, BookingPart, Series, SeriesSkip
from booking.services import locking, resources, telling
from booking.services.making import new_code
from booking.services.quotes import QuoteChanged
from booking.services.series.changing import new_series_code
from booking.services.series.looking import Asked, Seen, SeriesWish, claim, expanded, look
from booking.services.series.refusing import SeriesConflicts, detail_json, refuse

logger = logging.getLogger(__name__)
Mode = Literal["atomic", "skip", "propose"]
BATCH = 500
_REASONS = {"conflict": "conflict", "rules_broken": "rules", "left_out": "chosen"}


@dataclass(frozen=True, slots=True)
class Made:
    """A new series: what was booked, and the dates that were left out."""

    series: Series
    bookings: Sequence[Booking]
    skips: Sequence[SeriesSkip]


def create(
    *,
    wish: SeriesWish,
    mode: Mode,
    actor: Actor,
    expected_fen: int | None = None,
    now: datetime,
) -> Made:
    """Book every instance for good, in one transaction.

    Args:
        wish: the rule, the first instance, and the caller's choices for single dates.
        mode: what becomes of dates that cannot be booked. "atomic" and "propose" book nothing and
            say which those are; "propose" invites to send the request again with choices taken
            from the alternatives. "skip" leaves them out and remembers them.
        actor: who.
        expected_fen: the total that the caller saw; another one is refused.
        now: the present instant.

    Raises:
        SeriesConflicts, SeriesRulesBroken: as `mode` says, or nothing at all can be booked.
        QuoteChanged: the total is another one.
        billing's BudgetUsedUp: somebody else took a discount meanwhile.
    """
    asked = expanded(wish)
    work = partial(_create, wish, asked, mode, actor=actor, expected_fen=expected_fen, now=now)
    return db.in_transaction(work)


def _create(
    wish: SeriesWish,
    asked: Sequence[Asked],
    mode: Mode,
    *,
    actor: Actor,
    expected_fen: int | None,
    now: datetime,
) -> Made:
    resources.lock([need for one in asked for need in resources.needs_of(one.wish)])
    seen = look(asked, role=actor.role, priced=False, now=now)
    good = [one for one in seen if one.verdict == "ok"]
    if mode != "skip" or not good:
        refuse(seen, now=now)
    series = _series(wish, actor=actor, now=now)
    bookings = settle(series, good, actor=actor, now=now)
    total = sum(booking.price_fen for booking in bookings)
    if expected_fen is not None and total != expected_fen:
        raise QuoteChanged(f"the total is {total} fen", total_fen=total, quoted_fen=expected_fen)
    skips = SeriesSkip.objects.bulk_create(
        SeriesSkip(
            series=series,
            recurrence_id=one.asked.recurrence_id,
            reason=_REASONS[one.verdict],
            detail=detail_json(one),
            at=now,
        )
        for one in seen
        if one.verdict != "ok"
    )
    record(
        series, "create", actor=actor, now=now, mode=mode, price_fen=total,
        booked=len(bookings), overridden=sorted({b.code for one in good for b in one.waived}),
        skipped=[s.recurrence_id.isoformat() for s in skips],
    )  # fmt: skip
    if waiting := next((b for b in bookings if b.status == Status.PENDING_APPROVAL), None):
        telling.approval_needed(waiting, reason=series.code, now=now)
    telling.series_created(
        series=series.code, tenant_id=series.tenant_id, space=series.space, made=len(bookings),
        skipped=len(skips), first_at=bookings[0].starts_at, now=now,
    )  # fmt: skip
    show(bookings, now=now)
    return Made(series, bookings, skips)


def _series(wish: SeriesWish, *, actor: Actor, now: datetime) -> Series:
    first = wish.wish
    return Series.objects.create(
        code=new_series_code(),
        tenant=first.tenant,
        space=first.space,
        rrule=wish.rrule,
        starts_at=first.span.start,
        length=first.span.length,
        exdates=sorted(set(wish.exdates)),
        rdates=sorted(set(wish.rdates)),
        title=first.title,
        purpose=first.purpose,
        headcount=first.headcount,
        units=first.units,
        services=[{"code": s.code, "qty": str(s.qty)} for s in first.services],
        extras=[
            {
                "space": e.space.code if e.space else None,
                "pool": e.pool.code if e.pool else None,
                "quantity": e.quantity,
            }
            for e in first.extras
        ],
        created_at=now,
        created_by=actor.label,
    )


def settle(series: Series, good: Sequence[Seen], *, actor: Actor, now: datetime) -> list[Booking]:
    """Make the bookings of instances that were seen free under lock, with all they take.

    Raises:
        SeriesConflicts: the constraint saw something that the look did not.
    """
    codes = [new_code() for _ in good]
    quotes = billing.reserve_many(
        [
            claim(one.asked.wish, booking_source(code), now)
            for one, code in zip(good, codes, strict=True)
        ]
    )
    if any(quote.suspended for quote in quotes):
        raise billing.BookingSuspended(series.tenant.code)
    bookings = Booking.objects.bulk_create(
        (
            _booking(series, one, code, quote, now=now)
            for one, code, quote in zip(good, codes, quotes, strict=True)
        ),
        batch_size=BATCH,
    )
    BookingPart.objects.bulk_create(
        (
            _part(booking, need)
            for booking, one in zip(bookings, good, strict=True)
            for need in one.needs[1:]
        ),
        batch_size=BATCH,
    )
    occupy(bookings, good, now=now)
    return bookings


def _booking(
    series: Series, one: Seen, code: str, quote: Quote, *, now: datetime
) -> Booking:  # fmt: skip
    wish = one.asked.wish
    return Booking(
        code=code,
        series=series,
        recurrence_id=one.asked.recurrence_id,
        tenant=wish.tenant,
        space=wish.space,
        starts_at=wish.span.start,
        ends_at=wish.span.end,
        status=Status.PENDING_APPROVAL if one.approvals else Status.CONFIRMED,
        title=wish.title,
        purpose=wish.purpose,
        headcount=wish.headcount,
        units=wish.units,
        part_count=len(one.needs) - 1,
        services=[{"code": s.code, "qty": str(s.qty)} for s in wish.services],
        quote=quote.as_json(),
        price_fen=quote.total_fen,
        rules_version=one.rules_version,
        approvals=list(one.approvals),
        waived=[broken.code for broken in one.waived],
        pin=f"{secrets.randbelow(10**6):06d}",
        created_at=now,
        confirmed_at=None if one.approvals else now,
        **selectors.buffers(wish.space).as_minutes(),
    )


def _part(booking: Booking, need: resources.Need) -> BookingPart:
    return BookingPart(
        booking=booking,
        space_id=need.resource.pk if need.is_space else None,
        pool_id=None if need.is_space else need.resource.pk,
        quantity=need.quantity,
        starts_at=need.span.start,
        ends_at=need.span.end,
        **need.buffers.as_minutes(),
    )


def occupy(bookings: Sequence[Booking], good: Sequence[Seen], *, now: datetime) -> None:
    """Take all places; what stands in the way can only be holds whose time is over: drop them.

    Raises:
        SeriesConflicts: it was something else after all.
    """
    rows = [
        (place, booking.pk, None)
        for booking, one in zip(bookings, good, strict=True)
        for place in one.places
    ]
    spaces = {p.space_id for p, *_ in rows if p.space_id is not None}
    pools = {p.pool_id for p, *_ in rows if p.pool_id is not None}
    locking.drop_expired(spaces, pools, now=now)
    got = sum(locking.insert(rows[i : i + BATCH]) for i in range(0, len(rows), BATCH))
    if got < len(rows):
        raise SeriesConflicts(good, now=now)


def record(series: Series, deed: str, *, actor: Actor, now: datetime, **after: Any) -> None:
    """Write the one audit row of a deed on a series."""
    audit.record(
        actor=actor,
        action=f"series.{deed}",
        object_type="series",
        object_code=series.code,
        after=after,
        now=now,
    )
    logger.info("series.changed", extra={"series": series.code, "deed": deed})


def show(
    bookings: Collection[Booking], *, also_spaces: Collection[int] = (), now: datetime
) -> None:
    """Publish what changes soon; last statement of a transaction."""
    soon = {b.space_id for b in bookings if b.starts_at < now + occupancy.LOOKAHEAD}
    if soon or also_spaces:
        occupancy.refresh(space_ids=sorted(soon | set(also_spaces)), now=now)
