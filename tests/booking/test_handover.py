"""Rooms are given back: tested at rest, noted, photographed; problems call somebody and stay."""

import io
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from PIL import Image

from base_ops.core import clock
from base_ops.core.models import AuditEntry, Role, User
from base_ops.core.models.notices import Notice
from booking import services
from booking.models import Booking, Handover, HandoverPhoto
from booking.services import handovers, photos
from devices.models import Alarm, Command, Device
from tests import make
from tests.booking import stays, world
from tests.booking.stays import MIN, SEC, TICK
from tests.booking.test_api import API, client, post
from tests.booking.test_checkin_door import open_start

pytestmark = pytest.mark.usefixtures("prices")


def jpeg(colour: str = "red") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (400, 300), colour).save(out, "JPEG")
    return out.getvalue()


def left(booking: Booking, at: datetime) -> Booking:
    """Checked in at the start, gone at that instant."""
    stays.come_in(booking, booking.starts_at)
    return services.check_out(booking=booking, actor=world.actor(booking.tenant), now=at)


def at_rest(booking: Booking, now: datetime) -> None:
    """The encoder, the only device, has stopped; nothing is on its way."""
    world.encoder_says(booking.space, run="stopped", now=now)
    Command.objects.filter(device__space=booking.space).update(status="done", ended_at=now)


def of(booking: Booking) -> Handover:
    return Handover.objects.get(booking=booking)


def codes(row: Handover) -> list[str]:
    return [reason["code"] for device in row.devices for reason in device["reasons"]]


@pytest.fixture
def booking(now: datetime) -> Booking:
    return world.booked(now=now)


def test_a_room_at_rest_is_good_and_calls_nobody(booking: Booking) -> None:
    end = booking.starts_at + 30 * MIN
    left(booking, end)
    at_rest(booking, end + 59 * SEC)

    early = services.test_handovers(now=end + 60 * SEC - TICK)
    tested = [services.test_handovers(now=end + 60 * SEC) for _ in range(2)]

    row = of(booking)
    assert (early, tested) == (0, [1, 0])
    assert (row.verdict, codes(row), row.tested_at) == ("good", [], end + 60 * SEC)
    assert [device["device"] for device in row.devices] == [f"{booking.space.code}-EN01"]
    assert not Alarm.objects.filter(code="handover").exists()


def test_what_is_not_at_rest_is_named_and_calls_a_technician(booking: Booking) -> None:
    light = stays.device(booking.space, "LT-KEY-160", "light", "key")
    end = booking.starts_at + 30 * MIN
    left(booking, end)
    at_rest(booking, end + 50 * SEC)
    stays.says(light, {"power": True}, now=end + 50 * SEC)

    services.test_handovers(now=end + 60 * SEC)

    row = of(booking)
    assert (row.verdict, codes(row)) == ("problems", ["not_at_rest_power"])
    alarm = Alarm.objects.get(code="handover", cleared_at=None)
    assert (alarm.space, alarm.detail["booking"]) == (booking.space, booking.code)


def test_a_device_that_fell_silent_is_a_problem(booking: Booking) -> None:
    end = booking.starts_at + 30 * MIN
    left(booking, end)
    at_rest(booking, end)  # a minute and more ago

    services.test_handovers(now=end + 60 * SEC)

    assert codes(of(booking)) == ["link_stale"]


def test_devices_with_a_command_on_its_way_get_ten_minutes(booking: Booking) -> None:
    light = stays.device(booking.space, "LT-KEY-160", "light", "key")
    stays.says(light, {"power": True}, now=booking.starts_at)
    end = booking.starts_at + 30 * MIN
    left(booking, end)
    waiting = Command.objects.filter(device=light, status="queued")
    assert waiting.exists()

    verdicts = []
    for minutes in (1, 5, 9):
        stays.says(light, {"power": True}, now=end + minutes * MIN)
        verdicts.append(services.test_handovers(now=end + minutes * MIN))
    waiting.update(status="expired", ended_at=end + 10 * MIN)
    stays.says(light, {"power": True}, now=end + 10 * MIN)
    verdicts.append(services.test_handovers(now=end + 10 * MIN))

    assert verdicts == [0, 0, 0, 1]
    assert "not_at_rest_power" in codes(of(booking))


