"""What a booking used and what failed: proof for its own tenant, hidden from others."""

import json
from datetime import datetime, timedelta

import pytest
from django.test import Client

from base_ops.core import auth
from base_ops.core.models import Role, User
from booking import selectors, services
from devices import services as devices
from devices.models import Device, EnergyReading, StreamSession
from tests import make
from tests.booking import world
from tests.devices import make as kit

pytestmark = pytest.mark.usefixtures("prices")
MINUTE = timedelta(minutes=1)


def answer(user: User, code: str, now: datetime) -> tuple[int, dict[str, object]]:
    token, _ = auth.new_token(user=user, name="test", now=now)
    client = Client(headers={"Authorization": f"Bearer {token}"})
    found = client.get(f"/api/v1/bookings/{code}/evidence")
    return found.status_code, json.loads(found.content)


def test_energy_sessions_and_outages_of_a_stay_are_told_with_their_proof(now: datetime) -> None:
    booking = world.booked(now=now)
    start = booking.starts_at
    meter = kit.device("power_meter", space=booking.space)
    encoder = Device.objects.get(space=booking.space, kind="encoder")
    devices.ingest([kit.online(encoder, start - MINUTE)], start - MINUTE)
    booking = services.check_in(
        booking=booking, actor=world.actor(booking.tenant), pin=booking.pin, now=start
    )
    for n in range(61):
        minute = start + n * MINUTE
        EnergyReading.objects.create(device=meter, minute=minute, at=minute, wh=10.0 * n)
    StreamSession.objects.create(
        device=encoder, space=booking.space, started_at=start, ended_at=start + 35 * MINUTE
    )
    devices.ingest([kit.offline(encoder, start)], start + 40 * MINUTE)
    devices.ingest([kit.online(encoder, start, "s2")], start + 52 * MINUTE)

    found = selectors.evidence(booking, now=start + 60 * MINUTE)

    assert found.energy is not None
    assert (found.energy.wh, found.energy.quality) == (600, "complete")
    assert [(s.on_air, s.counts) for s in found.sessions] == [(35 * MINUTE, True)]
    assert found.outages.minutes == 12


def test_an_outage_before_or_after_the_booked_time_is_none_of_its_own(now: datetime) -> None:
    booking = world.booked(now=now)
    encoder = Device.objects.get(space=booking.space, kind="encoder")
    for when in (booking.starts_at - 20 * MINUTE, booking.ends_at + 5 * MINUTE):
        session = f"s{when:%H%M}"
        devices.ingest([kit.online(encoder, when, session)], when)
        devices.ingest([kit.offline(encoder, when, session)], when + MINUTE)
        devices.ingest([kit.online(encoder, when, session + "b")], when + 10 * MINUTE)

    found = selectors.evidence(booking, now=booking.ends_at + 60 * MINUTE)

    assert (found.outages.minutes, list(found.outages.spells)) == (0, [])


def test_a_stranger_learns_nothing_and_the_base_may_look(now: datetime) -> None:
    booking = world.booked(now=now)
    own = make.user(Role.TENANT_MEMBER, tenant=booking.tenant)

    answers = {
        str(role): answer(make.user(role), booking.code, now)[0]
        for role in (Role.TENANT_ADMIN, Role.MANAGER, Role.FINANCE, Role.LIAISON)
    }
    status, body = answer(own, booking.code, now)

    assert answers == {"tenant_admin": 404, "manager": 200, "finance": 200, "liaison": 403}
    assert (status, body["energy"], body["live_sessions"]) == (200, None, [])
