"""Refusals about devices, alarms and accounts that no other test asks for over HTTP."""

from datetime import timedelta
from typing import Any

import pytest

from base_ops.core import clock
from base_ops.core.actors import SYSTEM
from base_ops.core.models import Role
from devices import services as devices
from devices.domain.accounts import Kind
from devices.domain.messages import Tele
from devices.models import DeviceModel
from devices.models.registry import DeviceStatus
from devices.selectors.measured import MAX_POINTS
from devices.services import accounts, partitions
from tests import make
from tests.api.refusing import Provoked, is_problem
from tests.booking.test_api import API, client, post
from tests.devices import make as things

pytestmark = pytest.mark.django_db


def _staff() -> Any:
    return client(make.user(Role.MANAGER))


def account_name_taken() -> Any:
    """A program was given the name before a device came by the same."""
    accounts.issue_for_program(name="HUB-1", kind=Kind.BASE, actor=SYSTEM, now=clock.now())
    light = things.device(code="HUB-1")
    return post(_staff(), f"/devices/{light.code}/credentials")


def device_retired() -> Any:
    light = things.device(status=DeviceStatus.RETIRED)
    return post(_staff(), f"/devices/{light.code}/credentials")


def bad_alarm_rules() -> Any:
    return _staff().put(
        f"{API}/alarm-rules", {"rules": [{"code": "no_kind"}]},
        content_type="application/json",
        headers={"If-Match": "*"},
    )  # fmt: skip


def no_such_alarm_rule() -> Any:
    return _staff().put(
        f"{API}/alarm-rules/nobody_wrote_it", {"rule": {}},
        content_type="application/json",
        headers={"If-Match": "*"},
    )  # fmt: skip


def bad_silence() -> Any:
    """A silence that is over before it begins."""
    body = {
        "device": things.device().code, "reason": "检修",
        "until": (clock.now() - timedelta(hours=1)).isoformat(),
    }  # fmt: skip
    return post(_staff(), "/alarm-silences", body)


def no_such_alarm() -> Any:
    return post(_staff(), "/alarms/1/acknowledge")


def no_such_silence() -> Any:
    return post(_staff(), "/alarm-silences/1/end")


def no_such_command() -> Any:
    return _staff().get(f"{API}/commands/nobody-sent-it")


def no_such_space() -> Any:
    return _staff().get(f"{API}/spaces/NOWHERE/devices")


def too_many_points() -> Any:
    """All of some seconds in which a meter said more than an answer may have."""
    partitions.forget()
    meter, now = things.device("power_meter"), clock.now()
    devices.ingest(
        [Tele(meter.code, things.ms(now) - n, {"power_w": 1.0}) for n in range(MAX_POINTS + 1)],
        now,
    )
    return _staff().get(f"{API}/devices/{meter.code}/telemetry?metric=power_w&grain=raw")


def _asked(who: Any) -> int:
    """A request of theirs to set the interlock of some room aside."""
    space, body = make.space(), {"why": "冒烟"}
    answer = post(who, f"/spaces/{space.code}/interlock-overrides", body)
    return int(answer.json()["id"])


def no_such_override() -> Any:
    return post(_staff(), "/interlock-overrides/1/grant")


def own_override() -> Any:
    who = _staff()
    return post(who, f"/interlock-overrides/{_asked(who)}/grant")


def override_over() -> Any:
    override = _asked(_staff())
    post(_staff(), f"/interlock-overrides/{override}/end")
    return post(_staff(), f"/interlock-overrides/{override}/grant")


def device_not_in_space() -> Any:
    body = {"why": "冒烟", "device": things.device().code}
    return post(_staff(), f"/spaces/{make.space().code}/interlock-overrides", body)


def override_not_granted() -> Any:
    """The lights of a show go out by one person's word."""
    encoder, now = things.device("encoder"), clock.now()
    devices.ingest([things.online(encoder, now), things.state(encoder, now, 1, run="live")], now)
    light = things.device(space=encoder.space)
    body = {"state": {"power": False}, "override": True}
    return post(_staff(), f"/devices/{light.code}/commands", body)


def too_much_load() -> Any:
    """Lamps of more than the circuit carries."""
    space = make.space(circuit_capacity_kw=1)
    for _ in range(20):
        things.device(space=space, model="LT-HEAVY")
    DeviceModel.objects.filter(code="LT-HEAVY").update(planning_power_w=160)
    return post(_staff(), f"/spaces/{space.code}/scene", {"scene": "prepare"})


def nothing_to_restore() -> Any:
    who, space = _staff(), make.space()
    run = post(who, f"/spaces/{space.code}/scene", {"scene": "wrap"}).json()["id"]
    return post(who, f"/scene-runs/{run}/roll-back")


PROVOKED: Provoked = {
    "account_name_taken": (409, account_name_taken),
    "bad_alarm_rules": (422, bad_alarm_rules),
    "bad_silence": (422, bad_silence),
    "device_not_in_space": (422, device_not_in_space),
    "device_retired": (409, device_retired),
    "no_such_alarm": (404, no_such_alarm),
    "no_such_alarm_rule": (404, no_such_alarm_rule),
    "no_such_command": (404, no_such_command),
    "no_such_override": (404, no_such_override),
    "no_such_silence": (404, no_such_silence),
    "no_such_space": (404, no_such_space),
    "nothing_to_restore": (409, nothing_to_restore),
    "override_not_granted": (409, override_not_granted),
    "override_over": (409, override_over),
    "own_override": (403, own_override),
    "too_many_points": (422, too_many_points),
    "too_much_load": (409, too_much_load),
}


@pytest.mark.parametrize("code", PROVOKED)
def test_each_refusal_is_a_problem_with_its_code(code: str) -> None:
    status, provoke = PROVOKED[code]

    is_problem(provoke(), status, code)
