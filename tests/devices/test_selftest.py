"""Is a room as it should be left: there, without alarms, at rest."""

from typing import Any

import pytest

from devices.domain.selftest import Found, Probe, check
from devices.domain.shadow import Link


def probe(**changes: Any) -> Probe:
    plain: dict[str, Any] = {
        "code": "D1",
        "kind": "light",
        "role": "key",
        "model": "",
        "link": Link.ONLINE,
        "reported": {"power": False},
    }
    return Probe(**plain | changes)


def codes(found: Found) -> list[str]:
    return [reason["code"] for reason in found.reasons]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"reported": {"power": True}}, ["not_at_rest_power"]),
        ({"reported": {}}, []),
        ({"link": Link.OFFLINE}, ["link_offline"]),
        ({"link": Link.STALE, "reported": {"power": True}}, ["link_stale"]),
        ({"alarms": ["device_fault"]}, ["alarm_device_fault"]),
        ({"kind": "camera", "reported": {"privacy": False}}, ["not_at_rest_privacy"]),
        ({"kind": "encoder", "reported": {"run": "live"}}, ["not_at_rest_run"]),
        ({"kind": "sensor", "reported": {"presence": True}}, []),
        ({"role": "house", "reported": {"power": True}}, []),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], expected: list[str]) -> None:
    (found,) = check([probe(**changes)])

    assert codes(found) == expected
    assert found.as_json()["ok"] == (not expected)


def test_a_device_that_was_just_told_to_rest_is_settling_and_not_wrong() -> None:
    (found,) = check([probe(reported={"power": True}, pending=True)])

    assert (codes(found), found.settling) == ([], True)


def test_a_device_may_be_wrong_in_more_than_one_way() -> None:
    (found,) = check([probe(reported={"power": True}, alarms=["b", "a"])])

    assert codes(found) == ["alarm_a", "alarm_b", "not_at_rest_power"]
