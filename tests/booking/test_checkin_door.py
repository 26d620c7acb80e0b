"""The code at the door changes, expires and means one door; the server knows which booking."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from base_ops.core import clock
from base_ops.core.models import Role, Space, Tenant, User
from booking import services
from booking.models import Booking, WrongPin
from booking.services import doors
from booking.services.staying import (
    NoBookingHere,
    NotYourBooking,
    TooEarly,
    TooLate,
)
from tests import make
from tests.booking import stays, world
from tests.booking.stays import MIN, SEC, TICK
from tests.booking.test_api import API, client, post

pytestmark = pytest.mark.usefixtures("prices")


def scan(space: Space, tenant: Tenant, at: datetime) -> Booking:
    """Somebody of the tenant scans what the door shows at that instant."""
    code = doors.door_code(space=space, now=at)
    return services.come_in_by_door(
        tenant=tenant, token=str(code["token"]), actor=world.actor(tenant), now=at
    )


def test_the_code_changes_every_half_minute_and_is_the_same_within_one(now: datetime) -> None:
    space = world.studio()

    codes = [doors.door_code(space=space, now=now + n * SEC)["token"] for n in (0, 29.999, 30, 59)]

    assert codes[0] == codes[1] != codes[2] == codes[3]


@pytest.mark.parametrize(
    ("age_s", "counts"),
    [(-30.001, False), (-30, True), (0, True), (89.999, True), (90, False)],
)
def test_a_code_counts_for_ninety_seconds_and_a_little_ahead(
    now: datetime, age_s: float, counts: bool
) -> None:
    space = world.studio()
    token = str(doors.door_code(space=space, now=now)["token"])  # now begins a half minute

    if counts:
        assert doors.space_of_code(token, now=now + timedelta(seconds=age_s)) == space
    else:
        with pytest.raises(doors.DoorCodeExpired):
            doors.space_of_code(token, now=now + timedelta(seconds=age_s))


def test_a_forged_or_foreign_code_is_none(now: datetime) -> None:
    space = world.studio()
    token = str(doors.door_code(space=space, now=now)["token"])
    own = services.code_for_door(booking=world.booked(now=now, space=space), now=now)
    body, _, signature = token.rpartition(":")

    for bad in ("", "x", body, f"{body}:{signature[::-1]}", f"A{token}", str(own["token"])):
        with pytest.raises(doors.DoorCodeInvalid):
            doors.space_of_code(bad, now=now)


def test_the_address_can_be_reached(now: datetime, client: Client, tmp_path: Any) -> None:
    url = str(doors.door_code(space=world.studio(), now=now)["url"])

    assert url.startswith("/c/")
    assert "." not in url  # what has a dot is a file to the web server


def test_scanning_checks_in_ones_own_booking_of_this_door(now: datetime) -> None:
    booking = world.booked(now=now)
    elsewhere = world.booked(now=now, tenant=booking.tenant)

    row = scan(booking.space, booking.tenant, booking.starts_at)
    again = scan(booking.space, booking.tenant, booking.starts_at + MIN)

    elsewhere.refresh_from_db()
    assert (row.pk, row.status, again.pk) == (booking.pk, "checked_in", booking.pk)
    assert elsewhere.status == "confirmed"


@pytest.mark.parametrize(
    ("offset", "refusal"),
    [
        (-15 * MIN - TICK, TooEarly),
        (-15 * MIN, None),
        (20 * MIN, None),
        (20 * MIN + TICK, TooLate),
        (60 * MIN - TICK, TooLate),
        (60 * MIN, NoBookingHere),
    ],
)
def test_the_door_opens_and_closes_to_the_instant(
    now: datetime, offset: timedelta, refusal: Any
) -> None:
    booking = world.booked(now=now)
    at = booking.starts_at + offset

    if refusal is None:
        assert scan(booking.space, booking.tenant, at).pk == booking.pk
        return
    with pytest.raises(refusal):
        scan(booking.space, booking.tenant, at)


def test_of_two_bookings_the_one_whose_time_it_is(now: datetime) -> None:
    first = world.booked(now=now)
    second = world.booked(now=now, space=first.space, tenant=first.tenant, start_min=150)

    late = scan(first.space, first.tenant, second.starts_at - 15 * MIN)

    assert late.pk == second.pk


def test_a_released_booking_is_too_late_and_others_are_not_ones_own(now: datetime) -> None:
    booking, stranger = world.booked(now=now), make.tenant()
    services.release_no_shows(now=booking.starts_at + 20 * MIN)

    with pytest.raises(TooLate):
        scan(booking.space, booking.tenant, booking.starts_at + 21 * MIN)
    with pytest.raises(NoBookingHere):
        scan(booking.space, stranger, booking.starts_at + 21 * MIN)


def test_while_another_tenant_has_the_room_it_is_not_ones_own(now: datetime) -> None:
    booking, stranger = world.booked(now=now), make.tenant()

    with pytest.raises(NoBookingHere):
        scan(booking.space, stranger, booking.starts_at - SEC)
    with pytest.raises(NotYourBooking):
        scan(booking.space, stranger, booking.starts_at)


def test_a_display_reads_its_own_door_until_it_is_revoked() -> None:
    manager, space, other = client(make.user(Role.MANAGER)), world.studio(), world.studio()
    made = post(manager, f"/spaces/{space.code}/door-displays", {"name": "入口"}).json()
    display = Client(headers={"Authorization": f"Bearer {made['token']}"})

    own = display.get(f"{API}/spaces/{space.code}/door")
    foreign = display.get(f"{API}/spaces/{other.code}/door")
    elsewhere = display.get(f"{API}/bookings")
    listed = manager.get(f"{API}/spaces/{space.code}/door-displays").json()["items"]
    revoked = post(manager, f"/spaces/{space.code}/door-displays/{made['id']}/revoke")
    after = display.get(f"{API}/spaces/{space.code}/door")

    assert own.status_code == 200
    assert own.json()["url"] == f"/c/{own.json()['token']}"
    assert (foreign.status_code, elsewhere.status_code) == (403, 401)
    assert "token" not in listed[0]
    assert listed[0]["last_used_at"] is not None
    assert revoked.json()["revoked_at"] is not None
    assert after.status_code == 401


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (Role.MANAGER, 200),
        (Role.TECHNICIAN, 200),
        (Role.ADMIN, 200),
        (Role.FINANCE, 403),
        (Role.LIAISON, 403),
        (Role.TENANT_ADMIN, 403),
    ],
)
def test_who_may_see_the_code_of_a_door(role: Role, status: int) -> None:
    space = world.studio()

    assert client(make.user(role)).get(f"{API}/spaces/{space.code}/door").status_code == status


def test_no_door_has_more_than_ten_displays(now: datetime) -> None:
    space = world.studio()
    rows = [
        doors.add_display(space=space, name=f"{n}", actor=world.STAFF, now=now)[1]
        for n in range(10)
    ]

    with pytest.raises(doors.TooManyDisplays):
        doors.add_display(space=space, name="x", actor=world.STAFF, now=now)
    doors.revoke_display(display=rows[0], actor=world.STAFF, now=now)
    doors.add_display(space=space, name="x", actor=world.STAFF, now=now)


@pytest.fixture
def member(db: None) -> User:
    return make.user(Role.TENANT_MEMBER)


def test_scanning_by_api(member: User) -> None:
    assert member.tenant is not None
    now = clock.now()
    start = open_start(now)
    booking = world.booked(now=start - 60 * MIN, tenant=member.tenant)
    token = doors.door_code(space=booking.space, now=now)["token"]

    staff = post(client(make.user(Role.MANAGER)), "/check-in", {"token": token})
    bad = post(client(member), "/check-in", {"token": "nonsense"})
    done = post(client(member), "/check-in", {"token": f"https://base.example/c/{token}"})

    assert (staff.status_code, staff.json()["code"]) == (403, "forbidden")
    assert (bad.status_code, bad.json()["code"]) == (403, "door_code_invalid")
    assert (done.status_code, done.json()["status"]) == (200, "checked_in")


def open_start(now: datetime) -> datetime:
    """A start on the grid at which check-in is open now: its setup or grace covers the present."""
    from booking.domain.rules import ceil_to_grid, floor_to_grid

    floor = floor_to_grid(now, 30)
    return floor if now - floor < 15 * MIN else ceil_to_grid(now, 30)


@pytest.mark.django_db(transaction=True)
def test_wrong_pins_by_api_stay_on_record_though_refused(member: User) -> None:
    assert member.tenant is not None
    booking = world.booked(now=open_start(clock.now()) - 60 * MIN, tenant=member.tenant)
    caller, path = client(member), f"/bookings/{booking.code}/check-in"

    answers = [post(caller, path, {"pin": stays.wrong(booking)}) for _ in range(6)]

    assert [a.status_code for a in answers] == [403] * 5 + [429]
    assert answers[-1].json()["code"] == "pin_locked"
    assert WrongPin.objects.filter(booking=booking).count() == 5