def test_an_alarm_that_is_open_already_is_a_reason_but_no_second_alarm(booking: Booking) -> None:
    end = booking.starts_at + 30 * MIN
    left(booking, end)
    at_rest(booking, end + 50 * SEC)
    encoder = Device.objects.get(code=f"{booking.space.code}-EN01")
    Alarm.objects.create(device=encoder, space=booking.space, code="device_fault", raised_at=end)

    services.test_handovers(now=end + 60 * SEC)

    assert (of(booking).verdict, codes(of(booking))) == ("problems", ["alarm_device_fault"])
    assert not Alarm.objects.filter(code="handover").exists()


def test_a_room_the_next_show_took_over_is_not_judged_by_its_light(booking: Booking) -> None:
    light = stays.device(booking.space, "LT-KEY-160", "light", "key")
    following = world.booked(now=booking.starts_at - 60 * MIN, space=booking.space, start_min=150)
    end = booking.ends_at
    left(booking, end)
    at_rest(booking, end + 50 * SEC)
    stays.says(light, {"power": True}, now=end + 50 * SEC)
    Booking.objects.filter(pk=following.pk).update(prepared_at=end + 30 * SEC)

    services.test_handovers(now=end + 60 * SEC)

    assert (of(booking).verdict, codes(of(booking))) == ("good", [])


def test_a_noted_problem_calls_at_once_and_is_told(booking: Booking) -> None:
    stays.come_in(booking, booking.starts_at)
    actor = world.actor(booking.tenant)

    for notes, problem in (("背景布破损", True), ("已拍照", False)):
        handovers.note(
            booking=booking, notes=notes, problem=problem, actor=actor, now=booking.starts_at
        )

    row = of(booking)
    assert (row.problem, row.notes) == (True, "背景布破损\n已拍照")
    assert Alarm.objects.get(code="handover", cleared_at=None).space == booking.space
    assert Notice.objects.filter(kind="handover.problem").count() == 1


def test_settling_clears_the_alarm_when_it_was_the_last_problem(booking: Booking) -> None:
    other = world.booked(now=booking.starts_at - 60 * MIN, space=booking.space, start_min=150)
    for row in (booking, other):
        stays.come_in(row, row.starts_at)
        handovers.note(
            booking=row, notes="坏了", problem=True, actor=world.STAFF, now=row.starts_at
        )
        services.check_out(booking=row, actor=world.actor(row.tenant), now=row.ends_at)
    now = other.ends_at

    handovers.settle(booking=booking, note="已更换", actor=world.STAFF, now=now)
    still = Alarm.objects.filter(code="handover", cleared_at=None).exists()
    handovers.settle(booking=other, note="已更换", actor=world.STAFF, now=now)

    assert still
    assert not Alarm.objects.filter(code="handover", cleared_at=None).exists()
    assert (of(booking).settled_by, of(booking).settled_note) == (world.STAFF.label, "已更换")
    with pytest.raises(handovers.NothingToSettle):
        handovers.settle(booking=booking, note="x", actor=world.STAFF, now=now)


def test_a_handover_is_open_from_check_in_to_a_day_after_the_end(booking: Booking) -> None:
    actor = world.actor(booking.tenant)

    def note(at: datetime) -> Handover:
        return handovers.note(booking=booking, notes="x", problem=False, actor=actor, now=at)

    with pytest.raises(handovers.HandoverClosed):
        note(booking.starts_at)
    left(booking, booking.ends_at)
    booking.refresh_from_db()
    note(booking.ends_at + timedelta(hours=24))
    with pytest.raises(handovers.HandoverClosed):
        note(booking.ends_at + timedelta(hours=24) + TICK)


