"""The waitlist: who waits first is offered first, by a hold made where the slot was freed."""

import logging
import secrets
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from base_ops.core import errors
from base_ops.core.actors import SYSTEM, Actor
from base_ops.core.models import Space, SpaceType
from base_ops.core.spans import Span
from billing.domain.rating import ServiceWish
from booking.models import Booking, WaitlistEntry
from booking.services import judging, locking, making, resources, taking, telling
from booking.services.waitlist import SOURCE, become, record, tenants_in_line, waiting_for
from booking.services.wishes import BookingWish

logger = logging.getLogger(__name__)

OFFER = timedelta(minutes=30)
AROUND = timedelta(hours=4)  # no buffers are longer
MAX_WAITING = 50


class NothingToWaitFor(errors.Conflict):
    """The slot is free: book it."""

    code, title_zh, title_en = "slot_is_free", "该时段可直接预订", "The slot is free: book it"


class WaitingEnough(errors.Conflict):
    """A tenant waits for so many at most."""

    code, title_zh, title_en = "waiting_enough", "候补数量已达上限", "Too many waitlist entries"


class NotWaiting(errors.Conflict):
    """The entry was offered something, or is over."""

    code, title_zh, title_en = "not_waiting", "候补已结束", "This entry no longer waits"


def wait(
    *, wish: BookingWish, any_of: SpaceType | None, actor: Actor, now: datetime
) -> WaitlistEntry:
    """Stand in line for the wish's space, or for any space of a type.

    Raises:
        rules.RulesBroken: it could never be booked.
        NothingToWaitFor: it could be booked right now.
        WaitingEnough: the tenant waits for too much.
    """
    with transaction.atomic():
        spaces = _spaces(wish, any_of)
        # Who frees one of them meanwhile is waited for, or finds the entry and makes the offer.
        locking.lock_spaces([space.pk for space in spaces])
        judging.check_rules(wish, now=now)
        _check_taken(wish, spaces, now=now)
        mine = WaitlistEntry.objects.filter(tenant=wish.tenant, status="waiting")
        if mine.filter(starts_at__gt=now).count() >= MAX_WAITING:
            raise WaitingEnough(f"at most {MAX_WAITING}", limit=MAX_WAITING)
        entry = WaitlistEntry.objects.create(
            code="WL" + secrets.token_hex(5).upper(),
            tenant=wish.tenant,
            space=None if any_of else wish.space,
            space_type=any_of,
            starts_at=wish.span.start,
            ends_at=wish.span.end,
            headcount=wish.headcount,
            units=wish.units,
            purpose=wish.purpose,
            title=wish.title,
            services=[{"code": s.code, "qty": str(s.qty)} for s in wish.services],
            created_at=now,
        )
        record(entry, "wait", actor=actor, now=now)
    return entry


def _spaces(wish: BookingWish, any_of: SpaceType | None) -> list[Space]:
    """Where it would be offered a time."""
    if any_of is None:
        return [wish.space]
    rows = Space.objects.select_related("type", "floor").filter(type=any_of, bookable=True)
    return list(rows.filter(capacity__gte=wish.headcount))


def _check_taken(wish: BookingWish, spaces: Collection[Space], *, now: datetime) -> None:
    for space in spaces:
        if not resources.pick(resources.needs_of(_in(wish, space)), now=now).lacks:
            raise NothingToWaitFor(space.code, space=space.code)


def _in(wish: BookingWish, space: Space) -> BookingWish:
    return replace(wish, space=space, extras=())


def stop_waiting(*, entry: WaitlistEntry, actor: Actor, now: datetime) -> WaitlistEntry:
    """Leave the line.

    Raises:
        NotWaiting: it was offered something (decline that booking), or is over.
    """
    with transaction.atomic():
        row = WaitlistEntry.objects.select_for_update().get(pk=entry.pk)
        if row.status != "waiting":
            raise NotWaiting(row.status)
        become(row, "cancelled", actor=actor, now=now)
    return row


