"""Before and after the show: scene `prepare` and the ready light, scene `wrap`."""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db.models import Q

from base_ops.core import db, errors
from base_ops.core.actors import SYSTEM
from booking import selectors
from booking.domain.states import Status
from booking.models import Booking
from booking.services import telling
from booking.services.changing import locked, record, save, show
from devices import selectors as devices_seen
from devices import services as devices

logger = logging.getLogger(__name__)

AHEAD = timedelta(minutes=15)
PATIENCE = timedelta(seconds=60)


def each(found: Iterable[Booking], deed: Callable[[Booking], bool]) -> int:
    """Do a job's deed for each booking in a transaction of its own; returns how many were done.

    A refusal of one room (it went on air meanwhile, say) must not keep the others waiting: the
    job finds the booking again next time.
    """
    done = 0
    for booking in found:
        try:
            done += db.in_transaction(partial(_do, deed, booking))
        except errors.DomainError as exc:
            logger.warning(
                "booking.job_refused",
                extra={"booking": booking.code, "code": exc.code, "detail": exc.detail},
            )
    return done


def _do(deed: Callable[[Booking], bool], booking: Booking) -> bool:
    return deed(locked(booking))


def run_prepare(*, now: datetime) -> int:
    """Prepare, once, each room whose confirmed booking starts within a quarter of an hour."""
    on_air = selectors.on_air(now)
    due = Booking.objects.filter(
        status=Status.CONFIRMED,
        starts_at__lte=now + AHEAD,
        ends_at__gt=now,
        prepared_at__isnull=True,
    ).exclude(space_id__in=on_air)
    return each(due, lambda booking: _prepare(booking, now=now))


def _prepare(booking: Booking, *, now: datetime) -> bool:
    if booking.status != Status.CONFIRMED or booking.prepared_at is not None:
        return False
    devices.apply_scene(
        space=booking.space, scene="prepare", actor=SYSTEM, booking_code=booking.code,
        until=booking.until, now=now,
    )  # fmt: skip
    save(booking, prepared_at=now)
    record(booking, "prepare", actor=SYSTEM, now=now)
    telling.starts_soon(booking, now=now)
    show(booking, now=now)
    return True


def record_ready(*, now: datetime) -> int:
    """Turn the ready light of prepared rooms green, or after a minute red with a proposal."""
    waiting = Booking.objects.filter(prepared_at__isnull=False, ends_at__gt=now).filter(
        Q(status=Status.CONFIRMED) | Q(status=Status.CHECKED_IN, ready="red")
    )
    changed = [b for b in waiting.select_related("space") if _light(b, now=now) is not None]
    count = each(changed, lambda booking: _record_ready(booking, now=now))
    db.in_transaction(partial(_settle_alarms, now=now))
    return count


def _settle_alarms(*, now: datetime) -> None:
    """A red light calls a technician; turned green, or with its booking over, it no more does."""
    red = Booking.objects.filter(
        status__in=(Status.CONFIRMED, Status.CHECKED_IN), ready="red", ends_at__gt=now
    )
    found = list(red.select_related("space").order_by("space_id", "-starts_at"))
    for booking in {b.space_id: b for b in found}.values():
        detail = {"booking": booking.code, "reasons": booking.ready_reasons}
        devices.raise_space_alarm(booking.space, "not_ready", detail, now)
    devices.clear_space_alarms_but({b.space_id for b in found}, "not_ready", now)


def _light(booking: Booking, *, now: datetime) -> tuple[str, list[Any]] | None:
    """The light and its reasons when they differ from what is recorded, else None."""
    ready = devices_seen.ready_light(space=booking.space, now=now)
    reasons = [dict(reason) for reason in ready.reasons]
    if not ready.ok and booking.prepared_at is not None and now < booking.prepared_at + PATIENCE:
        return None  # the devices are still answering
    light = "green" if ready.ok else "red"
    return None if (light, reasons) == (booking.ready, booking.ready_reasons) else (light, reasons)


def _record_ready(booking: Booking, *, now: datetime) -> bool:
    if (found := _light(booking, now=now)) is None:
        return False
    light, reasons = found
    was = booking.ready
    proposal = proposal_for(booking, now=now) if light == "red" else None
    save(booking, ready=light, ready_reasons=reasons, ready_at=now, proposal=proposal)
    if light != was:
        record(booking, f"ready_{light}", actor=SYSTEM, now=now, reasons=reasons, to=proposal)
        if light == "red":
            telling.ready_red(booking, now=now)
        logger.warning(
            "booking.ready", extra={"booking": booking.code, "light": light, "reasons": reasons}
        )
    show(booking, now=now)
    return True


def proposal_for(booking: Booking, *, now: datetime) -> dict[str, Any] | None:
    """An equal room that is free for the same time."""
    equal = selectors.equal_spaces(
        booking.space, booking.span, booking.headcount, now=now, limit=1
    )
    if not equal:
        return None
    room = equal[0]
    return {"space": room.code, "name_zh": room.name_zh, "name_en": room.name_en}


def wrap_up(*, now: datetime) -> int:
    """Clear the rooms of bookings that are over, as soon as they are off air."""
    due = Booking.objects.filter(wrap_due_at__lte=now).exclude(space_id__in=selectors.on_air(now))
    return each(due, lambda booking: wrap_if_due(booking, now=now))


def wrap_if_due(booking: Booking, *, now: datetime) -> bool:
    """Wrap and take the control back, unless the room is on air: then the job comes back."""
    if booking.wrap_due_at is None or booking.space_id in selectors.on_air(now):
        return False
    devices.revoke_control(booking_code=booking.code, now=now)
    if not _taken_over(booking, now=now):
        devices.apply_scene(
            space=booking.space, scene="wrap", actor=SYSTEM, booking_code=booking.code, now=now
        )
    save(booking, wrap_due_at=None)
    record(booking, "wrap", actor=SYSTEM, now=now)
    return True


def leave(booking: Booking, *, now: datetime) -> None:
    """Clear a room that was made ready for a booking that goes elsewhere, unless others use it."""
    if booking.space_id in selectors.on_air(now) or _taken_over(booking, now=now):
        return
    devices.apply_scene(
        space=booking.space, scene="wrap", actor=SYSTEM, booking_code=booking.code, now=now
    )


def _taken_over(booking: Booking, *, now: datetime) -> bool:
    """Whether the room is already made ready for, or used by, the next booking."""
    return (
        Booking.objects.filter(space_id=booking.space_id, ends_at__gt=now)
        .filter(status__in=(Status.CONFIRMED, Status.CHECKED_IN))
        .exclude(pk=booking.pk)
        .exclude(prepared_at__isnull=True, checked_in_at__isnull=True)
        .exists()
    )