def test_photos_are_numbered_once_per_picture_and_eight_at_most(booking: Booking) -> None:
    stays.come_in(booking, booking.starts_at)
    actor, at = world.actor(booking.tenant), booking.starts_at

    def add(data: bytes) -> int:
        return handovers.add_photo(booking=booking, data=data, actor=actor, now=at).number

    colours = ["red", "green", "blue", "white", "black", "gray", "pink", "cyan"]
    numbers = [add(jpeg(colour)) for colour in colours]

    assert numbers == [1, 2, 3, 4, 5, 6, 7, 8]
    assert add(jpeg("green")) == 2
    with pytest.raises(handovers.TooManyPhotos):
        add(jpeg("yellow"))
    assert HandoverPhoto.objects.filter(handover=of(booking)).count() == 8
    trail = AuditEntry.objects.filter(action="handover.photo", object_code=booking.code)
    assert trail.count() == 8


def test_what_is_no_photo_leaves_nothing_behind(booking: Booking) -> None:
    stays.come_in(booking, booking.starts_at)

    with pytest.raises(photos.NotAPhoto):
        handovers.add_photo(
            booking=booking, data=b"<svg/>", actor=world.STAFF, now=booking.starts_at
        )

    assert not Handover.objects.exists()


@pytest.fixture
def member(db: None) -> User:
    return make.user(Role.TENANT_MEMBER)


def inside(member: User) -> Booking:
    """A booking of theirs that is checked in now."""
    now = clock.now()
    found = world.booked(now=open_start(now) - 60 * MIN, tenant=member.tenant)
    return services.check_in(booking=found, actor=world.STAFF, now=now)


def upload(caller: Client, code: str, data: bytes, kind: str = "image/jpeg", key: str = "") -> Any:
    return caller.post(
        f"{API}/bookings/{code}/handover/photos", data, content_type=kind,
        headers={"Idempotency-Key": key or f"photo-key-{abs(hash(data)):x}"},
    )  # fmt: skip


def test_photos_by_api_are_for_their_tenant_and_the_base(member: User) -> None:
    booking, caller = inside(member), client(member)
    stranger, finance = client(make.user(Role.TENANT_MEMBER)), client(make.user(Role.FINANCE))
    path = f"{API}/bookings/{booking.code}/handover"

    made = upload(caller, booking.code, jpeg())
    seen = caller.get(f"{path}/photos/1")
    small = caller.get(f"{path}/photos/1/thumbnail")

    assert (made.status_code, made.json()["number"]) == (201, 1)
    assert seen["Content-Type"] == small["Content-Type"] == "image/jpeg"
    assert seen["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in seen["Content-Security-Policy"]
    assert seen["Cache-Control"].startswith("private")
    assert Image.open(io.BytesIO(seen.content)).size == (400, 300)
    assert Image.open(io.BytesIO(small.content)).size == (320, 240)
    assert finance.get(f"{path}/photos/1").status_code == 200
    assert stranger.get(f"{path}/photos/1").status_code == 404
    assert stranger.get(path).status_code == 404
    assert upload(stranger, booking.code, jpeg("blue")).status_code == 404
    assert upload(finance, booking.code, jpeg("blue")).status_code == 403
    assert caller.get(f"{path}/photos/2").json()["code"] == "handover_not_found"
    assert caller.get(path).json()["photos"][0]["width"] == 400


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"\x00" * (photos.MAX_BYTES + 1), 413, "photo_too_large"),
        (b"GIF89a", 415, "not_a_photo"),
        (jpeg()[:400], 422, "broken_photo"),
        (b"", 415, "not_a_photo"),
    ],
)
def test_uploads_are_refused_by_name(member: User, data: bytes, status: int, code: str) -> None:
    answer = upload(client(member), inside(member).code, data)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["title_zh"]
    assert answer.json()["title_en"]


def test_notes_and_settling_by_api(member: User) -> None:
    booking, caller = inside(member), client(member)
    path = f"/bookings/{booking.code}/handover"

    noted = post(caller, path, {"notes": "灯坏", "problem": True})
    refused = post(caller, f"{path}/settle", {"note": "x"})
    settled = post(client(make.user(Role.TECHNICIAN)), f"{path}/settle", {"note": "换灯"})
    again = post(client(make.user(Role.TECHNICIAN)), f"{path}/settle", {"note": "换灯"})

    assert (noted.status_code, noted.json()["problem"]) == (200, True)
    assert refused.status_code == 403
    assert settled.json()["settled_note"] == "换灯"
    assert (again.status_code, again.json()["code"]) == (409, "nothing_to_settle")