def lock_line(
    freed: Sequence[tuple[Collection[int], Span]],
    *,
    tenants: Collection[int] = (),
    even_alone: bool = False,
    now: datetime,
) -> None:
    """Where somebody waits for what a deed is about to free: lock what the offers will count.

    For a deed that judges, reserves or gives back itself: called once its resources and bookings
    are locked, and before any tenant or budget is. Nobody joins the line of a locked space.

    Args:
        freed: what will be offered, as `offer_all_freed` takes it.
        tenants: whom else the deed counts.
        even_alone: lock those where nobody waits too; for a deed on several bookings.
        now: entries whose time has come do not wait any more.
    """
    if not freed:
        return
    spaces, window = _as_one(freed)
    around = window.widened(before=AROUND, after=AROUND)
    waiting = tenants_in_line(spaces, around, now=now)
    if waiting or even_alone:
        locking.lock_counted(waiting.union(tenants))


def offer_freed(space_ids: Collection[int], window: Span, *, now: datetime) -> list[Booking]:
    """Offer what is free in these locked spaces to who waits for it, the first first.

    Only wishes that touch the freed window, buffers included, are looked at.

    Runs in the transaction that freed the slot: nobody can come in between. A wish that is
    refused (its rules, its price) is noted and stays in line; it never undoes what freed the slot.
    """
    around = window.widened(before=AROUND, after=AROUND)
    waiting = tenants_in_line(space_ids, around, now=now)
    if not waiting:
        return []
    locking.lock_counted(waiting)
    spaces = Space.objects.select_related("type", "floor").filter(pk__in=space_ids)
    return [
        booking
        for space in spaces
        for entry in waiting_for(space, around, now=now)
        if (booking := _offer(entry, space, now=now)) is not None
    ]


def offer_all_freed(
    freed: Sequence[tuple[Collection[int], Span]], *, now: datetime
) -> list[Booking]:
    """The same for many stretches of time at once: one look over all of them."""
    if not freed:
        return []
    spaces, window = _as_one(freed)
    return offer_freed(spaces, window, now=now)


def _as_one(freed: Sequence[tuple[Collection[int], Span]]) -> tuple[set[int], Span]:
    spaces = {pk for ids, _ in freed for pk in ids}
    return spaces, Span(min(s.start for _, s in freed), max(s.end for _, s in freed))


def _offer(entry: WaitlistEntry, space: Space, *, now: datetime) -> Booking | None:
    """A hold for the entry, or None when it does not fit; only its own attempt is undone."""
    wish = BookingWish(
        space=space,
        tenant=entry.tenant,
        span=entry.span,
        purpose=entry.purpose,
        headcount=entry.headcount,
        units=entry.units,
        title=entry.title,
        services=tuple(ServiceWish(s["code"], Decimal(s["qty"])) for s in entry.services),
    )
    try:
        with transaction.atomic():
            booking = making.hold_for(wish, lasts=_lasts(entry, now), source=SOURCE, now=now)
    except taking.SlotTaken:
        return None
    except errors.DomainError as exc:
        logger.info("waitlist.refused", extra={"entry": entry.code, "code": exc.code})
        WaitlistEntry.objects.filter(pk=entry.pk).update(refused_why=exc.code[:64])
        return None
    entry.offered = booking
    become(entry, "offered", actor=SYSTEM, now=now, booking=booking.code)
    telling.waitlist_offer(booking, now=now)
    return booking


def _lasts(entry: WaitlistEntry, now: datetime) -> timedelta:
    """Half an hour to decide, but never past the start."""
    return min(OFFER, entry.starts_at - now)


def expire_waiting(*, now: datetime) -> int:
    """End the entries whose time has come without an offer."""
    rows = WaitlistEntry.objects.filter(status="waiting", starts_at__lte=now)
    return rows.update(status="expired", settled_at=now)
