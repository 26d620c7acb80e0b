"""How a room is given back: devices tested once they came to rest, notes, photos, a verdict.

A handover begins when the stay ends. People add notes and photos for a day; the devices have a
minute to come to rest before they are judged. What is wrong calls a technician and stays on record
as evidence.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction

from base_ops.core import audit, db, errors
from base_ops.core.actors import Actor
from booking import selectors
from booking.domain.states import Status
from booking.models import Booking, Handover, HandoverPhoto
from booking.services import photos, telling
from booking.services.changing import locked
from devices import selectors as devices_seen
from devices import services as devices
from devices.domain.selftest import Found

SETTLE = timedelta(minutes=1)
PATIENCE = timedelta(minutes=10)
OPEN_FOR = timedelta(hours=24)
MAX_PHOTOS = 8


class HandoverClosed(errors.Conflict):
    """Before check-in there is nothing to hand over; a day after the end it is closed."""

    code, title_zh, title_en = (
        "handover_closed",
        "当前不可提交交接记录",
        "The handover cannot be added to now",
    )


class TooManyPhotos(errors.Conflict):
    """The handover has eight."""

    code, title_zh, title_en = "too_many_photos", "照片已达 8 张上限", "No more than 8 photos"


class NothingToSettle(errors.Conflict):
    """The handover found no problem, or it was settled."""

    code, title_zh, title_en = (
        "nothing_to_settle",
        "没有待处理的问题",
        "There is nothing to settle",
    )


def begin(booking: Booking, *, actor: Actor, now: datetime) -> Handover:
    """Open the handover of a locked booking that just ended; its test is due a little later."""
    row = _row(booking, actor=actor, now=now)
    row.at, row.test_due_at = now, now + SETTLE
    row.save(update_fields=["at", "test_due_at"])
    return row


def _row(booking: Booking, *, actor: Actor, now: datetime) -> Handover:
    """The booking's handover; a photo taken before leaving may have made it already."""
    row, _ = Handover.objects.get_or_create(
        booking=booking, defaults={"at": now, "by": actor.label}
    )
    return row


def note(*, booking: Booking, notes: str, problem: bool, actor: Actor, now: datetime) -> Handover:
    """Write what people found; a problem calls a technician at once and is not taken back.

    Raises:
        HandoverClosed: too early or too late.
    """
    return db.in_transaction(partial(_note, booking, notes, problem, actor=actor, now=now))


def _note(booking: Booking, notes: str, problem: bool, *, actor: Actor, now: datetime) -> Handover:
    booked = locked(booking)
    _check_open(booked, now=now)
    row = _row(booked, actor=actor, now=now)
    is_new = problem and not row.problem
    row.notes = "\n".join(part for part in (row.notes, notes) if part)[:2000]
    row.problem = row.problem or problem
    row.version += 1
    row.save(update_fields=["notes", "problem", "version"])
    _record(booked, "note", actor=actor, now=now, notes=notes, problem=problem)
    if is_new:
        telling.handover_problem(booked, note=notes, now=now)
        _call(booked, row, now=now)
    return row


def add_photo(*, booking: Booking, data: bytes, actor: Actor, now: datetime) -> HandoverPhoto:
    """Keep a photo, cleaned, with its handover; the same picture again is the same photo.

    Raises:
        photos.PhotoTooLarge, photos.NotAPhoto, photos.BrokenPhoto, photos.TooManyPixels.
        TooManyPhotos: there are eight.
        HandoverClosed: too early or too late.
    """
    _check_open(Booking.objects.get(pk=booking.pk), now=now)
    photo = photos.clean(data)  # before the lock: nobody waits for a decoder
    return db.in_transaction(partial(_add, booking, photo, actor=actor, now=now))


def _add(booking: Booking, photo: photos.Photo, *, actor: Actor, now: datetime) -> HandoverPhoto:
    booked = locked(booking)
    _check_open(booked, now=now)
    row = _row(booked, actor=actor, now=now)
    if (same := row.photos.filter(digest=photo.digest).first()) is not None:
        return same
    number = row.photos.count() + 1
    if number > MAX_PHOTOS:
        raise TooManyPhotos(limit=MAX_PHOTOS)
    kept = HandoverPhoto.objects.create(
        handover=row,
        number=number,
        at=now,
        by=actor.label,
        media_type=photos.MEDIA_TYPE,
        width=photo.width,
        height=photo.height,
        digest=photo.digest,
        image=photo.image,
        thumbnail=photo.thumbnail,
    )
    _record(booked, "photo", actor=actor, now=now, number=number, digest=photo.digest)
    return kept


