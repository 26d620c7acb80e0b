"""A flood of strangers fills nothing: so many at a time, so many an hour."""

from datetime import datetime, timedelta

import pytest

from base_ops.core import clock
from base_ops.core.models import AuditEntry, Role
from devices import services
from devices.domain import admission
from devices.domain.admission import Caps, Crowd
from devices.domain.messages import Meta, State, Status, Tele
from devices.models import Device, RegistrySettings, Shadow, Telemetry
from devices.services import quarantine
from tests.devices import make
from tests.devices.registry.calls import Caller, stranger

pytestmark = pytest.mark.django_db


def limit(waiting: int, per_hour: int) -> None:
    RegistrySettings.objects.create(max_waiting=waiting, max_newcomers_per_hour=per_hour)


def metas(first: int, count: int) -> list[Meta]:
    return [Meta(f"N{n:05d}", "light", "X") for n in range(first, first + count)]


def waiting() -> int:
    return Device.objects.filter(status="quarantine").count()


@pytest.mark.parametrize(
    ("wanting", "crowd", "caps", "expected"),
    [
        (3, Crowd(0, 0), Caps(10, 10), (3, "")),
        (3, Crowd(8, 0), Caps(10, 10), (2, "quarantine_full")),
        (3, Crowd(0, 9), Caps(10, 10), (1, "too_many_newcomers")),
        (3, Crowd(12, 0), Caps(10, 10), (0, "quarantine_full")),
        (0, Crowd(12, 12), Caps(10, 10), (0, "")),
    ],
)
def test_how_many_come_in(
    wanting: int, crowd: Crowd, caps: Caps, expected: tuple[int, str]
) -> None:
    verdict = admission.judge(wanting, crowd, caps)

    assert (verdict.admitted, verdict.reason) == expected


def test_a_flood_stops_at_the_cap_and_known_devices_are_heard_all_the_while(
    now: datetime,
) -> None:
    limit(waiting=20, per_hour=1000)
    light = make.device()

    first = services.ingest(metas(0, 15), now)
    second = services.ingest([*metas(15, 500), make.state(light, now, 1, power=True)], now)
    shut = services.ingest(metas(600, 500), now)

    assert (first.quarantined, second.quarantined, shut.quarantined) == (15, 5, 0)
    assert waiting() == 20
    assert Shadow.objects.get(device=light).reported == {"power": True}


def test_the_pace_of_newcomers_is_limited_by_the_hour(now: datetime) -> None:
    limit(waiting=1000, per_hour=10)

    came = [
        services.ingest(metas(100 * n, 8), now + timedelta(minutes=20 * n)).quarantined
        for n in range(5)
    ]

    # 8, then 2 up to ten within the hour; the first eight are an hour old at the fourth look.
    assert came == [8, 2, 0, 8, 2]


def test_a_shut_door_opens_again_when_people_make_room(now: datetime) -> None:
    limit(waiting=5, per_hour=1000)
    services.ingest(metas(0, 9), now)
    manager = Caller(Role.MANAGER)

    status, answer = manager.post(
        "/device-quarantine/dismiss",
        {"devices": ["N00000", "N00001", "NOBODY"], "why": "a test bench"},
    )
    later = services.ingest(metas(50, 9), now)

    assert (status, answer) == (200, {"dismissed": 2})
    assert later.quarantined == 2
    row = AuditEntry.objects.get(action="quarantine.dismiss")
    assert row.after == {"devices": ["N00000", "N00001"], "why": "a test bench"}


def test_a_stranger_leaves_no_telemetry_and_no_long_story(now: datetime) -> None:
    long = Meta("N1", "light", "X", ranges={"x": "y" * 60_000})
    services.ingest([long], now)
    at = make.ms(now)

    services.ingest(
        [
            Status("N1", True, "s1", at),
            State("N1", 1, "s1", at, {"power": True}),
            Tele("N1", at, {"kbps": 1.0}),
            long,
        ],
        now,
    )

    row = Device.objects.get(code="N1")
    assert row.meta["ranges"] == {}
    assert Telemetry.objects.count() == 0
    assert Shadow.objects.get(device=row).reported == {"power": True}


def test_a_retired_device_is_not_listened_to(now: datetime) -> None:
    old = make.device(status="retired")

    result = services.ingest([Meta(old.code, "light", "X"), make.online(old, now)], now)

    assert (result.accepted, result.unknown, result.quarantined) == (0, 0, 0)
    assert Shadow.objects.get(device=old).link == "unknown"


def test_a_silent_stranger_is_forgotten_and_a_talking_one_is_not(now: datetime) -> None:
    stranger("QUIET", now)
    stranger("TALKS", now)
    late = now + timedelta(days=15)
    services.ingest([Meta("TALKS", "light", "X")], late - timedelta(days=1))

    assert quarantine.forget_silent(late) == 1
    assert list(Device.objects.values_list("code", flat=True)) == ["TALKS"]


def test_the_queue_lists_strangers_and_what_they_say() -> None:
    stranger("QUEUE1", clock.now())

    _, page = Caller(Role.TECHNICIAN).get("/device-inventory?status=quarantine")

    (row,) = page["items"]
    assert (row["code"], row["said"]["serial"], row["possible"]) == (
        "QUEUE1", "SN1", ["adopt", "reject"],
    )  # fmt: skip
