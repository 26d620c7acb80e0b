"""Who may command what, asked when queued and again when sent; the outbox in between."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from base_ops.core.actors import SYSTEM, Actor
from base_ops.core.errors import DomainError
from base_ops.core.models import Space, User
from devices import services
from devices.domain.capabilities import BadState, NotControllable
from devices.domain.entitlement import NotEntitled
from devices.domain.interlock import OnAirInterlock
from devices.domain.messages import Ack
from devices.models import Alarm, Command, Device, Grant, Shadow, StreamSession
from tests import make as base
from tests.devices import make

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def studio() -> tuple[Space, Device, Device, Device]:
    space = base.space()
    return (
        space,
        make.device("light", space=space, link="online"),
        make.device("camera", space=space, link="online"),
        make.device("encoder", space=space, link="online"),
    )


def hold(space: Space, tenant_id: int, now: datetime, code: str = "BK1") -> None:
    services.grant_control(
        space=space, tenant_id=tenant_id, booking_code=code, until=now + HOUR, now=now
    )


def put_on_air(encoder: Device, now: datetime, until: datetime | None = None) -> None:
    end: dict[str, Any] = {"until": make.ms(until)} if until else {}
    services.ingest(
        [make.online(encoder, now), make.state(encoder, now, 1, run="live", **end)], now
    )


def status_of(command: Command) -> tuple[str, str]:
    row = Command.objects.get(pk=command.pk)
    return row.status, row.code


def test_who_may_command_a_light(now: datetime) -> None:
    space, light, _, _ = studio()
    holder, other = base.tenant(), base.tenant()
    hold(space, holder.pk, now)

    def may(actor: Actor, at: datetime) -> bool:
        try:
            services.send_command(device=light, state={"power": True}, actor=actor, now=at)
        except NotEntitled:
            return False
        return True

    staff = {
        role: may(Actor("user", "1", role, role=role), now)
        for role in ("manager", "technician", "admin", "finance", "liaison")
    }
    assert staff == {
        "manager": True,
        "technician": True,
        "admin": True,
        "finance": False,
        "liaison": False,
    }
    assert may(make.tenant_actor(holder.pk), now)
    assert may(make.tenant_actor(holder.pk), now + HOUR - SECOND)
    assert not may(make.tenant_actor(holder.pk), now + HOUR)
    assert not may(make.tenant_actor(other.pk), now)
    assert may(SYSTEM, now)


def test_the_system_starts_a_stream_only_for_a_holder(now: datetime) -> None:
    space, _, _, _ = studio()

    with pytest.raises(NotEntitled):
        services.apply_scene(space=space, scene="on_air", actor=SYSTEM, now=now)
    assert not Command.objects.exists()


def test_a_right_revoked_after_queueing_stops_the_command(now: datetime) -> None:
    space, light, _, _ = studio()
    tenant = base.tenant()
    hold(space, tenant.pk, now)
    command = services.send_command(
        device=light, state={"power": True}, actor=make.tenant_actor(tenant.pk), now=now
    )

    services.revoke_control(booking_code="BK1", now=now)

    assert services.claim_commands(10, now) == []
    assert status_of(command) == ("rejected", "not_entitled")


def test_a_right_granted_anew_does_not_revive_what_was_queued_before(now: datetime) -> None:
    space, light, _, _ = studio()
    tenant = base.tenant()
    hold(space, tenant.pk, now)
    command = services.send_command(
        device=light, state={"power": True}, actor=make.tenant_actor(tenant.pk), now=now
    )

    services.revoke_control(booking_code="BK1", now=now)
    hold(space, tenant.pk, now)

    assert services.claim_commands(10, now) == []
    assert status_of(command) == ("rejected", "not_entitled")


@pytest.mark.parametrize(
    "change", [{"is_active": False}, {"role": "finance"}, {"role": "technician"}]
)
def test_who_left_or_changed_after_queueing_is_not_obeyed(
    now: datetime, change: dict[str, Any]
) -> None:
    _, light, _, _ = studio()
    who = base.user()
    wish: dict[str, Any] = {"device": light, "state": {"power": True}, "actor": who.actor}
    command = services.send_command(**wish, now=now)
    User.objects.filter(pk=who.pk).update(**change)

    assert services.claim_commands(10, now) == []
    assert status_of(command) == ("rejected", "not_entitled")


def test_a_member_who_changed_the_tenant_is_not_obeyed(now: datetime) -> None:
    space, light, _, _ = studio()
    holder = base.tenant()
    hold(space, holder.pk, now)
    actor = make.tenant_actor(holder.pk)
    wish: dict[str, Any] = {"device": light, "state": {"power": True}, "actor": actor}
    command = services.send_command(**wish, now=now)
    User.objects.filter(pk=actor.id).update(tenant=base.tenant())

    assert services.claim_commands(10, now) == []
    assert status_of(command) == ("rejected", "not_entitled")


def test_on_air_equipment_is_not_switched_off_by_others(now: datetime) -> None:
    space, light, camera, encoder = studio()
    tenant = base.tenant()
    hold(space, tenant.pk, now)
    put_on_air(encoder, now, until=now + HOUR)
    holder = make.tenant_actor(tenant.pk)

    for scene in ("wrap", "off", "standby", "prepare"):
        with pytest.raises(OnAirInterlock):
            services.apply_scene(space=space, scene=scene, actor=SYSTEM, now=now)
    for device, state in (
        (light, {"power": False}),
        (camera, {"privacy": True}),
        (camera, {"pan": 20}),
        (encoder, {"run": "stopped"}),
        (encoder, {"kbps": 3000}),
    ):
        for actor in (SYSTEM, make.MANAGER):
            with pytest.raises(OnAirInterlock):
                services.send_command(device=device, state=state, actor=actor, now=now)
        services.send_command(device=device, state=state, actor=holder, now=now)
    services.send_command(device=light, state={"brightness": 50}, actor=make.MANAGER, now=now)


def test_the_encoders_own_end_opens_the_interlock(now: datetime) -> None:
    space, _, _, encoder = studio()
    put_on_air(encoder, now, until=now + HOUR)

    run = services.apply_scene(space=space, scene="wrap", actor=SYSTEM, now=now + HOUR)

    assert run.commands.filter(device=encoder, state__run="stopped").exists()


def test_a_room_that_goes_on_air_after_queueing_stops_the_command(now: datetime) -> None:
    _, light, _, encoder = studio()
    command = services.send_command(device=light, state={"power": False}, actor=SYSTEM, now=now)

    put_on_air(encoder, now)

    assert services.claim_commands(10, now) == []
    assert status_of(command) == ("rejected", "on_air_interlock")


def test_the_system_never_overrides_the_interlock(now: datetime) -> None:
    _, light, _, encoder = studio()
    put_on_air(encoder, now)

    with pytest.raises(NotEntitled):
        services.send_command(
            device=light, state={"power": False}, actor=SYSTEM, override=True, now=now
        )


def test_an_expired_command_is_never_claimed(now: datetime) -> None:
    light = make.device(link="online", seen_at=now)
    command = services.send_command(device=light, state={"power": True}, actor=SYSTEM, now=now)

    assert services.claim_commands(10, now + 10 * SECOND) == []

    assert status_of(command) == ("expired", "expired")
    assert Alarm.objects.get().code == "command_failed"


@pytest.mark.parametrize("link", ["unknown", "offline"])
def test_a_command_waits_while_its_device_is_away(now: datetime, link: str) -> None:
    light = make.device(link=link)
    command = services.send_command(
        device=light, state={"power": True}, actor=SYSTEM, now=now, ttl_s=60
    )

    assert services.claim_commands(10, now) == []
    services.ingest([make.online(light, now + 30 * SECOND)], now + 30 * SECOND)

    assert [c.pk for c in services.claim_commands(10, now + 31 * SECOND)] == [command.pk]


@pytest.mark.parametrize("link", ["unknown", "offline"])
def test_a_device_that_is_known_to_be_away_raises_nothing_more(now: datetime, link: str) -> None:
    light = make.device(link=link)
    command = services.send_command(device=light, state={"power": True}, actor=SYSTEM, now=now)

    assert services.expire_commands(now + 10 * SECOND) == 1

    assert status_of(command) == ("expired", "expired")
    assert not Alarm.objects.exists()


def test_a_command_that_nobody_answered_is_sent_again_while_it_is_valid(now: datetime) -> None:
    _, light, _, _ = studio()
    command = services.send_command(
        device=light, state={"power": True}, actor=SYSTEM, now=now, ttl_s=60
    )
    services.claim_commands(10, now)
    services.commands_published([command.pk], now)

    assert services.claim_commands(10, now + 4 * SECOND) == []
    again = services.claim_commands(10, now + 6 * SECOND)
    services.commands_published([command.pk], now + 6 * SECOND)

    assert [c.pk for c in again] == [command.pk]
    assert services.claim_commands(10, now + 10 * SECOND) == []
    assert services.claim_commands(10, now + 60 * SECOND) == []


def test_scenes_of_the_base_live_as_long_as_they_make_sense(now: datetime) -> None:
    space, _, _, _ = studio()

    def lives(scene: str, actor: Actor) -> float:
        Command.objects.all().delete()
        run = services.apply_scene(space=space, scene=scene, actor=actor, now=now)
        return {(c.expires_at - now).total_seconds() for c in run.commands.all()}.pop()

    assert lives("prepare", SYSTEM) == 120
    assert lives("prepare", make.MANAGER) == 30
    assert lives("wrap", SYSTEM) == 600


def test_time_expires_what_is_queued_and_fails_what_nobody_answered(now: datetime) -> None:
    _, light, camera, _ = studio()
    queued = services.send_command(device=light, state={"power": True}, actor=SYSTEM, now=now)
    sent = services.send_command(device=camera, state={"power": True}, actor=SYSTEM, now=now)
    services.commands_published([sent.pk], now)

    assert services.expire_commands(now + 9 * SECOND) == 0
    assert services.expire_commands(now + 10 * SECOND) == 1
    assert services.expire_commands(now + 15 * SECOND) == 1

    assert status_of(queued) == ("expired", "expired")
    assert status_of(sent) == ("failed", "no_answer")


def test_proof_that_comes_late_stands_against_a_presumed_end(now: datetime) -> None:
    """A device does nothing after the expiry; so what it says is done, was done in time."""
    _, light, camera, _ = studio()
    orders = [
        services.send_command(device=device, state={"power": True}, actor=SYSTEM, now=now)
        for device in (light, camera)
    ]
    services.expire_commands(now + 10 * SECOND)
    later = now + 20 * SECOND

    services.command_acked([Ack(light.code, orders[0].pk, "done", "", 2)], now=later)
    services.command_acked([Ack(camera.code, orders[1].pk, "rejected", "bad", 2)], now=later)
    services.command_acked([Ack(light.code, orders[0].pk, "failed", "", 2)], now=later)

    assert [status_of(order) for order in orders] == [("done", ""), ("expired", "expired")]


def test_what_was_accepted_and_then_presumed_failed_is_done_once_the_device_says_so(
    now: datetime,
) -> None:
    """The bridge died between the two answers."""
    _, light, _, _ = studio()
    order = services.send_command(device=light, state={"power": True}, actor=SYSTEM, now=now)
    services.commands_published([order.pk], now)
    services.command_acked([Ack(light.code, order.pk, "accepted")], now=now)
    services.expire_commands(now + 15 * SECOND)
    presumed = status_of(order)

    services.command_acked([Ack(light.code, order.pk, "done", "", 2)], now=now + 20 * SECOND)

    assert presumed == ("failed", "no_answer")
    assert status_of(order) == ("done", "")


def test_a_device_has_one_command_on_its_way(now: datetime) -> None:
    _, light, camera, _ = studio()
    first, second = (
        services.send_command(device=light, state={"brightness": n}, actor=SYSTEM, now=now)
        for n in (10, 20)
    )
    third = services.send_command(device=camera, state={"power": True}, actor=SYSTEM, now=now)

    assert [c.pk for c in services.claim_commands(10, now)] == [first.pk, third.pk]
    assert services.claim_commands(10, now) == []
    services.commands_published([first.pk, third.pk], now)
    assert services.claim_commands(10, now) == []
    assert services.command_acked([Ack(light.code, first.pk, "done")], now=now) == 1

    assert [c.pk for c in services.claim_commands(10, now)] == [second.pk]


def test_a_claim_whose_bridge_died_is_claimed_again(now: datetime) -> None:
    _, light, _, _ = studio()
    command = services.send_command(device=light, state={"power": True}, actor=SYSTEM, now=now)
    services.claim_commands(10, now)

    assert services.claim_commands(10, now + 4 * SECOND) == []
    assert [c.pk for c in services.claim_commands(10, now + 5 * SECOND)] == [command.pk]


def test_bad_input_is_refused_with_field_and_reason(now: datetime) -> None:
    _, light, _, _ = studio()
    sensor = make.device("sensor", space=light.space)

    with pytest.raises(BadState) as refused:
        services.send_command(
            device=light, state={"brightness": 101, "pan": 1}, actor=SYSTEM, now=now
        )
    with pytest.raises(NotControllable):
        services.send_command(device=sensor, state={"power": True}, actor=SYSTEM, now=now)

    assert [f.name for f in refused.value.fields] == ["brightness", "pan"]
    assert "0–100" in refused.value.fields[0].reason_en


def test_a_scene_sends_only_what_differs_and_knows_what_is_on_its_way(now: datetime) -> None:
    space, light, _, encoder = studio()
    services.apply_scene(space=space, scene="prepare", actor=SYSTEM, now=now)
    count = Command.objects.count()

    again = services.apply_scene(space=space, scene="prepare", actor=SYSTEM, now=now)
    back = services.apply_scene(space=space, scene="wrap", actor=SYSTEM, now=now)

    assert again.commands.count() == 0
    assert back.commands.get(device=light).state == {"power": False}
    assert not back.commands.filter(device=encoder).exists()
    assert Command.objects.count() == count + back.commands.count()
    assert (Shadow.objects.get(device=light).desired or {})["power"] is False


def test_extending_tells_a_streaming_encoder_its_later_end(now: datetime) -> None:
    space, _, _, encoder = studio()
    tenant = base.tenant()
    hold(space, tenant.pk, now)
    put_on_air(encoder, now, until=now + HOUR)

    services.extend_grant(booking_code="BK1", until=now + 2 * HOUR, now=now)

    (command,) = services.claim_commands(10, now)
    assert command.state["until"] == make.ms(now + 2 * HOUR)
    assert Grant.objects.get().until == now + 2 * HOUR


def test_a_tenants_stream_never_outlasts_the_grant(now: datetime) -> None:
    space, _, _, encoder = studio()
    tenant = base.tenant()
    hold(space, tenant.pk, now)

    run = services.apply_scene(
        space=space,
        scene="on_air",
        actor=make.tenant_actor(tenant.pk),
        booking_code="BK1",
        until=now + 5 * HOUR,
        now=now,
    )

    state = run.commands.get(device=encoder).state
    assert state == {
        "run": "live",
        "until": make.ms(now + HOUR),
        "target_ref": "booking:BK1",
    }


def test_a_device_out_of_service_takes_no_commands(now: datetime) -> None:
    light = make.device(status="maintenance")

    with pytest.raises(DomainError) as refused:
        services.send_command(device=light, state={"power": True}, actor=SYSTEM, now=now)

    assert refused.value.code == "device_not_active"
    assert not StreamSession.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_bridges_never_claim_one_command(now: datetime) -> None:
    lights = [make.device(link="online") for _ in range(20)]
    for light in lights:
        services.send_command(device=light, state={"power": True}, actor=SYSTEM, now=now)

    def claim(_: int) -> list[str]:
        try:
            return [c.pk for c in services.claim_commands(3, now)]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as bridges:
        claimed = [pk for part in bridges.map(claim, range(12)) for pk in part]

    assert len(claimed) == len(set(claimed))
    assert len(claimed) + len(services.claim_commands(100, now)) == len(lights)