def _check_open(booking: Booking, *, now: datetime) -> None:
    inside = booking.status == Status.CHECKED_IN
    ended = booking.status == Status.COMPLETED and booking.ended_at is not None
    if inside or (ended and booking.ended_at is not None and now <= booking.ended_at + OPEN_FOR):
        return
    raise HandoverClosed(f"{booking.code} is {booking.status}", booking_status=booking.status)


def test_due(*, now: datetime) -> int:
    """Test the rooms whose devices had time to come to rest; returns how many got a verdict."""
    due = Handover.objects.filter(test_due_at__lte=now).select_related("booking")
    return sum(db.in_transaction(partial(_test, row.booking, now=now)) for row in due)


def _test(booking: Booking, *, now: datetime) -> bool:
    booked = locked(booking)
    row = Handover.objects.select_for_update(of=("self",)).get(booking=booked)
    if row.test_due_at is None or row.test_due_at > now:
        return False
    found = devices_seen.self_test(space=booked.space, now=now)
    waits = booked.wrap_due_at is not None or any(device.settling for device in found)
    if waits and now < row.at + PATIENCE:
        row.test_due_at = now + SETTLE
        row.save(update_fields=["test_due_at"])
        return False
    judged = [] if booked.shares_space else _judged(booked, found, now=now)
    wrong = any(device.reasons for device in judged)
    row.devices = [device.as_json() for device in judged]
    row.verdict = "problems" if wrong or row.problem else "good"
    row.tested_at, row.test_due_at = now, None
    row.version += 1
    row.save(update_fields=["devices", "verdict", "tested_at", "test_due_at", "version"])
    if _calls_somebody(judged):
        _call(booked, row, now=now)
    return True


def _judged(booking: Booking, found: Sequence[Found], *, now: datetime) -> list[Found]:
    """What may be said: of a room that the next show took over, not that it is not at rest."""
    if not _taken_over(booking, now=now):
        return list(found)
    return [
        Found(
            device.code,
            device.kind,
            device.role,
            tuple(r for r in device.reasons if not r["code"].startswith("not_at_rest")),
        )
        for device in found
    ]


def _taken_over(booking: Booking, *, now: datetime) -> bool:
    later = Booking.objects.filter(
        space=booking.space_id, starts_at__gt=booking.starts_at, prepared_at__lte=now
    )
    return later.exclude(status__in=(Status.NO_SHOW, Status.CANCELLED)).exists()


def _calls_somebody(found: Sequence[Found]) -> bool:
    """Whether something is wrong that has no alarm of its own yet."""
    return any(
        device.reasons and not any(r["code"].startswith("alarm_") for r in device.reasons)
        for device in found
    )


def _call(booking: Booking, row: Handover, *, now: datetime) -> None:
    """One alarm on the room, until somebody settles it."""
    reasons = [reason for device in row.devices for reason in device["reasons"]]
    detail: dict[str, Any] = {"booking": booking.code, "notes": row.notes, "reasons": reasons}
    devices.raise_space_alarm(booking.space, "handover", detail, now)


def settle(*, booking: Booking, note: str, actor: Actor, now: datetime) -> Handover:
    """A technician took care: the room's alarm clears, the record says who and how.

    Raises:
        NothingToSettle: no problem, or settled before.
    """
    with transaction.atomic():
        booked = locked(booking)
        row = Handover.objects.select_for_update(of=("self",)).filter(booking=booked).first()
        if row is None or row.settled_at is not None or not is_problem(row):
            raise NothingToSettle(booked.code)
        row.settled_at, row.settled_by, row.settled_note = now, actor.label, note
        row.version += 1
        row.save(update_fields=["settled_at", "settled_by", "settled_note", "version"])
        _record(booked, "settle", actor=actor, now=now, note=note)
        if not selectors.open_problems(booked.space_id).exists():
            devices.clear_space_alarm(booked.space, "handover", now)
    return row


def is_problem(row: Handover) -> bool:
    """Whether people or devices found something."""
    return row.problem or row.verdict == "problems"


def _record(booking: Booking, deed: str, *, actor: Actor, now: datetime, **more: Any) -> None:
    audit.record(
        actor=actor,
        action=f"handover.{deed}",
        object_type="booking",
        object_code=booking.code,
        after=more,
        now=now,
    )
