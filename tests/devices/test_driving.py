"""A camera is driven by hand as long as somebody holds the stick, and stops by itself."""

import json
import random
from datetime import datetime, timedelta

import pytest

from base_ops.core import clock
from base_ops.core.actors import SYSTEM
from base_ops.core.models import Role
from devices import services
from devices.domain import codec
from devices.domain.capabilities import BadState, NotControllable
from devices.domain.entitlement import NotEntitled
from devices.domain.interlock import OnAirInterlock
from devices.domain.messages import State
from devices.edge.packets import Message
from devices.models import Command, Shadow
from devices.services import driving
from devices.simulator.device import SimDevice
from devices.simulator.plan import Spec
from devices.simulator.room import Room
from tests import make as base
from tests.devices import make
from tests.devices.test_api import Caller, holder_of
from tests.devices.test_control import hold, put_on_air, studio

NOW = 1_790_000_000_000
SECOND = timedelta(seconds=1)


def camera() -> SimDevice:
    spec = Spec("D1", "camera", "main", "CAM-PTZ", "F2-S01", 20.0)
    made = SimDevice(spec, Room("F2-S01", random.Random(1)), random.Random(2))
    made.boot(NOW)
    return made


def told(it: SimDevice, number: int, at: int, op: str = "move", **state: object) -> list[Message]:
    body = {"id": f"C{number}", "exp": at + 2000, "op": op, "state": state}
    return it.receive(Message("wb1/d/D1/cmd", json.dumps(body).encode(), 1), at)


def places(out: list[Message]) -> list[object]:
    said = [codec.decode(m.topic, m.payload) for m in out]
    return [m.state["pan"] for m in said if isinstance(m, State)]


def test_it_drives_as_fast_as_told_and_stops_when_nobody_says_go_on() -> None:
    it = camera()
    told(it, 1, NOW, pan=0.5, deadman_ms=500)

    assert it.next_ms() <= NOW + 500
    stopped = it.tick(NOW + 500)
    later = it.tick(NOW + 60_000)

    assert places(stopped) == [15.0]
    assert set(places(later)) <= {15.0}


def test_holding_the_stick_goes_on_from_where_it_is_and_ends_at_the_stop() -> None:
    it = camera()
    at = NOW
    for n in range(12):
        told(it, n, at, pan=1.0, tilt=-1.0, deadman_ms=400)
        at += 300

    it.tick(at + 100)

    assert it.state["pan"] == 175
    assert it.state["tilt"] == -90
    assert it.state["zoom"] == 0


def test_an_order_to_a_place_takes_the_stick_out_of_the_hand() -> None:
    it = camera()
    told(it, 1, NOW, pan=1.0, deadman_ms=1000)

    told(it, 2, NOW + 100, "set", pan=-20)
    for at in range(NOW + 200, NOW + 5000, 100):
        it.tick(at)

    assert it.state["pan"] == -20


@pytest.mark.django_db
def test_who_may_drive_is_as_for_every_command(now: datetime) -> None:
    space, light, cam, encoder = studio()
    holder, other = base.tenant(), base.tenant()
    hold(space, holder.pk, now)
    mine, stranger = make.tenant_actor(holder.pk), make.tenant_actor(other.pk)
    drive = {"pan": 0.5, "deadman_ms": 300}

    queued = driving.move(device=cam, speeds=drive, actor=mine, now=now)
    (sent,) = services.claim_commands(10, now)
    with pytest.raises(NotEntitled):
        driving.move(device=cam, speeds=drive, actor=stranger, now=now)
    with pytest.raises(NotControllable):
        driving.move(device=light, speeds=drive, actor=mine, now=now)
    with pytest.raises(BadState):
        driving.move(device=cam, speeds={"pan": 2, "deadman_ms": 300}, actor=mine, now=now)
    put_on_air(encoder, now)
    for actor in (SYSTEM, make.MANAGER):
        with pytest.raises(OnAirInterlock):
            driving.move(device=cam, speeds=drive, actor=actor, now=now)

    assert (sent.pk, sent.outgoing.op, sent.outgoing.state) == (queued.pk, "move", drive)
    assert sent.outgoing.fence is not None
    assert Shadow.objects.get(device=cam).desired is None
    assert services.expire_commands(now + driving.LIVES - SECOND) == 0
    assert services.expire_commands(now + driving.LIVES) == 1


@pytest.mark.django_db
def test_over_http_a_tenant_drives_the_cameras_of_its_own_room() -> None:
    space, light, cam, _ = studio()
    who = holder_of(space, clock.now())

    driven = who.post(f"/devices/{cam.code}/moves", {"zoom": -0.2})
    faulty = who.post(f"/devices/{cam.code}/moves", {"pan": 3})
    still = who.post(f"/devices/{light.code}/moves", {"pan": 1})
    foreign = Caller(base.user(Role.TENANT_MEMBER)).post(f"/devices/{cam.code}/moves", {"pan": 1})

    assert driven[0] == 202
    assert driven[1]["op"] == "move"
    assert Command.objects.get().state == {"zoom": -0.2, "deadman_ms": 500}
    assert (faulty[0], still[1]["code"], foreign[0]) == (422, "not_controllable", 404)
