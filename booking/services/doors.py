"""Check-in at the door: a signed code that changes every half minute, displays, wrong PINs."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.core import signing
from django.db import transaction
from django.db.models import Q

from base_ops.core import audit, errors
from base_ops.core.actors import Actor
from base_ops.core.models import Role, Space
from booking.domain import doors
from booking.models import Booking, DoorDisplay, WrongPin

PREFIX = "door_"
MAX_DISPLAYS = 10
TRIES = 5
WINDOW = timedelta(minutes=10)
TOUCH_EVERY = timedelta(minutes=1)
STAFF = (Role.MANAGER, Role.TECHNICIAN)
_SALT = "booking.door"


class DoorCodeInvalid(errors.Forbidden):
    """Not a code of one of our doors."""

    code, title_zh, title_en = (
        "door_code_invalid",
        "不是有效的门口二维码",
        "Not the code of a door",
    )


class DoorCodeExpired(errors.Conflict):
    """The code is older than 90 seconds: a picture of the door, not the door."""

    code, title_zh, title_en = (
        "door_code_expired",
        "二维码已过期,请重新扫描门口屏幕",
        "The code has expired, scan the door again",
    )


class TooManyDisplays(errors.Conflict):
    """The door has as many displays as allowed."""

    code, title_zh, title_en = (
        "too_many_displays",
        "门口屏数量已达上限",
        "No more displays allowed",
    )


class PinLocked(errors.TooMany):
    """Five wrong PINs within ten minutes; says until when. The QR code still works."""

    code, title_zh, title_en = (
        "pin_locked",
        "PIN 输错次数过多,请稍后再试或扫码签到",
        "Too many wrong PINs, wait or use the QR code",
    )


def door_code(*, space: Space, now: datetime) -> dict[str, object]:
    """What the display shows: the address behind the QR code, and when to fetch the next one.

    The same within a half minute, in every process.
    """
    slot = doors.slot_of(now)
    token = signing.Signer(salt=_SALT).sign_object([space.pk, slot], compress=False)
    starts_at = doors.start_of(slot)
    return {
        "space": space.code,
        "token": token,
        "url": f"/c/{token}",
        "next_at": starts_at + doors.STEP,
        "expires_at": starts_at + doors.COUNTS,
    }


def space_of_code(token: str, *, now: datetime) -> Space:
    """The space at whose door the code was shown, just now.

    Raises:
        DoorCodeInvalid: forged, or of something else.
        DoorCodeExpired: older than 90 seconds, or from a clock far ahead.
    """
    try:
        pk, slot = signing.Signer(salt=_SALT).unsign_object(token)
        found = Space.objects.select_related("type").filter(pk=int(pk)).first()
        slot = int(slot)
    except (signing.BadSignature, ValueError, TypeError) as exc:
        raise DoorCodeInvalid from exc
    if found is None:
        raise DoorCodeInvalid
    if not doors.counts(slot, now):
        raise DoorCodeExpired
    return found


def add_display(
    *, space: Space, name: str, actor: Actor, now: datetime
) -> tuple[str, DoorDisplay]:
    """Make a token for a screen at the door; the clear text is returned this once.

    Raises:
        TooManyDisplays: the door has ten.
    """
    with transaction.atomic():
        Space.objects.select_for_update(no_key=True).get(pk=space.pk)
        live = DoorDisplay.objects.filter(space=space, revoked_at__isnull=True).count()
        if live >= MAX_DISPLAYS:
            raise TooManyDisplays(limit=MAX_DISPLAYS)
        token = PREFIX + secrets.token_urlsafe(32)
        row = DoorDisplay.objects.create(
            space=space,
            name=name,
            prefix=token[:10],
            digest=_digest(token),
            created_by=actor.label,
            created_at=now,
        )
        _record(row, "add", actor=actor, now=now)
    return token, row


def revoke_display(*, display: DoorDisplay, actor: Actor, now: datetime) -> DoorDisplay:
    """End a display's token at once; again is harmless."""
    with transaction.atomic():
        row = DoorDisplay.objects.select_for_update(of=("self",)).get(pk=display.pk)
        if row.revoked_at is None:
            row.revoked_at = now
            row.save(update_fields=["revoked_at"])
            _record(row, "revoke", actor=actor, now=now)
    return row


def display_of_token(token: str, *, now: datetime) -> DoorDisplay | None:
    """The display behind a token, or None when it is unknown or revoked."""
    if not token.startswith(PREFIX):
        return None
    rows = DoorDisplay.objects.select_related("space__type", "space__floor")
    found = rows.filter(digest=_digest(token), revoked_at__isnull=True).first()
    if found is None:
        return None
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - TOUCH_EVERY)
    DoorDisplay.objects.filter(stale, pk=found.pk).update(last_used_at=now)
    return found


def check_pin(*, booking: Booking, pin: str, actor: Actor, now: datetime) -> bool:
    """Compare in constant time; a wrong PIN is on record before anybody learns that it is wrong.

    Guesses of one booking take turns at its row, whichever process they reach. Call it outside
    the transaction of the check-in, which a refusal rolls back: the record must stay.

    Raises:
        PinLocked: five were wrong within ten minutes, right or not this time.
    """
    with transaction.atomic():
        row = Booking.objects.select_for_update(no_key=True).only("pk", "pin").get(pk=booking.pk)
        wrong = WrongPin.objects.filter(booking=row, at__gt=now - WINDOW)
        recent = list(wrong.order_by("-at").values_list("at", flat=True)[:TRIES])
        if len(recent) >= TRIES:
            until = recent[-1] + WINDOW
            raise PinLocked(f"until {until.isoformat()}", locked_until=until.isoformat())
        fits = secrets.compare_digest(pin.encode(), row.pin.encode())
        if not fits:
            WrongPin.objects.create(booking=row, at=now, by=actor.label)
            audit.record(
                actor=actor,
                action="booking.wrong_pin",
                object_type="booking",
                object_code=booking.code,
                after={"tries_left": TRIES - len(recent) - 1},
                now=now,
            )
    return fits


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _record(row: DoorDisplay, deed: str, *, actor: Actor, now: datetime) -> None:
    audit.record(
        actor=actor,
        action=f"door_display.{deed}",
        object_type="door_display",
        object_code=row.prefix,
        after={"space": row.space.code, "name": row.name},
        now=now,
    )
