"""A scene is looked at before, goes in turn, tells of each device, and can be undone."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base_ops.core import clock
from base_ops.core.actors import SYSTEM
from base_ops.core.models import Role, Space
from devices import services
from devices.domain import load
from devices.domain.load import Load
from devices.domain.messages import Ack
from devices.models import Command, Device, DeviceModel
from devices.services import restoring
from devices.services.planning import TooMuchLoad
from tests import make as base
from tests.devices import make
from tests.devices.test_api import Caller, holder_of
from tests.devices.test_control import put_on_air

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


def lamps(count: int, watts: int, *, circuit_kw: int) -> tuple[Space, list[Device]]:
    """Dark, and known to be."""
    space = base.space(circuit_capacity_kw=circuit_kw)
    found = [make.device(space=space, model=f"LT-{watts}") for _ in range(count)]
    DeviceModel.objects.filter(code=f"LT-{watts}").update(planning_power_w=watts)
    now = clock.now()
    for lamp in found:
        services.ingest([make.online(lamp, now), make.state(lamp, now, 1, power=False)], now)
    return space, found


@given(st.lists(st.sampled_from([0.0, 160.0, 700.0, 1600.0]), max_size=30))
def test_supplies_start_in_groups_that_the_mains_can_bear(watts: list[float]) -> None:
    waits = load.starts(watts)

    groups: dict[timedelta, list[float]] = {}
    for wait, one in zip(waits, watts, strict=True):
        groups.setdefault(wait, []).append(one)
    assert waits == sorted(waits)
    for group in groups.values():
        started = [one for one in group if one]
        assert sum(started) <= load.AT_ONCE_W or len(started) == 1


def test_a_lamp_draws_by_its_level_and_a_dark_one_next_to_nothing() -> None:
    def drawn(**state: object) -> float:
        return load.draw_w(Load("L", "light", 100.0, state))

    assert drawn(power=False, brightness=80) == pytest.approx(2)
    assert drawn(power=True, brightness=0) == pytest.approx(5)
    assert drawn(power=True, brightness=100) == pytest.approx(100)
    assert drawn(power=True) == 100


@pytest.mark.django_db
def test_a_scene_never_loads_a_circuit_above_four_fifths_and_the_dark_is_never_refused(
    now: datetime,
) -> None:
    space, found = lamps(10, 1000, circuit_kw=10)  # 81 % at the level of a key light

    with pytest.raises(TooMuchLoad):
        services.apply_scene(space=space, scene="prepare", actor=SYSTEM, now=now)

    assert not Command.objects.exists()
    services.apply_scene(space=space, scene="wrap", actor=SYSTEM, now=now)
    Device.objects.filter(pk=found[0].pk).update(status="maintenance")
    run = services.apply_scene(space=space, scene="prepare", actor=SYSTEM, now=now)
    assert run.commands.count() == 9


@pytest.mark.django_db
def test_lamps_are_sent_in_turn(now: datetime) -> None:
    space, _ = lamps(6, 700, circuit_kw=20)
    services.apply_scene(space=space, scene="prepare", actor=SYSTEM, now=now)

    sent = [len(services.claim_commands(100, now + n * load.APART / 2)) for n in range(6)]

    assert sent == [2, 0, 2, 0, 2, 0]


@pytest.mark.django_db
def test_the_preflight_says_what_would_change_and_why_not_and_queues_nothing() -> None:
    now = clock.now()
    space, (lamp, *_) = lamps(2, 700, circuit_kw=20)
    encoder = make.device("encoder", space=space)
    manager = Caller(base.user(Role.MANAGER))
    path = f"/spaces/{space.code}/scene/preflight?scene="

    _, free = manager.get(path + "prepare")
    put_on_air(encoder, now)
    _, busy = manager.get(path + "wrap")
    stranger, _ = Caller(base.user(Role.TENANT_ADMIN)).get(path + "wrap")
    finance, _ = Caller(base.user(Role.FINANCE)).get(path + "wrap")

    step = next(s for s in free["steps"] if s["device"] == lamp.code)
    assert (free["ok"], step["before"]) == (True, {"power": False})
    assert step["state"]["power"] is True
    assert free["load_w"] < free["load_after_w"] < free["circuit_w"] == 20_000
    assert (busy["ok"], [r["code"] for r in busy["refusals"]]) == (False, ["on_air_interlock"])
    assert (stranger, finance) == (404, 403)
    assert not Command.objects.exists()


@pytest.mark.django_db
def test_a_run_says_what_became_of_each_device_and_is_rolled_back_to_what_was() -> None:
    now = clock.now()
    space, (one, two) = lamps(2, 100, circuit_kw=20)
    who = holder_of(space, now)
    _, run = who.post(f"/spaces/{space.code}/scene", {"scene": "prepare"})
    sent = {c.device.code: c for c in services.claim_commands(10, now + SECOND)}
    services.command_acked([Ack(one.code, sent[one.code].pk, "done", "", 2)], now=now)
    services.command_acked([Ack(two.code, sent[two.code].pk, "failed", "jam")], now=now)

    _, seen = who.get(f"/scene-runs/{run['id']}")
    status, back = who.post(f"/scene-runs/{run['id']}/roll-back")
    hidden, _ = Caller(base.user(Role.TENANT_ADMIN)).post(f"/scene-runs/{run['id']}/roll-back")

    results = {r["device"]: (r["status"], r["reason"]) for r in seen["results"]}
    assert results == {one.code: ("done", ""), two.code: ("failed", "jam")}
    assert (run["outcome"], seen["outcome"], status, hidden) == ("running", "partial", 202, 404)
    assert {r["device"]: r["state"] for r in back["results"]} == {
        one.code: {"power": False}, two.code: {"power": False},
    }  # fmt: skip


@pytest.mark.django_db
def test_a_roll_back_starts_no_stream_and_passes_no_right(now: datetime) -> None:
    space, _ = lamps(1, 100, circuit_kw=20)
    encoder = make.device("encoder", space=space)
    put_on_air(encoder, now)
    services.ingest([make.state(encoder, now, 2, run="stopped", target_ref="t")], now)
    run = services.apply_scene(space=space, scene="off", actor=SYSTEM, now=now)

    with pytest.raises(restoring.NothingToRestore):
        restoring.roll_back(run=run, actor=SYSTEM, now=now)

    assert not Command.objects.exclude(scene_run=run).exists()
