"""Requests that make sense about what moves in a room: drives, overrides, looks, stream targets.

As in bodies.py they are sent half of the time.
"""

from collections.abc import Callable
from datetime import timedelta

from devices import services as devices
from devices.models import InterlockOverride
from devices.services import overriding
from tests.api.bodies import Request
from tests.api.known import Known
from tests.api.world import World
from tests.devices import make as things

API = "/api/v1"


def drive(world: World, _: Known) -> Request:
    """Of a camera in a room of its own."""
    camera = things.device("camera", space=world.room_now(), link="online")
    return Request({"pan": 0.5, "deadman_ms": 200}, {"code": camera.code})


def override(world: World, _: Known) -> Request:
    """For one room."""
    return Request({"why": "灯架冒烟"}, {"code": world.spaces[0].code})


def asked(world: World, _: Known) -> Request:
    """A request that a technician made and nobody has decided."""
    now, who = world.moment.at, world.users["technician"].actor
    of = InterlockOverride.objects.filter(status="asked", until__gt=now, asked_by_id=who.id)
    row = of.first() or overriding.ask(
        space=world.spaces[0], device=None, why="冒烟", actor=who, now=now
    )
    return Request({}, {"override_id": row.pk})


def target(world: World, _: Known) -> Request:
    """Of a room that tenant A holds now."""
    room, now = world.room_now(), world.moment.at
    devices.grant_control(
        space=room, tenant_id=world.mine.pk, booking_code=f"FUZZ-{room.code}",
        until=now + timedelta(hours=1), now=now,
    )  # fmt: skip
    return Request({"url": "rtmp://push.example.org/live", "key": "k-1"}, {"code": room.code})


def applied(world: World, _: Known) -> Request:
    """A scene that changed something in a room of its own."""
    light = things.device("light", space=world.room_now(), link="online")
    assert light.space is not None
    now, staff = world.moment.at, world.users["manager"].actor
    devices.ingest([things.online(light, now), things.state(light, now, 1, power=False)], now)
    run = devices.apply_scene(space=light.space, scene="prepare", actor=staff, now=now)
    return Request({}, {"id": run.pk})


def preflight(world: World, _: Known) -> Request:
    """Of one room."""
    return Request(path={"code": world.spaces[0].code})


REQUESTS: dict[str, Callable[[World, Known], Request]] = {
    f"POST {API}/devices/{{code}}/moves": drive,
    f"GET {API}/spaces/{{code}}/scene/preflight": preflight,
    f"POST {API}/scene-runs/{{id}}/roll-back": applied,
    f"POST {API}/spaces/{{code}}/interlock-overrides": override,
    f"POST {API}/interlock-overrides/{{override_id}}/grant": asked,
    f"POST {API}/interlock-overrides/{{override_id}}/end": asked,
    f"PUT {API}/spaces/{{code}}/stream-target": target,
    f"DELETE {API}/spaces/{{code}}/stream-target": target,
}
