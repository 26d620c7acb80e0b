"""The endpoints of alarms and their rules, by role, and what they refuse."""

import itertools
import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from base_ops.core import auth, clock
from base_ops.core.models import Role
from devices import services
from devices.models import Alarm
from tests import make as base
from tests.devices import make

pytestmark = pytest.mark.django_db
_keys = itertools.count(1)


def client(role: Role = Role.TECHNICIAN) -> Client:
    token, _ = auth.new_token(user=base.user(role), name="test", now=clock.now())
    return Client(headers={"Authorization": f"Bearer {token}"})


def send(who: Client, method: str, path: str, body: Any = None, **headers: str) -> Any:
    given = {"Idempotency-Key": f"alarm-{next(_keys):06d}", **headers}
    return who.generic(
        method, f"/api/v1{path}", json.dumps(body), content_type="application/json", headers=given
    )


def an_alarm() -> Alarm:
    encoder, now = make.device("encoder"), clock.now()
    services.ingest([make.online(encoder, now), make.offline(encoder, now)], now)
    return Alarm.objects.get(device=encoder)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/alarm-rules"),
        ("GET", "/alarm-rules/versions"),
        ("POST", "/alarm-rules/check"),
        ("PUT", "/alarm-rules"),
        ("PUT", "/alarm-rules/head_hot"),
        ("GET", "/alarm-silences"),
        ("POST", "/alarm-silences/1/end"),
        ("GET", "/alarms/1"),
        ("POST", "/alarms/1/comments"),
    ],
)
@pytest.mark.parametrize("role", [Role.TENANT_ADMIN, Role.FINANCE, Role.LIAISON])
def test_only_the_staff_of_the_floor_answer_alarms(method: str, path: str, role: Role) -> None:
    bodies = {"check": {"rules": []}, "alarm-rules": {"rules": []}, "head_hot": {"rule": {}},
              "comments": {"text": "x"}}  # fmt: skip

    answer = send(client(role), method, path, bodies.get(path.split("/")[-1], {}))

    assert answer.status_code == 403


def test_rules_are_edited_by_who_saw_the_newest_version_and_faults_name_the_field() -> None:
    who = client()
    read = send(who, "GET", "/alarm-rules")
    rules = read.json()["rules"]
    hot = next(r for r in rules if r["code"] == "head_hot")
    hot["params"]["limit"] = 85

    blind = send(who, "PUT", "/alarm-rules/head_hot", {"rule": hot})
    done = send(who, "PUT", "/alarm-rules/head_hot", {"rule": hot}, **{"If-Match": read["ETag"]})
    late = send(who, "PUT", "/alarm-rules", {"rules": rules}, **{"If-Match": read["ETag"]})
    hot["params"]["limit"] = "hot"
    bad = send(who, "PUT", "/alarm-rules/head_hot", {"rule": hot}, **{"If-Match": done["ETag"]})
    checked = send(who, "POST", "/alarm-rules/check", {"rules": rules})

    assert [a.status_code for a in (blind, done, late, bad)] == [428, 200, 412, 422]
    assert done["ETag"] == '"2"'
    assert [f["name"] for f in bad.json()["fields"]] == ["params.limit"]
    place = next(n for n, r in enumerate(rules) if r["code"] == "head_hot")
    assert [f["field"] for f in checked.json()["faults"]] == [f"rules[{place}].params.limit"]
    versions = send(who, "GET", "/alarm-rules/versions").json()
    assert [v["version"] for v in versions] == [2, 1]


def test_alarms_are_found_by_state_severity_and_device() -> None:
    alarm, who = an_alarm(), client()
    assert alarm.device is not None
    send(who, "POST", f"/alarms/{alarm.pk}/acknowledge")
    paths = [
        "state=active_acknowledged", "state=active_unacknowledged", "state=cleared_acknowledged",
        "severity=critical", "severity=info", f"device={alarm.device.code}", "device=nope",
        "rule=offline_vital", "code=device_offline",
    ]  # fmt: skip

    counts = [len(send(who, "GET", f"/alarms?{path}").json()["items"]) for path in paths]

    assert counts == [1, 0, 0, 1, 0, 1, 0, 1, 1]


def test_a_comment_stays_and_says_who() -> None:
    alarm, who = an_alarm(), client()

    said = send(who, "POST", f"/alarms/{alarm.pk}/comments", {"text": " 已换备机 "})
    empty = send(who, "POST", f"/alarms/{alarm.pk}/comments", {"text": "  "})
    found = send(who, "GET", f"/alarms/{alarm.pk}").json()

    assert (said.status_code, empty.status_code) == (201, 422)
    assert [c["text"] for c in found["comments"]] == ["已换备机"]
    assert found["runbook_zh"]
    assert send(who, "GET", "/alarms/999999").status_code == 404


def test_a_silence_is_of_one_thing_ends_and_names_what_is_wrong() -> None:
    light, who = make.device(), client()
    assert light.space is not None
    until = (clock.now() + timedelta(hours=1)).isoformat()
    past = (clock.now() - timedelta(hours=1)).isoformat()

    made = send(
        who, "POST", "/alarm-silences", {"device": light.code, "until": until, "reason": "检修"}
    )
    both = {"device": light.code, "space": light.space.code, "until": until, "reason": "x"}
    refused = [
        send(who, "POST", "/alarm-silences", body).json()
        for body in (both, {"device": light.code, "until": past, "reason": "x"})
    ]
    listed = send(who, "GET", "/alarm-silences").json()
    ended = send(who, "POST", f"/alarm-silences/{made.json()['id']}/end")
    after = send(who, "GET", "/alarm-silences").json()

    assert (made.status_code, ended.status_code) == (201, 200)
    assert [r["fields"][0]["name"] for r in refused] == ["device", "until"]
    assert ([s["device"] for s in listed], after) == ([light.code], [])
