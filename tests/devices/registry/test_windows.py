"""Maintenance windows take devices out of service and give them back."""

from datetime import datetime, timedelta

import pytest

from base_ops.core import clock
from base_ops.core.actors import SYSTEM
from base_ops.core.models import Role
from devices.domain.lifecycle import Deed
from devices.domain.shadow import Link
from devices.models import Device, MaintenanceWindow, StreamSession
from devices.selectors import registry as reads
from devices.services import living, windows
from devices.services.windows import WindowWish
from tests.devices import make
from tests.devices.registry.calls import Caller

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def window(now: datetime, *devices: Device, hours: int = 1) -> MaintenanceWindow:
    wish = WindowWish(now, now + hours * HOUR, "filters", devices=devices)
    return windows.open_window(wish=wish, actor=make.MANAGER, now=now)


def status(device: Device) -> str:
    return Device.objects.get(pk=device.pk).status


def test_a_window_of_a_space_takes_all_its_devices_and_gives_them_back(now: datetime) -> None:
    light = make.device()
    camera = make.device("camera", space=light.space)
    idle = make.device(space=light.space, status="maintenance")
    wish = WindowWish(now + HOUR, now + 2 * HOUR, "paint", space=light.space)
    windows.open_window(wish=wish, actor=make.MANAGER, now=now)

    def states(at: datetime) -> list[str]:
        windows.keep_windows(at)
        return [status(d) for d in (light, camera, idle)]

    assert states(now) == ["active", "active", "maintenance"]
    assert states(now + HOUR) == ["maintenance"] * 3
    assert states(now + 2 * HOUR - SECOND) == ["maintenance"] * 3
    assert states(now + 2 * HOUR) == ["active", "active", "maintenance"]
    event = Device.objects.get(pk=light.pk).life.first()
    assert event is not None
    assert (event.deed, event.actor_kind, event.why) == ("return", "system", "paint")


def test_what_people_decided_meanwhile_stands(now: datetime) -> None:
    light, other = make.device(), make.device()
    window(now, light, other)
    windows.keep_windows(now)
    for deed in (Deed.RETURN, Deed.SERVICE):
        living.change_stage(
            code=light.code, deed=deed, actor=make.MANAGER, why="x", check=lambda _: None,
            now=now + 10 * SECOND,
        )  # fmt: skip

    windows.keep_windows(now + HOUR)

    assert (status(light), status(other)) == ("maintenance", "active")


def test_a_window_within_another_leaves_the_device_to_it(now: datetime) -> None:
    light = make.device()
    window(now, light)
    window(now, light, hours=3)
    windows.keep_windows(now)

    windows.keep_windows(now + HOUR)
    between = status(light)
    windows.keep_windows(now + 3 * HOUR)

    assert (between, status(light)) == ("maintenance", "active")


def test_a_window_waits_for_the_end_of_a_show(now: datetime) -> None:
    light = make.device(link=Link.ONLINE, seen_at=now)
    assert light.space is not None
    encoder = make.device("encoder", space=light.space)
    show = StreamSession.objects.create(device=encoder, space=light.space, started_at=now)
    window(now, light)

    windows.keep_windows(now)
    during = status(light)
    show.ended_at = now + 60 * SECOND
    show.save()
    windows.keep_windows(now + 61 * SECOND)

    assert (during, status(light)) == ("active", "maintenance")


def test_a_cancelled_window_gives_back_at_once(now: datetime) -> None:
    light = make.device()
    row = window(now, light)
    windows.keep_windows(now)

    windows.cancel_window(window_id=row.pk, actor=SYSTEM, now=now + SECOND)
    windows.keep_windows(now + 2 * SECOND)

    assert status(light) == "active"
    assert windows.keep_windows(now + 3 * SECOND) == 0


def test_who_is_in_a_window_now(now: datetime) -> None:
    light = make.device()
    camera = make.device("camera")
    assert camera.space is not None
    window(now, light)
    wish = WindowWish(now, now + HOUR, "x", space=camera.space)
    windows.open_window(wish=wish, actor=SYSTEM, now=now)

    assert reads.in_window(now) == ({camera.space.pk}, {light.pk})
    assert reads.in_window(now + HOUR) == (set(), set())


def test_windows_over_http() -> None:
    light = make.device()
    assert light.space is not None
    who = Caller(Role.TECHNICIAN)
    now = clock.now()

    def body(start: timedelta, length: timedelta, **more: object) -> dict[str, object]:
        begins = now + start
        times = {"starts_at": begins.isoformat(), "ends_at": (begins + length).isoformat()}
        return times | {"why": "filters"} | more

    made = who.post("/maintenance-windows", body(HOUR, HOUR, devices=[light.code]))
    path = f"/maintenance-windows/{made[1]['id']}"
    assert (made[0], made[1]["status"], made[1]["devices"]) == (201, "planned", [light.code])
    both = body(HOUR, HOUR, devices=[light.code], space=light.space.code)
    refused = {
        "neither": who.post("/maintenance-windows", body(HOUR, HOUR)),
        "both": who.post("/maintenance-windows", both),
        "long": who.post("/maintenance-windows", body(HOUR, 800 * HOUR, devices=[light.code])),
        "past": who.post("/maintenance-windows", body(-3 * HOUR, HOUR, devices=[light.code])),
        "unknown": who.post("/maintenance-windows", body(HOUR, HOUR, devices=["NOBODY"])),
        "no space": who.post("/maintenance-windows", body(HOUR, HOUR, space="NONE")),
    }
    assert {name: (status, answer["code"]) for name, (status, answer) in refused.items()} == {
        "neither": (422, "bad_window"),
        "both": (422, "bad_window"),
        "long": (422, "bad_window"),
        "past": (422, "bad_window"),
        "unknown": (422, "unknown_devices"),
        "no space": (422, "unknown_space"),
    }

    who.get(path)
    edit = body(2 * HOUR, HOUR)
    assert who.edit(path, edit, etag=None, verb="patch")[0] == 428
    assert who.edit(path, edit, etag=who.etag, verb="patch")[0] == 200
    assert who.edit(path, edit, etag='"1"', verb="patch")[0] == 412
    assert [w["id"] for w in who.get(f"/maintenance-windows?device={light.code}")[1]["items"]]
    assert who.get("/maintenance-windows?space=NONE")[1]["items"] == []
    assert who.post(f"{path}/cancel")[1]["status"] == "cancelled"
    again = who.post(f"{path}/cancel")
    assert (again[0], again[1]["code"]) == (409, "window_over")
    assert who.get("/maintenance-windows/99999999")[1]["code"] == "no_such_window"
