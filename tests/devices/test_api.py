"""The devices endpoints by role, and the words they refuse with."""

import itertools
import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from base_ops.core import auth, clock
from base_ops.core.models import Role, Space, User
from devices import services
from devices.domain.messages import Tele
from devices.models import Alarm, Command, Device
from tests import make as base
from tests.devices import make

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
_keys = itertools.count(1)


class Caller:
    """Somebody with a token."""

    def __init__(self, user: User) -> None:
        self.user = user
        token, _ = auth.new_token(user=user, name="test", now=clock.now())
        self.client = Client(headers={"Authorization": f"Bearer {token}"})

    def get(self, path: str) -> tuple[int, Any]:
        answer = self.client.get(f"/api/v1{path}")
        return answer.status_code, json.loads(answer.content)

    def post(self, path: str, body: Any = None, key: str = "") -> tuple[int, Any]:
        answer = self.client.post(
            f"/api/v1{path}",
            data=json.dumps(body or {}),
            content_type="application/json",
            headers={"Idempotency-Key": key or f"key-{next(_keys):06d}"},
        )
        return answer.status_code, json.loads(answer.content)


def caller(role: Role) -> Caller:
    return Caller(base.user(role))


def holder_of(space: Space, at: datetime) -> Caller:
    who = caller(Role.TENANT_MEMBER)
    assert who.user.tenant_id is not None
    services.grant_control(
        space=space, tenant_id=who.user.tenant_id, booking_code="BK1", until=at + HOUR, now=at
    )
    return who


def test_what_each_role_may_see_and_do() -> None:
    light = make.device()
    assert light.space is not None
    paths = ["/devices", f"/devices/{light.code}", f"/spaces/{light.space.code}/devices"]

    found = {}
    for role in Role:
        who = caller(role)
        reads = {who.get(path)[0] for path in paths[1:]}
        command, _ = who.post(f"/devices/{light.code}/commands", {"state": {"power": True}})
        scene, _ = who.post(f"/spaces/{light.space.code}/scene", {"scene": "prepare"})
        found[str(role)] = (who.get(paths[0])[0], reads, command, scene, who.get("/alarms")[0])

    floor = (200, {200}, 202, 202, 200)
    outside = (403, {403}, 403, 403, 403)
    stranger = (200, {404}, 404, 404, 403)
    assert found == {
        "tenant_admin": stranger,
        "tenant_member": stranger,
        "manager": floor,
        "technician": floor,
        "admin": floor,
        "finance": outside,
        "liaison": outside,
    }


def test_a_tenant_sees_and_commands_the_room_it_holds_and_no_other() -> None:
    light, other = make.device(), make.device()
    assert light.space is not None
    who = holder_of(light.space, clock.now())

    status, rows = who.get("/devices")
    sent, command = who.post(f"/devices/{light.code}/commands", {"state": {"power": True}})

    assert (status, [row["code"] for row in rows]) == (200, [light.code])
    assert (sent, command["status"], command["booking"]) == (202, "queued", None)
    assert who.get(f"/commands/{command['id']}")[0] == 200
    assert who.get(f"/devices/{other.code}")[0] == 404
    services.revoke_control(booking_code="BK1", now=clock.now())
    assert who.get("/devices") == (200, [])


def test_a_tenant_sees_no_command_of_others_in_its_room() -> None:
    light = make.device()
    assert light.space is not None
    path, body = f"/devices/{light.code}/commands", {"state": {"power": True}}
    staff, who = caller(Role.MANAGER), holder_of(light.space, clock.now())

    _, theirs = staff.post(path, body)
    _, own = who.post(path, body)

    assert who.get(f"/commands/{theirs['id']}")[0] == 404
    assert who.get(f"/commands/{own['id']}")[0] == 200
    assert staff.get(f"/commands/{own['id']}")[0] == 200


@pytest.mark.parametrize(("if_v", "expected"), [(2**31 - 1, 202), (2**31, 422), (-1, 422)])
def test_a_version_to_expect_is_one_that_devices_count(if_v: int, expected: int) -> None:
    light = make.device()

    status, _ = caller(Role.MANAGER).post(
        f"/devices/{light.code}/commands", {"state": {"power": True}, "if_v": if_v}
    )

    assert status == expected


@pytest.mark.parametrize(("limit", "expected"), [(0, 422), (1, 200), (500, 200), (501, 422)])
def test_a_page_of_alarms_has_bounds(limit: int, expected: int) -> None:
    assert caller(Role.MANAGER).get(f"/alarms?limit={limit}")[0] == expected


def test_the_same_key_queues_one_command() -> None:
    light = make.device()
    who = caller(Role.MANAGER)
    path, body = f"/devices/{light.code}/commands", {"state": {"brightness": 40}}

    first, second = (who.post(path, body, key="same-key-1") for _ in range(2))

    assert first == second
    assert Command.objects.count() == 1


def test_bad_states_are_refused_in_both_languages() -> None:
    light = make.device()

    status, problem = caller(Role.MANAGER).post(
        f"/devices/{light.code}/commands", {"state": {"brightness": "full"}}
    )

    assert (status, problem["code"]) == (422, "bad_state")
    assert problem["title_zh"] == "设备状态无效"
    assert problem["fields"] == [
        {"name": "brightness", "reason_zh": "须为数字", "reason_en": "must be a number"}
    ]


