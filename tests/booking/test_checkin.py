"""PINs are few tries, presence and on air count, the grace period ends exactly."""

import threading
from datetime import datetime

import pytest
from django.db import connection

from base_ops.core.errors import Forbidden
from booking import services
from booking.models import Booking, WrongPin
from booking.services.doors import PinLocked
from booking.services.staying import TooEarly, TooLate, WrongCode
from tests.booking import lets, stays, world
from tests.booking.stays import MIN, SEC, TICK, come_in, wrong

pytestmark = pytest.mark.usefixtures("prices")


def guess(booking: Booking, pin: str, at: datetime) -> str:
    """What became of it."""
    try:
        return services.check_in(
            booking=booking, actor=world.actor(booking.tenant), pin=pin, now=at
        ).status
    except (WrongCode, PinLocked) as refusal:
        return refusal.code


def test_five_wrong_pins_lock_the_right_one_too_for_ten_minutes(now: datetime) -> None:
    booking = world.booked(now=now)
    at = booking.starts_at

    guesses = [guess(booking, wrong(booking), at + n * SEC) for n in range(5)]
    locked = [
        guess(booking, booking.pin, at + 5 * SEC),
        guess(booking, booking.pin, at + 10 * MIN - TICK),
    ]
    opened = guess(booking, booking.pin, at + 10 * MIN)

    assert guesses == ["wrong_check_in_code"] * 5
    assert locked == ["pin_locked"] * 2
    assert opened == "checked_in"


def test_the_lock_says_until_when_and_the_qr_code_still_opens(now: datetime) -> None:
    booking = world.booked(now=now)
    at, actor = booking.starts_at, world.actor(booking.tenant)
    for n in range(5):
        guess(booking, wrong(booking), at + n * SEC)

    with pytest.raises(PinLocked) as refusal:
        services.check_in(booking=booking, actor=actor, pin=booking.pin, now=at + 6 * SEC)
    code = services.code_for_door(booking=booking, now=at)
    row = services.check_in(booking=booking, actor=actor, token=str(code["token"]), now=at + MIN)

    assert refusal.value.context["locked_until"] == (at + 10 * MIN).isoformat()
    assert row.status == "checked_in"


def test_one_bookings_wrong_pins_lock_no_other(now: datetime) -> None:
    one, two = world.booked(now=now), world.booked(now=now)
    for n in range(5):
        guess(one, wrong(one), one.starts_at + n * SEC)

    assert guess(two, two.pin, two.starts_at + 5 * SEC) == "checked_in"


def test_a_pin_of_other_characters_is_wrong_and_not_an_error(now: datetime) -> None:
    booking = world.booked(now=now)

    assert guess(booking, "一二三", booking.starts_at) == "wrong_check_in_code"


@pytest.mark.django_db(transaction=True)
def test_guesses_at_once_are_counted_one_by_one(now: datetime) -> None:
    booking = world.booked(now=now)
    results: list[str] = []

    def work() -> None:
        try:
            results.append(guess(booking, wrong(booking), booking.starts_at))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(results) == ["pin_locked"] * 7 + ["wrong_check_in_code"] * 5
    assert WrongPin.objects.filter(booking=booking).count() == 5


def test_only_who_works_at_the_door_lets_in_without_a_code(now: datetime) -> None:
    booking = world.booked(now=now)

    with pytest.raises(Forbidden):
        services.check_in(booking=booking, actor=lets.FINANCE, now=booking.starts_at)
    row = services.check_in(booking=booking, actor=world.STAFF, now=booking.starts_at)

    assert row.status == "checked_in"


def test_check_in_opens_with_the_setup_frozen_at_booking(now: datetime) -> None:
    booking = world.booked(now=now)
    booking.space.type.setup_min = 60
    booking.space.type.save()

    with pytest.raises(TooEarly) as refusal:
        come_in(booking, booking.starts_at - 15 * MIN - TICK)
    assert refusal.value.context["booking"] == booking.code
    assert come_in(booking, booking.starts_at - 15 * MIN).status == "checked_in"


def test_the_grace_period_ends_after_twenty_minutes_sharp(now: datetime) -> None:
    one, two = world.booked(now=now), world.booked(now=now)

    with pytest.raises(TooLate):
        come_in(one, one.starts_at + 20 * MIN + TICK)

    assert come_in(two, two.starts_at + 20 * MIN).status == "checked_in"


def test_somebody_seen_in_the_room_is_a_check_in(now: datetime) -> None:
    booking = world.booked(now=now)
    sensor = stays.device(booking.space, "SEN-PIR", "sensor", "presence")
    due = booking.starts_at + 20 * MIN
    stays.says(sensor, {"presence": True, "count": 2}, now=due - 10 * SEC)

    released = services.release_no_shows(now=due)

    booking.refresh_from_db()
    assert (released, booking.status, booking.checked_in_at) == (1, "checked_in", due)


@pytest.mark.parametrize(
    ("presence", "seen_min", "status"),
    [(False, 19.9, "no_show"), (True, 15, "no_show"), (True, 19.9, "checked_in")],
)
def test_a_sensor_that_sees_nobody_or_fell_silent_proves_nothing(
    now: datetime, presence: bool, seen_min: float, status: str
) -> None:
    booking = world.booked(now=now)
    sensor = stays.device(booking.space, "SEN-PIR", "sensor", "presence")
    stays.says(sensor, {"presence": presence}, now=booking.starts_at + seen_min * MIN)

    services.release_no_shows(now=booking.starts_at + 20 * MIN)

    booking.refresh_from_db()
    assert booking.status == status


def test_who_was_there_before_the_start_proves_nothing(now: datetime) -> None:
    booking = world.booked(now=now)
    sensor = stays.device(booking.space, "SEN-PIR", "sensor", "presence")
    stays.says(sensor, {"presence": True}, now=booking.starts_at - SEC)

    services.release_no_shows(now=booking.starts_at + 20 * MIN)

    booking.refresh_from_db()
    assert booking.status == "no_show"


def test_of_a_shared_room_presence_proves_nothing(now: datetime) -> None:
    booking = world.booked(now=now, space=world.studio(unit_count=2))
    sensor = stays.device(booking.space, "SEN-PIR", "sensor", "presence")
    due = booking.starts_at + 20 * MIN
    stays.says(sensor, {"presence": True}, now=due - SEC)

    services.release_no_shows(now=due)

    booking.refresh_from_db()
    assert booking.status == "no_show"


def test_with_somebody_inside_it_is_not_too_late_before_the_end(now: datetime) -> None:
    booking = world.booked(now=now)
    sensor = stays.device(booking.space, "SEN-PIR", "sensor", "presence")
    at = booking.starts_at + 40 * MIN
    stays.says(sensor, {"presence": True}, now=at - SEC)

    assert come_in(booking, at).status == "checked_in"
