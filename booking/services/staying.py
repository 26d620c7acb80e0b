"""The stay: check-in at the door, check-out, and the end that both people and time bring about."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from django.core import signing
from django.db import transaction
from psycopg.types.range import TimestamptzRange

from base_ops.core import errors
from base_ops.core.actors import Actor
from base_ops.core.models import Role, Space, Tenant
from booking import selectors
from booking.domain import rulebook
from booking.domain.rulebook import door as doorways
from booking.domain.states import Deed, Status
from booking.models import Allocation, Booking
from booking.selectors import rulebook as rules_seen
from booking.services import charging, doors, handovers, lateness, preparing, waiting
from booking.services.changing import advance, locked, show, spaces_of
from devices import selectors as devices_seen
from devices import services as devices

STOPPING = timedelta(seconds=60)
CODE_TTL = timedelta(minutes=10)
DOOR_ROLES = frozenset({Role.MANAGER, Role.TECHNICIAN, Role.ADMIN})
DAY = timedelta(days=1)
_SALT = "booking.check-in"

Proof = Literal["staff", "token", "pin", "door"]
_PROOFS: Mapping[Proof, str] = {
    "staff": "let in by the base",
    "token": "QR code",
    "pin": "PIN",
    "door": "QR code at the door",
}


class TooEarly(errors.Conflict):
    """Before setup begins."""

    code, title_zh, title_en = "too_early", "未到签到时间", "Too early to check in"


class TooLate(errors.Conflict):
    """After the grace period, or after the end."""

    code, title_zh, title_en = "too_late", "已超过签到时间", "Too late to check in"


class NotNeeded(errors.Conflict):
    """The rules want no check-in: the stay begins by itself."""

    code, title_zh, title_en = (
        "check_in_not_needed",
        "该空间无需签到",
        "This room needs no check-in",
    )


class NoBookingHere(errors.NotFound):
    """The tenant has nothing in this room within a day."""

    code, title_zh, title_en = (
        "no_booking_here",
        "您在此空间没有预订",
        "You have no booking in this room",
    )


class NotYourBooking(errors.Forbidden):
    """The room is somebody else's at this moment."""

    code, title_zh, title_en = (
        "not_your_booking",
        "该空间此刻由其他租户使用",
        "The room is another tenant's now",
    )


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
        WrongCode, doors.PinLocked: a tenant without the right token or PIN; staff need none.
        TooEarly, TooLate, NotNeeded: as the rules say.
        lateness.RoomNotFree: the show before still runs.
        states.WrongState: not confirmed.
    """
    proof = prove(booking=booking, actor=actor, token=token, pin=pin, now=now)
    return come_in(booking=booking, actor=actor, proof=proof, now=now)


def prove(
    *, booking: Booking, actor: Actor, token: str | None, pin: str | None, now: datetime
) -> Proof:
    """What entitles the caller to take the room over.

    A wrong PIN is on record afterwards, so call it outside a transaction that a refusal rolls
    back.

    Raises:
        WrongCode: neither the token nor the PIN of this booking.
        doors.PinLocked: too many wrong PINs.
        errors.Forbidden: people of the base who have nothing to do at the door.
    """
    if actor.is_staff:
        if actor.role not in DOOR_ROLES:
            raise errors.Forbidden("not at the door")
        if token is None and pin is None:
            return "staff"
    if token is not None and _token_fits(booking, token, now=now):
        return "token"
    if pin is not None and doors.check_pin(booking=booking, pin=pin, actor=actor, now=now):
        return "pin"
    raise WrongCode("show the QR code or the PIN of this booking")


def come_in(*, booking: Booking, actor: Actor, proof: Proof, now: datetime) -> Booking:
    """Take the room over, entitled by what was proven before.

    Raises:
        TooEarly, TooLate, NotNeeded: as the rules say.
        lateness.RoomNotFree: the show before still runs.
        states.WrongState: not confirmed.
    """
    with transaction.atomic():
        row = locked(booking)
        _check_time(row, now=now)
        lateness.check_free(row, now=now)
        take_over(row, actor=actor, why=_PROOFS[proof], now=now)
    return row


def come_in_by_door(*, tenant: Tenant, token: str, actor: Actor, now: datetime) -> Booking:
    """Check in whichever booking of this tenant the door is for at this moment.

    Scanning again after having checked in answers with the same booking.

    Raises:
        doors.DoorCodeInvalid, doors.DoorCodeExpired: it is not what the door shows now.
        NoBookingHere: none of theirs here today.
        NotYourBooking: the room is somebody else's now.
        TooEarly, TooLate, lateness.RoomNotFree: theirs is not to be entered now.
    """
    space = doors.space_of_code(token, now=now)
    found = meant_at_door(tenant=tenant, space=space, now=now)
    if found.status == Status.CHECKED_IN:
        return found
    return come_in(booking=found, actor=actor, proof="door", now=now)


def meant_at_door(*, tenant: Tenant, space: Space, now: datetime) -> Booking:
    """The booking that somebody of the tenant means by scanning this door now.

    That which they are in; else the first whose check-in is open; else the refusal that fits.
    """
    near = Booking.objects.filter(
        space=space,
        status__in=(Status.CONFIRMED, Status.CHECKED_IN, Status.NO_SHOW),
        starts_at__lt=now + DAY,
        starts_at__gt=now - 2 * DAY,
    ).select_related("space__type", "tenant")
    rows = [row for row in near.order_by("starts_at") if row.until > now]
    own = [row for row in rows if row.tenant_id == tenant.pk]
    inside = [row for row in own if row.status == Status.CHECKED_IN]
    waiting = [row for row in own if row.status == Status.CONFIRMED]
    open_now = [
        row for row in waiting if opens_at(row, now=now) <= now and not _is_late(row, now=now)
    ]
    if found := [*inside, *open_now][:1]:
        return found[0]
    if late := [row for row in own if opens_at(row, now=now) <= now]:
        raise _too_late(late[0], now=now)
    if waiting:
        raise _too_early(waiting[0], now=now)
    if any(row.starts_at <= now and row.status != Status.NO_SHOW for row in rows):
        raise NotYourBooking(f"{space.code} is taken now")
    raise NoBookingHere(f"nothing of yours in {space.code} within a day")


def take_over(booking: Booking, *, actor: Actor, why: str, now: datetime) -> None:
    """Check a locked booking in, grant control, show it."""
    advance(booking, Deed.CHECK_IN, actor=actor, why=why, now=now, checked_in_at=now)
    hand_over(booking, actor=actor, now=now)
    show(booking, now=now)


def evidence(booking: Booking, *, now: datetime) -> str:
    """What proves that its tenant is in the room without having checked in, or "".

    Of a shared room, or while the show before still runs, nothing is proven.
    """
    if booking.shares_space or now >= booking.until or lateness.in_the_room(booking) is not None:
        return ""
    if booking.space_id in selectors.on_air(now):
        return "on air"
    since = lateness.free_since(booking, now=now)
    seen = devices_seen.occupied_space_ids([booking.space_id], since=since, now=now)
    return "presence seen" if seen else ""


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


def _token_fits(booking: Booking, token: str, *, now: datetime) -> bool:
    try:
        code, expires = signing.loads(token, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return False
    return bool(code == booking.code and expires > now.timestamp())


def door_of(booking: Booking, *, now: datetime) -> rulebook.Door:
    """What the rules say about checking in to this booking: those it was made under."""
    book = rules_seen.book_for(booking, now=now)
    return book.door(rules_seen.place(booking.space, book), rules_seen.renter(booking.tenant))


def opens_at(booking: Booking, *, now: datetime) -> datetime:
    """When its check-in opens: by the rules, as a rule with the time to make ready."""
    door = door_of(booking, now=now)
    return doorways.opens_at(door, booking.span, setup=booking.buffers.setup)


def closes_at(booking: Booking, *, now: datetime) -> datetime:
    """When it is too late to check in: the grace period after the start, or after a late room."""
    grace = door_of(booking, now=now).grace
    if grace is None:
        return booking.until
    return min(lateness.free_since(booking, now=now) + grace, booking.until)


def _is_late(booking: Booking, *, now: datetime) -> bool:
    """On air, or with somebody in the room, it is never too late before the end."""
    if now >= booking.until:
        return True
    return now > closes_at(booking, now=now) and not evidence(booking, now=now)


def _check_time(booking: Booking, *, now: datetime) -> None:
    if not door_of(booking, now=now).needed:
        raise NotNeeded(f"{booking.code} begins by itself")
    if now < opens_at(booking, now=now):
        raise _too_early(booking, now=now)
    if _is_late(booking, now=now):
        raise _too_late(booking, now=now)


def _too_early(booking: Booking, *, now: datetime) -> TooEarly:
    opens = opens_at(booking, now=now).isoformat()
    return TooEarly(f"{booking.code} from {opens}", booking=booking.code, from_=opens)


def _too_late(booking: Booking, *, now: datetime) -> TooLate:
    closed = closes_at(booking, now=now).isoformat()
    return TooLate(f"{booking.code} until {closed}", booking=booking.code, until=closed)


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
    waiting.lock_line([(spaces_of(booking), booking.span)], now=now)
    advance(
        booking, Deed.COMPLETE, actor=actor, now=now,
        ended_at=ended, wrap_due_at=now, **charging.measure(booking, now=now),
    )  # fmt: skip
    _give_back(booking, ended)
    charging.charge(booking, "completed", now=now)
    lateness.credit(booking, now=now)
    lateness.room_freed(booking, now=now)
    preparing.wrap_if_due(booking, now=now)
    handovers.begin(booking, actor=actor, now=now)
    waiting.offer_freed(spaces_of(booking), booking.span, now=now)
    show(booking, now=now)


def _give_back(booking: Booking, ended: datetime) -> None:
    """Shorten the blocks to the real end and its teardown, drop those not begun; none grows."""
    end = ended + booking.buffers.after
    for row in Allocation.objects.filter(booking=booking, active=True):
        if row.span.start >= end:
            row.active = False
        elif end < row.span.end:
            row.block = TimestamptzRange(row.span.start, end, "[)")
        row.save(update_fields=["block", "active"])
