"""A place keeps its history while devices come and go."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from base_ops.core import clock
from base_ops.core.actors import SYSTEM
from base_ops.core.models import Role
from base_ops.core.spans import Span
from devices import selectors, services
from devices.domain.lifecycle import Deed
from devices.domain.messages import Tele
from devices.models import Alarm, Device, Mounting, Place, Shadow
from devices.services import placing, swapping
from tests.devices import make
from tests.devices.registry.calls import Caller

pytestmark = pytest.mark.django_db
MIN = timedelta(minutes=1)


def pair(kind: str = "light") -> tuple[Device, Device]:
    """A device on the wall, and a spare of the same model in store."""
    broken, spare = make.device(kind), make.device(kind, status="maintenance", space=None)
    placing.settle([broken.pk])
    return broken, spare


def swap(broken: Device, spare: Device, now: datetime, **changes: Any) -> Mounting:
    given: dict[str, Any] = {
        "place_code": broken.code,
        "spare_code": spare.code,
        "fate": Deed.SERVICE,
    }
    return swapping.swap(**given | {"actor": make.MANAGER, "why": "broke", "now": now} | changes)


def test_the_spare_takes_over_space_role_and_wish(now: datetime) -> None:
    broken, spare = pair()
    space = broken.space
    Shadow.objects.filter(device=broken).update(desired={"power": True})

    swap(broken, spare, now)

    broken.refresh_from_db()
    spare.refresh_from_db()
    assert (spare.space, spare.role, spare.status) == (space, "key", "active")
    assert (broken.space, broken.role, broken.status) == (None, "", "maintenance")
    assert Shadow.objects.get(device=spare).desired == {"power": True}
    assert Shadow.objects.get(device=broken).desired is None
    hung = Mounting.objects.filter(place__code=broken.code).order_by("since")
    assert [(m.device.code, m.until) for m in hung] == [(broken.code, now), (spare.code, None)]


def test_a_scene_tells_the_spare_and_no_more_the_broken_unit(now: datetime) -> None:
    broken, spare = pair()
    assert broken.space is not None
    swap(broken, spare, now)

    run = services.apply_scene(space=broken.space, scene="prepare", actor=SYSTEM, now=now)

    assert [c.device.code for c in run.commands.all()] == [spare.code]


def test_telemetry_and_commands_of_a_place_cross_the_swap() -> None:
    broken, spare = pair()
    now = clock.now()
    services.ingest([Tele(broken.code, make.ms(now - 9 * MIN), {"temp_c": 60.0})], now)
    services.send_command(
        device=Device.objects.get(pk=broken.pk),
        state={"power": True},
        actor=make.MANAGER,
        now=now - 8 * MIN,
    )
    swap(broken, spare, now - 5 * MIN)
    services.ingest([Tele(spare.code, make.ms(now - 2 * MIN), {"temp_c": 30.0})], now)
    services.ingest([Tele(broken.code, make.ms(now - 1 * MIN), {"temp_c": 20.0})], now)
    who = Caller(Role.TECHNICIAN)

    _, seen = who.get(f"/places/{broken.code}/telemetry?metric=temp_c")
    _, told = who.get(f"/places/{broken.code}/commands")
    _, place = who.get(f"/places/{broken.code}")

    assert [(p["value"], p["device"]) for p in seen["points"]] == [
        (60.0, broken.code),
        (30.0, spare.code),
    ]
    assert [c["device"] for c in told["items"]] == [broken.code]
    assert (place["device"], [h["device"] for h in place["history"]]) == (
        spare.code, [spare.code, broken.code],
    )  # fmt: skip


def test_a_unit_that_leaves_has_no_open_alarm_and_can_be_the_next_spare(now: datetime) -> None:
    broken, spare = pair()
    Alarm.objects.create(
        device=broken, space=broken.space, code="device_fault", severity="warning", raised_at=now
    )
    swap(broken, spare, now)
    assert not Alarm.objects.filter(cleared_at=None).exists()

    swap(broken, broken, now + MIN, place_code=broken.code)

    assert Mounting.objects.get(until=None, place__code=broken.code).device.code == broken.code
    assert Device.objects.get(pk=spare.pk).space is None


@pytest.mark.parametrize(
    ("spare", "expected"),
    [
        ({"kind": "camera"}, "spare_unfit"),
        ({"kind": "light", "status": "quarantine", "space": None}, "spare_unfit"),
        ({"kind": "light", "status": "retired"}, "spare_unfit"),
    ],
)
def test_a_spare_must_fit(spare: dict[str, Any], expected: str) -> None:
    broken, _ = pair()
    other = make.device(spare.pop("kind"), **spare)
    body = {"spare": other.code, "why": "broke"}

    status, answer = Caller(Role.TECHNICIAN).post(f"/places/{broken.code}/swap", body)

    assert (status, answer["code"]) == (409, expected)
    assert Device.objects.get(pk=broken.pk).status == "active"


def test_swaps_of_what_is_not_there() -> None:
    broken, spare = pair()
    who = Caller(Role.TECHNICIAN)

    no_place = who.post("/places/NOWHERE/swap", {"spare": spare.code, "why": "x"})
    no_spare = who.post(f"/places/{broken.code}/swap", {"spare": "NOBODY", "why": "x"})
    done = who.post(
        f"/places/{broken.code}/swap", {"spare": spare.code, "fate": "retire", "why": "x"}
    )
    bad_range = who.get(
        f"/places/{broken.code}/telemetry?metric=x"
        "&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z"
    )

    assert (no_place[0], no_place[1]["code"]) == (404, "no_such_place")
    assert (no_spare[0], no_spare[1]["code"]) == (404, "no_such_device")
    assert (done[0], done[1]["device"]) == (200, spare.code)
    assert (bad_range[0], bad_range[1]["code"]) == (422, "bad_range")
    assert Device.objects.get(pk=broken.pk).status == "retired"


def test_the_database_hangs_one_device_at_one_place_at_a_time(now: datetime) -> None:
    one, other = make.device(), make.device()
    placing.settle([one.pk, other.pk])
    place = Place.objects.get(code=one.code)
    free = Place.objects.create(code="FREE", space=place.space, kind="light")

    for place_, device in ((place, other), (free, one)):
        with pytest.raises(IntegrityError), transaction.atomic():
            Mounting.objects.create(place=place_, device=device, since=now)


def test_a_plan_read_again_keeps_the_history(now: datetime) -> None:
    broken, spare = pair()
    swap(broken, spare, now)

    placing.settle([broken.pk, spare.pk])

    assert Mounting.objects.filter(until=None).count() == 1
    assert Mounting.objects.get(until=None).device == spare


def test_the_room_that_lost_a_device_is_told(now: datetime) -> None:
    from base_ops.core import live

    broken, spare = pair()
    assert broken.space is not None
    services.ingest([make.online(broken, now), make.state(broken, now, 1, power=True)], now)
    topic = f"space.{broken.space.code}"
    assert broken.code in live.state(topic)[2]

    swap(broken, spare, now)

    assert set(live.state(topic)[2]) == {spare.code}


def test_energy_of_a_room_counts_both_meters_each_for_its_time(now: datetime) -> None:
    old, new = pair("power_meter")
    space = old.space
    assert space is not None

    def read(meter: Device, minutes: int, wh: float) -> None:
        at = now + minutes * MIN
        services.ingest([Tele(meter.code, make.ms(at), {"energy_wh": wh})], at)

    for minute, wh in ((0, 1000.0), (10, 1100.0), (20, 1200.0)):
        read(old, minute, wh)
    swap(old, new, now + 20 * MIN)
    for minute, wh in ((20, 50.0), (30, 80.0), (40, 110.0)):
        read(new, minute, wh)
    read(old, 35, 9000.0)  # on the bench

    found = selectors.space_energy(space, Span(now, now + 40 * MIN))

    assert (found.wh, set(found.meters)) == (260, {old.code, new.code})