def test_on_air_is_a_conflict_for_staff_and_one_person_alone_overrides_nothing() -> None:
    encoder = make.device("encoder")
    at = clock.now()
    services.ingest([make.online(encoder, at), make.state(encoder, at, 1, run="live")], at)
    who, stop = caller(Role.MANAGER), {"state": {"run": "stopped"}}

    status, problem = who.post(f"/devices/{encoder.code}/commands", stop)
    alone, lacking = who.post(f"/devices/{encoder.code}/commands", stop | {"override": True})

    assert (status, problem["code"]) == (409, "on_air_interlock")
    assert (alone, lacking["code"]) == (409, "override_not_granted")


def test_a_scene_run_shows_its_progress() -> None:
    space = base.space()
    lights = [make.device(space=space, link="online") for _ in range(2)]
    who = holder_of(space, clock.now())

    status, run = who.post(f"/spaces/{space.code}/scene", {"scene": "prepare"})
    at = clock.now()
    for command in services.claim_commands(10, at):
        cause = {"cause": command.pk}
        services.ingest([make.state(command.device, at, 1, **command.state, **cause)], at)

    assert (status, run["booking"], run["progress"]["queued"]) == (202, "BK1", len(lights))
    _, after = who.get(f"/scene-runs/{run['id']}")
    assert (after["finished"], after["progress"]["done"]) == (True, 2)
    assert caller(Role.TENANT_MEMBER).get(f"/scene-runs/{run['id']}")[0] == 404
    assert who.post(f"/spaces/{space.code}/scene", {"scene": "party"})[0] == 422


def test_a_device_shows_age_link_and_capabilities() -> None:
    light = make.device()
    at = clock.now() - timedelta(seconds=46)
    services.ingest([make.online(light, at), make.state(light, at, 3, power=True)], at)

    _, shown = caller(Role.TECHNICIAN).get(f"/devices/{light.code}")

    assert (shown["link"], shown["version"], shown["reported"]) == ("stale", 3, {"power": True})
    assert abs(datetime.fromisoformat(shown["at"]) - at) < timedelta(milliseconds=1)
    assert shown["capabilities"]["brightness"] == {
        "type": "number",
        "min": 0,
        "max": 100,
        "unit": "%",
    }


def test_telemetry_is_read_by_metric_and_time() -> None:
    encoder = make.device("encoder")
    at = clock.now()
    services.ingest([Tele(encoder.code, make.ms(at), {"kbps": 6000.0})], at)
    who = caller(Role.MANAGER)

    status, series = who.get(f"/devices/{encoder.code}/telemetry?metric=kbps")
    refused, _ = who.get(
        f"/devices/{encoder.code}/telemetry?metric=kbps&from=2020-01-01T00:00:00Z"
    )

    assert (status, [p["value"] for p in series["points"]]) == (200, [6000.0])
    assert refused == 422


def test_a_tenant_reads_no_telemetry_of_those_before() -> None:
    encoder = make.device("encoder")
    assert encoder.space is not None
    at = clock.now()
    granted_at = at - timedelta(minutes=10)
    for minutes, kbps in ((20, 1.0), (5, 2.0)):
        heard_at = at - timedelta(minutes=minutes)
        services.ingest([Tele(encoder.code, make.ms(heard_at), {"kbps": kbps})], heard_at)
    who = holder_of(encoder.space, granted_at)
    path = f"/devices/{encoder.code}/telemetry?metric=kbps"

    _, mine = who.get(path)
    _, before = who.get(f"{path}&to={granted_at:%Y-%m-%dT%H:%M:%SZ}")
    _, all_of_it = caller(Role.MANAGER).get(path)

    assert [p["value"] for p in mine["points"]] == [2.0]
    assert before["points"] == []
    assert [p["value"] for p in all_of_it["points"]] == [1.0, 2.0]


@pytest.mark.parametrize(
    "time",
    [
        "to=0001-01-01",
        "to=0001-01-01T00:00:00Z",
        "from=9999-12-31T00:00:00Z",
        "from=1999-12-31T00:00:00Z&to=2000-01-01T00:00:00Z",
    ],
)
def test_telemetry_of_a_time_out_of_range_is_refused(time: str) -> None:
    encoder = make.device("encoder")

    status, _ = caller(Role.MANAGER).get(f"/devices/{encoder.code}/telemetry?metric=kbps&{time}")

    assert status == 422


def test_an_alarm_is_acknowledged_once() -> None:
    light = make.device()
    at = clock.now()
    services.ingest([make.online(light, at), make.offline(light, at)], at)
    first, second = caller(Role.TECHNICIAN), caller(Role.MANAGER)
    (row,) = first.get("/alarms")[1]["items"]

    first.post(f"/alarms/{row['id']}/acknowledge")
    status, again = second.post(f"/alarms/{row['id']}/acknowledge")

    assert (status, again["acknowledged_by"]) == (200, first.user.email)
    assert again["title_zh"] == "设备离线"
    assert first.post("/alarms/999999/acknowledge")[0] == 404
    assert Alarm.objects.count() == 1
    assert Device.objects.count() == 1
