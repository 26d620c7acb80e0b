"""Refusals that no other test asks for over HTTP, each provoked by a request of its own."""

from datetime import timedelta
from typing import Any

import pytest

from base_ops.core import clock
from base_ops.core.models import Role, User
from booking.models import Booking
from devices import services as devices
from devices.models.registry import DeviceStatus
from tests import make
from tests.api.refusing import Provoked, is_problem
from tests.booking import world
from tests.booking.test_api import API, client, post, wish
from tests.devices import make as things

pytestmark = pytest.mark.usefixtures("prices")


def _member() -> User:
    return make.user(Role.TENANT_MEMBER)


def too_many_tokens() -> Any:
    caller = client(_member())
    answers = [
        caller.post(f"{API}/me/tokens", {"name": "n"}, content_type="application/json")
        for _ in range(21)
    ]
    return answers[-1]


def device_not_active() -> Any:
    light = things.device(status=DeviceStatus.RETIRED)
    path = f"/devices/{light.code}/commands"
    return post(client(make.user(Role.MANAGER)), path, {"state": {"power": True}})


def not_controllable() -> Any:
    sensor = things.device("sensor")
    path = f"/devices/{sensor.code}/commands"
    return post(client(make.user(Role.MANAGER)), path, {"state": {"power": True}})


def not_entitled() -> Any:
    """A tenant in its own room sets the interlock aside."""
    light, who = things.device(), _member()
    assert light.space is not None
    assert who.tenant_id is not None
    now = clock.now()
    devices.grant_control(
        space=light.space, tenant_id=who.tenant_id, booking_code="BK1",
        until=now + timedelta(hours=1), now=now,
    )  # fmt: skip
    body = {"state": {"power": True}, "override": True}
    return post(client(who), f"/devices/{light.code}/commands", body)


def already_started() -> Any:
    """A confirmed booking that began can no longer be cancelled by its tenant."""
    caller = client(_member())
    code = post(caller, "/bookings", wish(world.studio()) | {"confirm": True}).json()["code"]
    row = Booking.objects.get(code=code)
    earlier = timedelta(hours=3)
    Booking.objects.filter(pk=row.pk).update(
        starts_at=row.starts_at - earlier, ends_at=row.ends_at
    )
    return post(caller, f"/bookings/{code}/cancel")


PROVOKED: Provoked = {
    "already_started": (409, already_started),
    "device_not_active": (409, device_not_active),
    "not_controllable": (422, not_controllable),
    "not_entitled": (403, not_entitled),
    "too_many_tokens": (409, too_many_tokens),
}


@pytest.mark.parametrize("code", PROVOKED)
def test_each_refusal_is_a_problem_with_its_code(code: str) -> None:
    status, provoke = PROVOKED[code]

    is_problem(provoke(), status, code)
