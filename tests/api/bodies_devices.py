"""Requests about devices that make sense: each finds or makes the thing that its deed is for.

As in bodies.py they are sent half of the time.
"""

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from booking.models import DoorDisplay, WallDisplay
from booking.services import doors, walls
from devices import services as devices
from devices.domain.alarmrules import standard
from devices.models import (
    Adoption,
    AlarmRules,
    BrokerAccount,
    CommissioningRun,
    Device,
    Foreign,
    RegistrySettings,
)
from devices.services import accounts, adopting, commissioning, foreign, placing, quarantine
from tests.api.bodies import Request
from tests.api.known import Known
from tests.api.world import World
from tests.devices import make as things
from tests.devices.foreign.test_announcing import topic, word
from tests.devices.registry.calls import stranger

_turns = itertools.count(1)
LIGHT = things.MODEL_OF["light"]


def _light(world: World, **changes: Any) -> Device:
    """One of its own, in a room of its own, which nobody else uses."""
    place = {"space": world.room_now()} if "space" not in changes else {}
    return things.device("light", **place, **changes)


def _spare(world: World) -> Device:
    return _light(world, space=None, status="maintenance")


def _stranger(world: World) -> str:
    """One that waits, and that nobody has proposed to take in."""
    waiting = Device.objects.filter(status="quarantine", convention="wb1")
    free = waiting.exclude(adoptions__status="proposed").values_list("code", flat=True).first()
    if free is None:
        free = f"FUZZ-NEW-{next(_turns)}"
        _open_doors()
        stranger(free, world.moment.at)
    return free


def _open_doors() -> None:
    """Let strangers in, whatever limits were set before."""
    RegistrySettings.objects.update(max_waiting=10_000, max_newcomers_per_hour=10_000)
    quarantine.forget()


def adoption(world: World, _: Known) -> Request:
    """Of a stranger, at a new place."""
    _light(world)  # so that its model is there
    place = f"FUZZ-PLACE-{next(_turns)}"
    body = {"model": LIGHT, "space": world.spaces[0].code, "place": place, "why": "新灯"}
    return Request(body, {"code": _stranger(world)})


def decision(world: World, _: Known) -> Request:
    """About what a technician proposed."""
    open_ones = Adoption.objects.filter(
        status="proposed", proposed_by_id=world.users["technician"].actor.id
    )
    found = open_ones.order_by("-pk").values_list("pk", flat=True).first()
    return Request({"why": "同意"}, {"adoption_id": found or _proposed(world)})


def _proposed(world: World) -> int:
    RegistrySettings.objects.update(adoption_needs_approval=True)
    light, code = _light(world), _stranger(world)
    assert light.model is not None
    assert light.space is not None
    place = f"FUZZ-PLACE-{next(_turns)}"
    wish = adopting.AdoptionWish(light.model, light.space, place, "key", "新灯")
    actor = world.users["technician"].actor
    return adopting.propose_adoption(code=code, wish=wish, actor=actor, now=world.moment.at).pk


def file(world: World, _: Known) -> Request:
    """A device for the store."""
    _light(world)  # so that its model is there
    lines = ["设备编号,型号编号,备注", f"FUZZ-STORE-{next(_turns)},{LIGHT},备件", ""]
    return Request("\r\n".join(lines).encode(), query={"format": "csv"}, media_type="text/csv")


def running(world: World, _: Known) -> Request:
    """A test that runs."""
    rows = CommissioningRun.objects.filter(result="running")
    found = rows.order_by("-pk").values_list("pk", flat=True).first()
    if found is None:
        actor, now = world.users["technician"].actor, world.moment.at
        found = commissioning.start_test(code=_light(world).code, actor=actor, now=now).pk
    return Request({}, {"run_id": found})


def announced(world: World, _: Known) -> Request:
    """What a foreign device announced that waits."""
    return Request(path={"code": _foreign(world)})


def ghosts(world: World, _: Known) -> Request:
    """Of a foreign device that is in nobody's service."""
    return Request({"confirm": True, "why": "清理"}, {"code": _foreign(world)})


def _foreign(world: World) -> str:
    rows = Foreign.objects.filter(device__status="quarantine")
    found = rows.values_list("device__code", flat=True).first()
    if found is None:
        _open_doors()
        number = 1000 + next(_turns)
        foreign.announced([word(topic(number), number)], world.moment.at)
        found = rows.values_list("device__code", flat=True).get()
    return found


def account(world: World, _: Known) -> Request:
    """Of a device that may connect."""
    rows = BrokerAccount.objects.filter(revoked_at=None, device__status="active")
    found = rows.values_list("name", flat=True).first()
    if found is None:
        device = _light(world)
        actor = world.users["technician"].actor
        accounts.issue_for_device(device=device, actor=actor, now=world.moment.at)
        found = device.code
    return Request(path={"code": found})


