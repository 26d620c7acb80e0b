"""What is on air is touched by others only when two people say so, and only for a moment."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from base_ops.core.models import AuditEntry, Role, User
from devices import services
from devices.domain.interlock import OverrideNotGranted
from devices.models import Command, Device, InterlockOverride
from devices.services import overriding
from tests import make as base
from tests.devices.test_api import Caller
from tests.devices.test_control import put_on_air, status_of, studio

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def dark(light: Device, who: User, now: datetime, **changes: Any) -> Command:
    return services.send_command(
        device=light, state={"power": False}, actor=who.actor, override=True, now=now, **changes
    )


def granted(light: Device, who: User, now: datetime, **changes: Any) -> InterlockOverride:
    assert light.space is not None
    asked = overriding.ask(
        space=light.space, device=changes.get("device"), why="灯架冒烟", actor=who.actor, now=now
    )
    second = base.user(Role.MANAGER)
    return overriding.grant(override_id=asked.pk, actor=second.actor, now=now)


def test_one_person_alone_overrides_nothing(now: datetime) -> None:
    space, light, _, encoder = studio()
    put_on_air(encoder, now)
    who = base.user(Role.TECHNICIAN)

    with pytest.raises(OverrideNotGranted):
        dark(light, who, now)
    asked = overriding.ask(space=space, device=None, why="冒烟", actor=who.actor, now=now)
    with pytest.raises(OverrideNotGranted):
        dark(light, who, now)
    with pytest.raises(overriding.OwnOverride):
        overriding.grant(override_id=asked.pk, actor=who.actor, now=now)
    with pytest.raises(IntegrityError), transaction.atomic():
        InterlockOverride.objects.filter(pk=asked.pk).update(
            status="granted", decided_by_id=who.actor.id
        )


def test_granted_by_another_it_holds_for_whoever_asked_until_its_end(now: datetime) -> None:
    _, light, camera, encoder = studio()
    put_on_air(encoder, now)
    who, stranger = base.user(Role.TECHNICIAN), base.user(Role.MANAGER)
    over = granted(light, who, now)

    with pytest.raises(OverrideNotGranted):
        dark(light, stranger, now)
    first = dark(light, who, now)
    (claimed,) = services.claim_commands(10, now)
    last = dark(camera, who, over.until - SECOND)
    with pytest.raises(OverrideNotGranted):
        dark(light, who, over.until)

    assert claimed.pk == first.pk
    assert over.until == now + overriding.LASTS
    assert services.claim_commands(10, over.until) == []
    assert status_of(last) == ("rejected", "override_not_granted")
    actions = AuditEntry.objects.filter(action__contains="override").order_by("id")
    assert list(actions.values_list("action", flat=True)) == [
        "override.ask", "override.grant", "device.override", "device.override",
    ]  # fmt: skip


def test_it_is_for_the_device_it_names(now: datetime) -> None:
    _, light, camera, encoder = studio()
    put_on_air(encoder, now)
    who = base.user(Role.TECHNICIAN)
    granted(light, who, now, device=light)

    dark(light, who, now)
    with pytest.raises(OverrideNotGranted):
        dark(camera, who, now)


def test_a_request_that_nobody_granted_in_time_is_over_and_an_ended_one_stops_the_queue(
    now: datetime,
) -> None:
    space, light, _, encoder = studio()
    put_on_air(encoder, now)
    who, second = base.user(Role.TECHNICIAN), base.user(Role.MANAGER)
    slow = overriding.ask(space=space, device=None, why="x", actor=who.actor, now=now)
    over = granted(light, who, now)
    queued = dark(light, who, now)

    overriding.end(override_id=over.pk, actor=second.actor, now=now)

    assert services.claim_commands(10, now) == []
    assert status_of(queued) == ("rejected", "override_not_granted")
    with pytest.raises(overriding.OverrideOver):
        overriding.grant(override_id=slow.pk, actor=second.actor, now=now + overriding.WAITS)
    with pytest.raises(overriding.OverrideOver):
        overriding.end(override_id=over.pk, actor=second.actor, now=now)


def test_over_http_two_people_of_the_floor_are_needed() -> None:
    space, light, _, _ = studio()
    one, two = Caller(base.user(Role.TECHNICIAN)), Caller(base.user(Role.MANAGER))
    path, body = f"/spaces/{space.code}/interlock-overrides", {"why": "冒烟", "device": light.code}

    status, asked = one.post(path, body)
    own, problem = one.post(f"/interlock-overrides/{asked['id']}/grant")
    _, shown = two.get("/interlock-overrides")
    other, done = two.post(f"/interlock-overrides/{asked['id']}/grant")
    strangers = {
        Caller(base.user(role)).post(path, body)[0]
        for role in (Role.TENANT_ADMIN, Role.FINANCE, Role.LIAISON)
    }

    assert (status, own, problem["code"], other) == (201, 403, "own_override", 200)
    assert [row["id"] for row in shown] == [asked["id"]]
    assert (done["status"], done["device"]) == ("granted", light.code)
    assert strangers == {403}
