"""The stay: check-in at the door, check-out, and the end that both people and time bring about."""

import secrets
from datetime import datetime, timedelta

from django.core import signing
from django.db import transaction
from psycopg.types.range import TimestamptzRange

from base_ops.core import errors
from base_ops.core.actors import Actor
from base_ops.core.models import Role
from booking import selectors
from booking.domain.states import Deed, Status
from booking.models import Allocation, Booking
from booking.services import charging, preparing, waiting
from booking.services.changing import advance, locked, show, spaces_of
from devices import services as devices

GRACE = timedelta(minutes=20)
STOPPING = timedelta(seconds=60)
CODE_TTL = timedelta(minutes=10)
DOOR_ROLES = frozenset({Role.MANAGER, Role.TECHNICIAN, Role.ADMIN})
_SALT = "booking.check-in"


class TooEarly(errors.Conflict):
    """Before setup begins."""

    code, title_zh, title_en = "too_early", "未到签到时间", "Too early to check in"


class TooLate(errors.Conflict):
    """After the grace period, or after the end."""

    code, title_zh, title_en = "too_late", "已超过签到时间", "Too late to check in"


class WrongCode(errors.Forbidden):
    """Neither the QR token nor the PIN of this booking."""

    code, title_zh, title_en = "wrong_check_in_code", "签到码不正确", "Wrong check-in code"


def code_for_door(*, booking: Booking, now: datetime) -> dict[str, object]:
    """What the tenant shows at the door: a signed token for the QR code, and the PIN."""
    expires_at = now + CODE_TTL
    token = signing.dumps([booking.code, int(expires_at.timestamp())], salt=_SALT, compress=True)
    return {"token": token, "pin": booking.pin, "expires_at": expires_at}


def check_in(
    *,
    booking: Booking,
    actor: Actor,
    token: str | None = None,
    pin: str | None = None,
    now: datetime,
) -> Booking:
    """Hand the room over: from now to the end this tenant may control it, and it goes on air.

    Raises:
        WrongCode: a tenant without the right token or PIN; staff need none.
        TooEarly, TooLate: outside [start of setup, start + grace].
        states.WrongState: not confirmed.
    """
    _check_code(booking, actor, token, pin, now=now)
    with transaction.atomic():
        row = locked(booking)
        _check_time(row, now=now)
        advance(row, Deed.CHECK_IN, actor=actor, now=now, checked_in_at=now)
        hand_over(row, actor=actor, now=now)
        show(row, now=now)
    return row


def hand_over(booking: Booking, *, actor: Actor, now: datetime) -> None:
    """Grant control until the end, and start the show where there is an encoder.

    Some units of a shared room give no right over the whole room.
    """
    if booking.shares_space:
        return
    devices.grant_control(
        space=booking.space,
        tenant_id=booking.tenant_id,
        booking_code=booking.code,
        until=booking.until,
        now=now,
    )
    if booking.space_id in selectors.encoders_known(now):
        devices.apply_scene(
            space=booking.space,
            scene="on_air",
            actor=actor,
            booking_code=booking.code,
            until=booking.until,
            now=now,
        )


def _check_code(
    booking: Booking, actor: Actor, token: str | None, pin: str | None, *, now: datetime
) -> None:
    if actor.is_staff:
        if actor.role not in DOOR_ROLES:
            raise errors.Forbidden("not at the door")
        if token is None and pin is None:
            return
    if token is not None and _token_fits(booking, token, now=now):
        return
    if pin is not None and secrets.compare_digest(pin.encode(), booking.pin.encode()):
        return
    raise WrongCode("show the QR code or the PIN of this booking")


def _token_fits(booking: Booking, token: str, *, now: datetime) -> bool:
    try:
        code, expires = signing.loads(token, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return False
    return bool(code == booking.code and expires > now.timestamp())


def _check_time(booking: Booking, *, now: datetime) -> None:
    opens_at = booking.starts_at - booking.buffers.setup
    if now < opens_at:
        raise TooEarly(f"from {opens_at.isoformat()}", from_=opens_at.isoformat())
    late = now > booking.starts_at + GRACE
    kept = booking.space_id in selectors.on_air(now)
    if now >= booking.until or (late and not kept):
        raise TooLate(f"until {(booking.starts_at + GRACE).isoformat()}")


def check_out(*, booking: Booking, actor: Actor, now: datetime) -> Booking:
    """End the stay early or on time: stop the encoder, wrap, take control back, charge.

    The tenant may stop their own show. While the encoder is still stopping, control stays with
    them for a minute at most; the room is wrapped once it is off air.

    Raises:
        devices' OnAirInterlock: staff cannot end somebody's show this way.
        states.WrongState: not checked in.
    """
    with transaction.atomic():
        row = locked(booking)
        on_air = row.space_id in selectors.on_air(now) and not row.shares_space
        if on_air and row.status == Status.CHECKED_IN:
            stop_streams(row, actor=actor, now=now)
        finish(row, actor=actor, now=now)
    return row


def stop_streams(booking: Booking, *, actor: Actor, now: datetime) -> None:
    """Stop the encoders on behalf of who asks, and leave them the control just long enough."""
    for encoder in selectors.streaming_encoders(booking.space):
        devices.send_command(
            device=encoder,
            state={"run": "stopped"},
            actor=actor,
            booking_code=booking.code,
            now=now,
        )
    devices.extend_grant(
        booking_code=booking.code, until=min(booking.until, now + STOPPING), now=now
    )


def finish(
    booking: Booking, *, actor: Actor, ended_at: datetime | None = None, now: datetime
) -> None:
    """Complete a locked, checked-in booking: give unused time back, charge, wrap, show."""
    ended = ended_at or now
    advance(
        booking, Deed.COMPLETE, actor=actor, now=now,
        ended_at=ended, wrap_due_at=now, **charging.measure(booking, now=now),
    )  # fmt: skip
    _give_back(booking, ended)
    charging.charge(booking, "completed", now=now)
    preparing.wrap_if_due(booking, now=now)
    waiting.offer_freed(spaces_of(booking), booking.span, now=now)
    show(booking, now=now)


def _give_back(booking: Booking, ended: datetime) -> None:
    """Shorten the blocks to the real end and its teardown; they never grow here."""
    end = ended + booking.buffers.after
    for row in Allocation.objects.filter(booking=booking, active=True):
        if row.span.start < end < row.span.end:
            row.block = TimestamptzRange(row.span.start, end, "[)")
            row.save(update_fields=["block"])
