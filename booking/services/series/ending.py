"""Give instances of a series back, and take dates that were left out after all."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import partial

from base_ops.core import db
from base_ops.core.actors import Actor
from base_ops.core.models import Space
from base_ops.core.spans import Span
from billing import services as billing
from billing.domain.rating import ServiceWish
from booking.domain.states import Deed, Status, after
from booking.models import Allocation, Booking, EquipmentPool, Series, SeriesSkip
from booking.selectors.series import instances_of
from booking.services import charging, ending, locking, resources, telling, waiting
from booking.services.changing import by_of, spaces_of
from booking.services.series.changing import (
    Check,
    Scope,
    chosen,
    ended_before,
    locked,
    recurrence_of,
    terms_of,
)
from booking.services.series.looking import Asked, Choice, look
from booking.services.series.making import BATCH, record, settle, show
from booking.services.series.refusing import InstanceNotFound, NotSkipped, TooLate, refuse
from booking.services.wishes import BookingWish, Extra


def cancel(
    *,
    series: Series,
    recurrence_id: datetime | None,
    scope: Scope,
    reason: str,
    actor: Actor,
    check: Check = lambda row: None,
    now: datetime,
) -> Series:
    """Give back this instance, this and the following ones, or all that lie ahead.

    Each may cost a fee by how late it is, as single bookings do. A single date is remembered and
    can be added again; "following" ends the series before the date.

    Raises:
        InstanceNotFound, TooLate: nothing to give back on this date.
    """
    work = partial(_cancel, series, recurrence_id, scope, reason, actor, check, now)
    return db.in_transaction(work)


def _cancel(
    series: Series,
    recurrence_id: datetime | None,
    scope: Scope,
    reason: str,
    actor: Actor,
    check: Check,
    now: datetime,
) -> Series:
    row, live = locked(series, check=check)
    if not live:
        raise InstanceNotFound("no instance is left")
    pivot = recurrence_id or recurrence_of(live[0])
    if scope == "this":
        rows = [_cancel_one(row, live, pivot, reason, actor=actor, now=now)]
    else:
        rows = chosen(live, scope, pivot, now=now)
        waiting.lock_line([(spaces_of(b), b.span) for b in rows], now=now)
        give_back(rows, reason=reason, actor=actor, now=now)
        telling.series_cancelled(
            row, cancelled=len(rows), first_at=rows[0].starts_at, reason=reason, now=now
        )
        ended_before(row, recurrence_of(rows[0]))
        row.cancelled_at = now if len(rows) == len(live) else None
    row.version += 1
    row.save()
    record(
        row, "cancel", actor=actor, now=now, scope=scope, why=reason,
        cancelled=[b.code for b in rows],
    )  # fmt: skip
    if scope != "this":  # a single one was offered where it was cancelled
        waiting.offer_all_freed([(spaces_of(b), b.span) for b in rows], now=now)
    show(rows, now=now)
    return row


def _cancel_one(
    series: Series,
    live: Sequence[Booking],
    recurrence_id: datetime,
    reason: str,
    *,
    actor: Actor,
    now: datetime,
) -> Booking:
    """Cancel one booking as any other, and remember its date."""
    booking = next((b for b in live if b.recurrence_id == recurrence_id), None)
    if booking is None:
        raise InstanceNotFound(recurrence_id.isoformat())
    done = ending.cancel(booking=booking, actor=actor, reason=reason, now=now)
    SeriesSkip.objects.update_or_create(
        series=series,
        recurrence_id=recurrence_id,
        defaults={
            "reason": "cancelled",
            "detail": {"booking": done.code, "why": reason},
            "at": now,
        },
    )
    return done


def give_back(rows: Sequence[Booking], *, reason: str, actor: Actor, now: datetime) -> None:
    """Cancel locked bookings that lie ahead, in a handful of statements."""
    confirmed = [b for b in rows if b.status == Status.CONFIRMED]
    for booking in rows:
        booking.status = after(booking.status, Deed.CANCEL, by_of(actor))
        booking.cancelled_at, booking.cancel_reason = now, reason
        booking.expires_at = None
        booking.version += 1
    Booking.objects.bulk_update(
        rows, ["status", "cancelled_at", "cancel_reason", "expires_at", "version"],
        batch_size=BATCH,
    )  # fmt: skip
    Allocation.objects.filter(booking__in=rows, active=True).update(active=False)
    billing.release_many(sources=[locking.source_of(b) for b in rows], now=now)
    if confirmed:
        billing.charge_many([(charging.facts(b, "cancelled", now=now), now) for b in confirmed])


def add_again(
    *,
    series: Series,
    recurrence_id: datetime,
    choice: Choice,
    actor: Actor,
    check: Check = lambda row: None,
    now: datetime,
) -> Booking:
    """Book a date that was left out, as the series has it or at another time or in another room.

    Raises:
        NotSkipped: it has its booking.
        InstanceNotFound: the series never had such a date.
        TooLate: it lies in the past.
        SeriesConflicts, SeriesRulesBroken: it still cannot be had.
    """
    work = partial(_add_again, series, recurrence_id, choice, actor, check, now)
    return db.in_transaction(work)


def _add_again(
    series: Series,
    recurrence_id: datetime,
    choice: Choice,
    actor: Actor,
    check: Check,
    now: datetime,
) -> Booking:
    base = _wish(series, recurrence_id)
    wish = replace(base, span=choice.span or base.span, space=choice.space or base.space)
    resources.lock(resources.needs_of(wish))
    row = Series.objects.select_for_update(of=("self",)).select_related("tenant").get(pk=series.pk)
    check(row)
    skip = SeriesSkip.objects.filter(series=row, recurrence_id=recurrence_id).first()
    if instances_of(row).filter(recurrence_id=recurrence_id).exists():
        raise NotSkipped(recurrence_id.isoformat())
    if skip is None and not _is_date(row, recurrence_id):
        raise InstanceNotFound(recurrence_id.isoformat())
    if wish.span.start <= now:
        raise TooLate(wish.span.start.isoformat())
    seen = look([Asked(recurrence_id, wish)], role=actor.role, priced=False, now=now)
    refuse(seen, now=now)
    booking = settle(row, seen, actor=actor, now=now)[0]
    if skip is not None:
        skip.delete()
    row.version += 1
    row.save(update_fields=["version"])
    record(row, "add_again", actor=actor, now=now, recurrence_id=recurrence_id.isoformat(),
           booking=booking.code)  # fmt: skip
    telling.confirmed(booking, now=now)
    show([booking], now=now)
    return booking


def _is_date(series: Series, recurrence_id: datetime) -> bool:
    """Whether the series still has this date: it was then given back by itself."""
    return series.cancelled_at is None and recurrence_id in terms_of(series).starts()


def _wish(series: Series, recurrence_id: datetime) -> BookingWish:
    """What an instance of the series is like."""
    extras = [
        Extra(
            space=_space(e["space"]) if e["space"] else None,
            pool=EquipmentPool.objects.get(code=e["pool"]) if e["pool"] else None,
            quantity=e["quantity"],
        )
        for e in series.extras
    ]
    return BookingWish(
        space=series.space,
        tenant=series.tenant,
        span=Span(recurrence_id, recurrence_id + series.length),
        purpose=series.purpose,
        headcount=series.headcount,
        title=series.title,
        services=[ServiceWish(s["code"], Decimal(s["qty"])) for s in series.services],
        units=series.units,
        extras=extras,
    )


def _space(code: str) -> Space:
    return Space.objects.select_related("type", "floor").get(code=code)
