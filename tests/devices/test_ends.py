"""When a right moves or ends, the devices of the room know it."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from base_ops.core.models import Space
from devices import services
from devices.domain.messages import Fence
from devices.models import Device, Grant
from tests import make as base
from tests.devices import make

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def hold(space: Space, tenant_id: int, now: datetime) -> None:
    services.grant_control(
        space=space, tenant_id=tenant_id, booking_code="BK1", until=now + HOUR, now=now
    )


def in_a_room(kind: str) -> tuple[Space, Device]:
    space = base.space()
    return space, make.device(kind, space=space, link="online")


def test_extending_tells_an_open_camera_when_it_now_closes(now: datetime) -> None:
    space, camera = in_a_room("camera")
    tenant = base.tenant()
    hold(space, tenant.pk, now)
    shown: dict[str, Any] = {"privacy": False, "until": make.ms(now + HOUR)}
    services.ingest([make.online(camera, now), make.state(camera, now, 1, **shown)], now)

    services.extend_grant(booking_code="BK1", until=now + 2 * HOUR, now=now)

    (command,) = services.claim_commands(10, now)
    assert (command.device, command.state) == (camera, {"until": make.ms(now + 2 * HOUR)})


def test_a_camera_that_is_closed_or_has_no_end_is_not_told_of_an_extension(now: datetime) -> None:
    space, camera = in_a_room("camera")
    tenant = base.tenant()
    hold(space, tenant.pk, now)
    services.ingest([make.online(camera, now), make.state(camera, now, 1, privacy=False)], now)
    services.extend_grant(booking_code="BK1", until=now + 2 * HOUR, now=now)
    closed: dict[str, Any] = {"privacy": True, "until": make.ms(now + HOUR)}
    services.ingest([make.state(camera, now, 2, **closed)], now)
    services.extend_grant(booking_code="BK1", until=now + 3 * HOUR, now=now)

    assert services.claim_commands(10, now) == []


def test_a_tenants_command_carries_its_right_to_the_device(now: datetime) -> None:
    space, light = in_a_room("light")
    tenant = base.tenant()
    hold(space, tenant.pk, now)
    actor = make.tenant_actor(tenant.pk)

    services.send_command(device=light, state={"power": True}, actor=actor, now=now)

    (command,) = services.claim_commands(10, now)
    grant = Grant.objects.get()
    assert command.outgoing.fence == Fence(grant.pk, grant.epoch, grant.until)
