"""Messages become shadows, telemetry, closed commands, alarms, sessions and live changes."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from base_ops.core import live
from base_ops.core.spans import Span
from devices import selectors, services
from devices.domain.messages import Ack, Incoming, Meta, Status, Tele
from devices.models import Alarm, Command, Device, EnergyReading, Shadow, StreamSession
from devices.services import partitions
from devices.signals import space_changed
from tests.devices import make

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def shadow(device: Device) -> Shadow:
    return Shadow.objects.get(device=device)


def test_the_newest_state_wins_whatever_the_order(now: datetime) -> None:
    light = make.device()
    batch = [make.state(light, now, v, brightness=v) for v in (3, 1, 2, 3)]

    services.ingest([make.online(light, now), *batch], now)
    services.ingest([make.state(light, now, 2, brightness=2)], now)

    assert (shadow(light).version, shadow(light).reported) == (3, {"brightness": 3})


def test_a_new_session_starts_versions_again_and_the_old_one_is_over(now: datetime) -> None:
    light = make.device()
    services.ingest([make.online(light, now), make.state(light, now, 9, power=True)], now)
    later = now + SECOND

    services.ingest(
        [
            make.online(light, later, "s2"),
            make.state(light, later, 1, "s2", power=False),
            make.state(light, now, 10, "s1", power=True),
            make.offline(light, now, "s1"),
        ],
        later,
    )

    assert (shadow(light).session, shadow(light).version) == ("s2", 1)
    assert shadow(light).reported == {"power": False}
    assert shadow(light).link == "online"


def test_a_clock_far_ahead_does_not_shut_out_the_device(now: datetime) -> None:
    light = make.device()
    services.ingest([make.online(light, now), make.state(light, now, 9, power=False)], now)
    far = now.replace(year=2099)
    services.ingest([make.state(light, far, 2**31 - 1, "zzz", power=True)], now)
    frozen_at = shadow(light).last_seen_at
    soon, later = now + SECOND, now + 61 * SECOND

    services.ingest([make.state(light, soon, 10, power=False)], soon)
    assert (shadow(light).session, shadow(light).last_seen_at) == ("zzz", frozen_at)
    services.ingest([make.state(light, later, 11, power=False)], later)

    assert (shadow(light).session, shadow(light).version) == ("s1", 11)
    assert shadow(light).reported == {"power": False}


def test_a_device_that_comes_begins_its_session_whatever_its_clock_says(now: datetime) -> None:
    light = make.device()
    services.ingest([make.state(light, now.replace(year=2099), 5, "zzz", power=True)], now)
    past = now.replace(year=2001)

    services.ingest(
        [make.online(light, past, "s2"), make.state(light, past, 1, "s2", power=False)],
        now + SECOND,
    )

    assert (shadow(light).session, shadow(light).version) == ("s2", 1)
    assert shadow(light).reported == {"power": False}


def test_a_state_that_is_thrown_away_is_no_sign_of_life(now: datetime) -> None:
    light = make.device()
    services.ingest([make.online(light, now), make.state(light, now, 9, power=True)], now)

    services.ingest([make.state(light, now, 8, power=False)], now + SECOND)
    assert shadow(light).last_seen_at == now
    services.ingest([make.state(light, now, 9, power=True)], now + SECOND)

    assert shadow(light).last_seen_at == now + SECOND


def test_strangers_are_counted_and_only_a_meta_puts_one_into_quarantine(now: datetime) -> None:
    batch: list[Incoming] = [Status("nobody", True, "s", 1), Meta("newcomer", "light", "X")]

    result = services.ingest(batch, now)

    assert (result.accepted, result.unknown, result.quarantined) == (0, 1, 1)
    assert Device.objects.get().status == "quarantine"


def test_an_offline_device_raises_one_alarm_that_its_return_clears(now: datetime) -> None:
    light = make.device()
    services.ingest([make.online(light, now)], now)

    services.ingest([make.offline(light, now)], now)
    services.ingest([make.offline(light, now)], now)
    raised = Alarm.objects.get()
    services.ingest([make.online(light, now + SECOND, "s2")], now)

    assert (raised.code, raised.cleared_at) == ("device_offline", None)
    assert Alarm.objects.get().cleared_at == now


def test_silence_makes_stale_and_is_not_offline(now: datetime) -> None:
    light = make.device()
    assert light.space is not None
    services.ingest([make.online(light, now)], now)

    assert services.mark_stale(now + 45 * SECOND) == 0
    assert services.mark_stale(now + 46 * SECOND) == 1

    assert shadow(light).link == "stale"
    assert not Alarm.objects.exists()
    assert live.state(f"space.{light.space.code}")[2][light.code]["link"] == "stale"


def read(device: Device, metric: str, span: Span, now: datetime) -> list[tuple[datetime, float]]:
    found = selectors.telemetry(device=device, metric=metric, span=span, points=100, now=now)
    return [(at, bucket.last) for at, bucket in found.points]


def test_telemetry_revives_a_stale_device_and_is_stored_by_day(now: datetime) -> None:
    encoder = make.device("encoder")
    services.ingest([make.online(encoder, now)], now)
    services.mark_stale(now + 60 * SECOND)
    at = now + 61 * SECOND

    services.ingest(
        [
            Tele(encoder.code, make.ms(at), {"kbps": 6000.0, 'odd\\"key': 1.5}),
            Tele(encoder.code, make.ms(at - timedelta(days=1)), {"kbps": 1.0}),
        ],
        at,
    )

    assert shadow(encoder).link == "online"
    span = Span(now - timedelta(days=2), now + timedelta(days=1))
    points = read(encoder, "kbps", span, now)
    assert [value for _, value in points] == [1.0, 6000.0]
    assert read(encoder, 'odd\\"key', span, now) == [(at, 1.5)]
    assert partitions.existing()[:2] == [
        "devices_telemetry_20260914",
        "devices_telemetry_20260915",
    ]


def test_old_partitions_are_dropped_whole(now: datetime) -> None:
    partitions.make_ahead(now - timedelta(days=40))
    partitions.make_ahead(now)

    services.drop_old_partitions(now)

    assert partitions.existing()[0] == "devices_telemetry_20260915"


def test_acks_close_a_command_once_and_only_from_its_device(now: datetime) -> None:
    light, other = make.device(), make.device()
    command = services.send_command(
        device=light, state={"power": True}, actor=make.MANAGER, now=now
    )
    services.claim_commands(10, now)
    services.commands_published([command.pk], now)

    services.ingest([Ack(other.code, command.pk, "done"), Ack(light.code, "unknown", "done")], now)
    assert Command.objects.get().status == "sent"
    services.ingest(
        [Ack(light.code, command.pk, "accepted"), Ack(light.code, command.pk, "done")], now
    )
    services.ingest([Ack(light.code, command.pk, "failed", "late")], now + SECOND)

    done = Command.objects.get()
    assert (done.status, done.code, done.ended_at) == ("done", "", now)
    assert not Alarm.objects.exists()


def test_a_state_that_names_its_cause_closes_the_command(now: datetime) -> None:
    light = make.device()
    command = services.send_command(
        device=light, state={"power": True}, actor=make.MANAGER, now=now
    )
    space = light.space
    assert space is not None
    assert live.state(f"space.{space.code}")[2][light.code]["pending"] is True

    services.ingest([make.state(light, now, 1, power=True, cause=command.pk)], now)

    assert Command.objects.get().status == "done"
    value = live.state(f"space.{space.code}")[2][light.code]
    assert (value["pending"], value["reported"]) == (False, {"power": True})


def test_a_failed_command_raises_and_a_later_success_clears(now: datetime) -> None:
    light = make.device(link="online", seen_at=now)
    first, second = (
        services.send_command(device=light, state={"power": on}, actor=make.MANAGER, now=now)
        for on in (True, False)
    )

    services.ingest([Ack(light.code, first.pk, "failed", "lamp_broken")], now)
    raised = Alarm.objects.get()
    services.ingest([Ack(light.code, second.pk, "done")], now)

    assert (raised.code, raised.detail["why"]) == ("command_failed", "lamp_broken")
    assert Alarm.objects.get().cleared_at == now


def test_failed_commands_of_a_device_are_one_alarm_that_counts(now: datetime) -> None:
    light = make.device(link="online", seen_at=now)
    sent = [
        services.send_command(device=light, state=state, actor=make.MANAGER, now=now)
        for state in ({"power": True}, {"brightness": 7}, {"brightness": 9})
    ]

    services.ingest([Ack(light.code, sent[0].pk, "failed", "a")], now)
    services.ingest([Ack(light.code, c.pk, "failed", "b") for c in sent[1:]], now)

    detail = Alarm.objects.get().detail
    assert (detail["count"], detail["why"]) == (3, "b")
    assert detail["wanted"] == {"power": True, "brightness": 9}


def test_a_device_that_reports_what_was_wanted_clears_the_alarm(now: datetime) -> None:
    light = make.device(link="online", seen_at=now)
    command = services.send_command(
        device=light, state={"power": True}, actor=make.MANAGER, now=now
    )
    services.ingest([Ack(light.code, command.pk, "failed", "stuck")], now)

    services.ingest([make.state(light, now, 1, power=False)], now)
    assert Alarm.objects.get().cleared_at is None
    services.ingest([make.state(light, now, 2, power=True)], now)

    assert Alarm.objects.get().cleared_at == now


def test_a_space_alarm_is_raised_once_renewed_and_cleared(now: datetime) -> None:
    light = make.device()
    assert light.space is not None
    heard: list[set[int]] = []

    def hear(*, space_ids: set[int], **_: Any) -> None:
        heard.append(space_ids)

    space_changed.connect(hear)
    try:
        for why in ("a", "a", "b"):
            services.raise_space_alarm(light.space, "not_ready", {"why": why}, now)
        ((key, value),) = live.state("alarms")[2].items()
        services.clear_space_alarms_but([light.space.pk], "not_ready", now)
        assert Alarm.objects.get().cleared_at is None
        services.clear_space_alarm(light.space, "not_ready", now)
    finally:
        space_changed.disconnect(hear)

    row = Alarm.objects.get()
    assert (str(row.pk), row.detail, row.cleared_at) == (key, {"why": "b"}, now)
    assert (value["space"], value["device"]) == (light.space.code, None)
    assert heard == [{light.space.pk}] * 3
    assert live.state("alarms")[2] == {}


def test_cleared_alarms_go_after_ninety_days(now: datetime) -> None:
    light = make.device()
    assert light.space is not None
    services.raise_space_alarm(light.space, "not_ready", {}, now)
    services.clear_space_alarm(light.space, "not_ready", now)

    assert services.prune(now + timedelta(days=90)) == 0
    assert services.prune(now + timedelta(days=91)) == 1


def test_an_encoder_opens_loses_and_ends_a_session(now: datetime) -> None:
    encoder = make.device("encoder")
    space = encoder.space
    assert space is not None
    until = now + timedelta(hours=1)
    services.ingest([make.online(encoder, now)], now)
    services.ingest([make.state(encoder, now, 1, run="live", until=make.ms(until))], now)
    assert selectors.on_air_space_ids() == {space.pk}

    services.ingest([make.offline(encoder, now)], now + 600 * SECOND)
    assert selectors.on_air_space_ids() == set()
    assert selectors.on_air_of([space.pk], now=now + 601 * SECOND)[space.pk].until == until
    services.ingest(
        [
            make.online(encoder, now + 660 * SECOND, "s2"),
            make.state(encoder, now + 660 * SECOND, 1, "s2", run="stopped"),
        ],
        now + 660 * SECOND,
    )

    session = StreamSession.objects.get()
    assert session.ended_at == now + 600 * SECOND
    assert selectors.stream_minutes(space=space, span=Span(now, until)) == 10


def test_a_bad_uplink_needs_three_samples_to_raise_and_three_to_clear(now: datetime) -> None:
    encoder = make.device("encoder")
    services.ingest([make.online(encoder, now), make.state(encoder, now, 1, run="live")], now)

    def sample(dropped_pct: float) -> bool:
        message = Tele(encoder.code, make.ms(now), {"dropped_pct": dropped_pct})
        services.ingest([message], now)
        return Alarm.objects.filter(cleared_at=None).exists()

    assert [sample(5.0) for _ in range(3)] == [False, False, True]
    assert sample(2.0)  # in between: neither
    assert [sample(0.1) for _ in range(3)] == [True, True, False]


def test_meters_count_energy_across_a_reset(now: datetime) -> None:
    meter = make.device("power_meter")
    space = meter.space
    assert space is not None
    counters = [1000.0, 1100.0, 50.0, 150.0]

    for n, wh in enumerate(counters):
        at = now + timedelta(minutes=10 * n)
        services.ingest([Tele(meter.code, make.ms(at), {"energy_wh": wh, "power_w": 600.0})], at)

    span = Span(now, now + timedelta(minutes=30))
    assert EnergyReading.objects.count() == 4
    assert selectors.energy_wh(space=space, span=span) == 100 + 50 + 100
    assert selectors.energy_wh(space=make.device().space, span=span) is None  # type: ignore[arg-type]


def test_those_above_hear_of_air_links_and_alarms_in_the_same_transaction(now: datetime) -> None:
    encoder = make.device("encoder")
    heard: list[set[int]] = []

    def hear(*, space_ids: set[int], **_: Any) -> None:
        assert connection.in_atomic_block
        heard.append(space_ids)

    space_changed.connect(hear)
    try:
        services.ingest([make.online(encoder, now)], now)
        services.ingest([Tele(encoder.code, make.ms(now), {"kbps": 1.0})], now)
        services.ingest([make.state(encoder, now, 1, run="live")], now)
    finally:
        space_changed.disconnect(hear)

    assert heard == [{encoder.space_id}, {encoder.space_id}]