def in_service(world: World, _: Known) -> Request:
    """One that serves in a room which nobody uses."""
    return Request(path={"code": _light(world).code})


def life(world: World, _: Known) -> Request:
    """A spare is worn out, or a broken one is taken to the bench."""
    deeds: tuple[tuple[str, Callable[[World], Device]], ...] = (
        ("retire", _spare),
        ("service", _light),
    )
    deed, make = deeds[next(_turns) % 2]
    return Request({"deed": deed, "why": "检修"}, {"code": make(world).code})


def swap(world: World, _: Known) -> Request:
    """A spare for a light that hangs somewhere."""
    light = _light(world)
    placing.settle([light.pk])
    body = {"spare": _spare(world).code, "fate": "service", "why": "更换"}
    return Request(body, {"code": light.code})


def place(world: World, _: Known) -> Request:
    """Where a light hangs."""
    light = _light(world)
    placing.settle([light.pk])
    end = world.moment.at
    times = {"from": (end - timedelta(hours=1)).isoformat(), "to": end.isoformat()}
    return Request(path={"code": light.code}, query={"metric": "power_w", **times})


def alarm_rules(_: World, __: Known) -> Request:
    """Those that a base begins with, once more."""
    return Request({"rules": standard.document()["rules"], "note": "复核"})


def alarm_rule(world: World, _: Known) -> Request:
    """One of those in force, as it is."""
    newest = AlarmRules.objects.order_by("-version").first()
    if newest is None or not newest.document["rules"]:
        newest = devices.publish_alarm_rules(
            document=standard.document(), note="", actor=world.users["manager"].actor,
            check=lambda version: None, now=world.moment.at,
        )  # fmt: skip
    rule = newest.document["rules"][0]
    body, path = {"rule": rule, "note": "复核"}, {"code": rule["code"]}
    return Request(body, path, headers={"If-Match": "*"})


def silence(world: World, _: Known) -> Request:
    """An hour in which nobody is told of one room."""
    until = world.moment.at + timedelta(hours=1)
    body = {"space": world.spaces[0].code, "until": until.isoformat(), "reason": "检修"}
    return Request(body)


def window(world: World, _: Known) -> Request:
    """An hour for one light."""
    start = world.moment.at + timedelta(days=2)
    times = {"starts_at": start.isoformat(), "ends_at": (start + timedelta(hours=1)).isoformat()}
    return Request({"devices": [_light(world).code], "why": "检修", **times})


def display(world: World, _: Known) -> Request:
    """One that shows at a door."""
    row = DoorDisplay.objects.select_related("space").filter(revoked_at=None).first()
    if row is None:
        actor, now = world.users["manager"].actor, world.moment.at
        row = doors.add_display(space=world.spaces[0], name="门口", actor=actor, now=now)[1]
    return Request({}, {"code": row.space.code, "display_id": row.pk})


def wall(world: World, _: Known) -> Request:
    """One that shows the floors."""
    row = WallDisplay.objects.filter(revoked_at=None).first()
    if row is None:
        actor, now = world.users["manager"].actor, world.moment.at
        row = walls.add_wall(name="大屏", actor=actor, now=now)[1]
    return Request({}, {"display_id": row.pk})


API = "/api/v1"
REQUESTS: dict[str, Callable[[World, Known], Request]] = {
    f"POST {API}/devices/{{code}}/adoptions": adoption,
    f"POST {API}/device-adoptions/{{adoption_id}}/approve": decision,
    f"POST {API}/device-adoptions/{{adoption_id}}/refuse": decision,
    f"POST {API}/device-imports": file,
    f"POST {API}/device-imports/dry-run": file,
    f"POST {API}/device-tests/{{run_id}}/abort": running,
    f"GET {API}/devices/{{code}}/announcements": announced,
    f"POST {API}/devices/{{code}}/ghosts": ghosts,
    f"GET {API}/devices/{{code}}/credentials": account,
    f"POST {API}/devices/{{code}}/credentials": in_service,
    f"DELETE {API}/devices/{{code}}/credentials": account,
    f"POST {API}/devices/{{code}}/tests": in_service,
    f"POST {API}/devices/{{code}}/life": life,
    f"POST {API}/places/{{code}}/swap": swap,
    f"GET {API}/places/{{code}}/telemetry": place,
    f"GET {API}/places/{{code}}/commands": place,
    f"POST {API}/spaces/{{code}}/door-displays/{{display_id}}/revoke": display,
    f"POST {API}/wall-displays/{{display_id}}/revoke": wall,
    f"PUT {API}/alarm-rules": alarm_rules,
    f"PUT {API}/alarm-rules/{{code}}": alarm_rule,
    f"POST {API}/alarm-silences": silence,
    f"POST {API}/maintenance-windows": window,
}
