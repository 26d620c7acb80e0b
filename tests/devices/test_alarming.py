"""Alarms from rules: raised once, held while they flap, silenced, told, escalated, answered."""

import copy
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from base_ops.core import live
from base_ops.core.models import AuditEntry, Notice
from devices import services
from devices.domain.alarmrules import standard
from devices.domain.messages import Event, Tele
from devices.models import Alarm, AlarmPending, AlarmRules, Device
from devices.selectors import rules
from devices.services import windows
from devices.services.alarm_rules import BadAlarmRules, NoSuchAlarmRule
from tests import make as base
from tests.devices import make

pytestmark = pytest.mark.django_db
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def say(device: Device, at: datetime, **metrics: float) -> None:
    services.ingest([Tele(device.code, make.ms(at), metrics)], at)


def publish(change: Callable[[dict[str, dict[str, Any]]], None], now: datetime) -> None:
    """Write the next version, with the standard rules changed by code."""
    document = standard.document()
    by_code = {rule["code"]: rule for rule in document["rules"]}
    change(by_code)
    services.publish_alarm_rules(
        document={"rules": list(by_code.values())}, actor=make.MANAGER, check=lambda _: None,
        now=now,
    )  # fmt: skip
    rules.forget()


def open_codes(device: Device) -> list[str]:
    rows = Alarm.objects.filter(device=device, cleared_at=None).order_by("code")
    return list(rows.values_list("code", flat=True))


def told(kind: str) -> list[Notice]:
    return list(Notice.objects.filter(kind=kind).order_by("pk"))


def test_a_limit_is_raised_after_its_time_once_and_cleared_below_the_other(now: datetime) -> None:
    light = make.device("light")

    say(light, now, head_temp_c=95)
    waiting = open_codes(light)
    say(light, now + 59 * SECOND, head_temp_c=91)
    say(light, now + 60 * SECOND, head_temp_c=92)
    say(light, now + 90 * SECOND, head_temp_c=99)
    raised = Alarm.objects.get()
    say(light, now + 100 * SECOND, head_temp_c=80)
    between = open_codes(light)
    say(light, now + 110 * SECOND, head_temp_c=75)

    assert (waiting, between, open_codes(light)) == ([], ["head_hot"], [])
    assert (raised.rule, raised.severity, raised.title_zh) == ("head_hot", "warning", "灯头过热")
    assert raised.detail == {
        "metric": "head_temp_c", "value": 92, "limit": 90, "since": now.isoformat(),
    }  # fmt: skip
    assert not AlarmPending.objects.exists()


def test_a_duration_goes_on_counting_in_another_process(now: datetime) -> None:
    light = make.device("light")
    say(light, now, head_temp_c=95)

    rules.forget()
    say(light, now + 61 * SECOND, head_temp_c=95)

    assert open_codes(light) == ["head_hot"]


def test_what_rises_and_falls_within_one_batch_leaves_nothing_behind(now: datetime) -> None:
    light = make.device("light")
    batch = [
        Tele(light.code, make.ms(now + n * SECOND), {"head_temp_c": v})
        for n, v in ((-90, 95.0), (-20, 95.0), (-10, 60.0))
    ]

    services.ingest(batch, now)

    assert open_codes(light) == []
    assert not AlarmPending.objects.exists()


def test_a_meter_near_what_its_circuit_carries_is_an_overload(now: datetime) -> None:
    meter = make.device("power_meter", space=base.space(circuit_capacity_kw=5))

    say(meter, now, power_w=4800)
    say(meter, now + 30 * SECOND, power_w=4800)

    alarm = Alarm.objects.get()
    assert (alarm.code, alarm.severity, alarm.detail["value"]) == ("overload", "critical", 0.96)


def test_a_rate_is_found_in_the_raw_measurements_and_clears_when_it_is_over(now: datetime) -> None:
    sensor = make.device("sensor")
    for n in range(6):
        say(sensor, now + n * 40 * SECOND, temperature_c=24 + 2.0 * n)

    services.go_round(now + 200 * SECOND)
    during = open_codes(sensor)
    for n in range(6, 16):
        say(sensor, now + n * 40 * SECOND, temperature_c=27)
    services.go_round(now + 600 * SECOND)

    assert (during, open_codes(sensor)) == (["heat_rise"], [])


def test_offline_may_have_to_last_and_who_is_back_in_time_raises_nothing(now: datetime) -> None:
    def patient(by_code: dict[str, dict[str, Any]]) -> None:
        by_code["offline"]["params"] = {"for_s": 60}

    publish(patient, now)
    light, back, encoder = make.device("light"), make.device("light"), make.device("encoder")
    for device in (light, back, encoder):
        services.ingest([make.online(device, now), make.offline(device, now)], now)
    services.ingest([make.online(back, now + 30 * SECOND, "s2")], now + 30 * SECOND)

    services.go_round(now + 59 * SECOND)
    before = open_codes(light)
    services.go_round(now + 60 * SECOND)
    services.go_round(now + 70 * SECOND)

    assert (before, open_codes(light), open_codes(back)) == ([], ["device_offline"], [])
    assert open_codes(encoder) == ["device_offline"]
    assert Alarm.objects.count() == 2


def test_severity_and_words_follow_the_first_rule_that_fits(now: datetime) -> None:
    light, encoder = make.device("light"), make.device("encoder")
    for device in (light, encoder):
        services.ingest([make.online(device, now), make.offline(device, now)], now)
    smoke = make.device("sensor")
    services.ingest([Event(smoke.code, make.ms(now), "smoke"), Event(light.code, 1, "door")], now)

    found = {a.device_id: (a.rule, a.severity) for a in Alarm.objects.all()}

    assert found == {
        light.pk: ("offline", "warning"),
        encoder.pk: ("offline_vital", "critical"),
        smoke.pk: ("smoke", "critical"),
    }


def test_a_rule_that_is_switched_off_raises_nothing_and_ends_what_it_raised(now: datetime) -> None:
    light = make.device("light")
    say(light, now, head_temp_c=95)
    say(light, now + MINUTE, head_temp_c=95)
    publish(lambda by_code: by_code["head_hot"].update(enabled=False), now)

    services.go_round(now + 2 * MINUTE)
    say(light, now + 3 * MINUTE, head_temp_c=95)
    say(light, now + 5 * MINUTE, head_temp_c=95)

    assert open_codes(light) == []
    assert not AlarmPending.objects.exists()


def test_what_comes_and_goes_too_often_stays_until_it_is_calm(now: datetime) -> None:
    light = make.device("light")
    at = now
    for n in range(6):
        services.ingest([make.online(light, at, f"s{n}"), make.offline(light, at, f"s{n}")], at)
        services.ingest([make.online(light, at + SECOND, f"s{n}b")], at + SECOND)
        at += MINUTE

    held = Alarm.objects.get(cleared_at=None)
    services.go_round(held.raised_at + 11 * MINUTE)
    still = open_codes(light)
    services.go_round(at + 11 * MINUTE)

    assert Alarm.objects.count() == 4
    assert held.good_since is not None
    assert held.detail["flapping"] == 4
    assert (still, open_codes(light)) == (["device_offline"], [])


def test_people_are_told_once_and_a_hundred_at_once_are_one_notice(now: datetime) -> None:
    lights = [make.device("light") for _ in range(5)]
    services.ingest([make.online(d, now) for d in lights], now)
    services.ingest([make.offline(d, now) for d in lights], now)

    services.call(now)
    services.call(now + 2 * SECOND)

    (notice,) = told("alarm.raised")
    assert (notice.audience, notice.params["count"]) == ("roles:technician", 5)
    assert not notice.urgent


def test_what_nobody_acknowledges_goes_to_the_next_and_what_somebody_does_not(
    now: datetime,
) -> None:
    mine, other = make.device("encoder"), make.device("encoder")
    for device in (mine, other):
        services.ingest([make.online(device, now), make.offline(device, now)], now)
    services.call(now)
    answered = Alarm.objects.get(device=mine)
    services.acknowledge_alarm(alarm_id=answered.pk, actor=make.MANAGER, now=now + MINUTE)

    services.call(now + 9 * MINUTE)
    before = len(told("alarm.escalated"))
    for minutes in (10, 11, 90):
        services.call(now + minutes * MINUTE)

    (notice,) = told("alarm.escalated")
    assert before == 0
    assert (notice.audience, notice.params["count"], notice.urgent) == ("roles:manager", 1, True)


@pytest.mark.parametrize("of", ["device", "space"])
def test_a_silenced_alarm_is_raised_and_told_only_when_the_silence_is_over(
    of: str, now: datetime
) -> None:
    encoder = make.device("encoder")
    thing = {"device": encoder, "space": None} if of == "device" else {
        "device": None, "space": encoder.space,
    }  # fmt: skip
    services.silence(
        **thing,
        until=now + 30 * MINUTE,
        reason="检修",
        actor=make.MANAGER,
        now=now,
    )
    services.ingest([make.online(encoder, now), make.offline(encoder, now)], now)

    services.call(now + 20 * MINUTE)
    during = Notice.objects.count()
    services.call(now + 30 * MINUTE)

    assert (open_codes(encoder), during) == (["device_offline"], 0)
    assert {n.kind for n in Notice.objects.all()} == {"alarm.raised", "alarm.escalated"}


@pytest.mark.parametrize("of", ["device", "space"])
def test_nobody_is_called_of_what_is_in_a_maintenance_window_until_it_is_over(
    of: str, now: datetime
) -> None:
    encoder, other = make.device("encoder"), make.device("encoder")
    wish = windows.WindowWish(
        now, now + 30 * MINUTE, "换线",
        space=encoder.space if of == "space" else None,
        devices=[encoder] if of == "device" else [],
    )  # fmt: skip
    windows.open_window(wish=wish, actor=make.MANAGER, now=now)
    services.ingest([make.online(encoder, now), make.offline(encoder, now)], now)

    services.call(now + 20 * MINUTE)
    during = Notice.objects.count()
    services.ingest([make.online(other, now), make.offline(other, now)], now)
    services.call(now + 21 * MINUTE)
    elsewhere = Notice.objects.count()
    services.call(now + 30 * MINUTE)

    assert (open_codes(encoder), during) == (["device_offline"], 0)
    assert 0 < elsewhere < Notice.objects.count()


def test_the_live_topic_shows_words_and_state(now: datetime) -> None:
    encoder = make.device("encoder")
    services.ingest([make.online(encoder, now), make.offline(encoder, now)], now)
    alarm = Alarm.objects.get()
    services.acknowledge_alarm(alarm_id=alarm.pk, actor=make.MANAGER, now=now)

    shown = live.state("alarms")[2][str(alarm.pk)]

    assert (shown["title_zh"], shown["state"]) == ("设备离线", "active_acknowledged")


def test_a_version_is_written_once_and_one_rule_can_be_edited_in_place(now: datetime) -> None:
    services.ensure_alarm_rules(now=now)
    hot = next(r for r in standard.document()["rules"] if r["code"] == "head_hot")
    hot["params"]["limit"] = 85
    seen: list[int] = []

    row = services.edit_alarm_rule(
        code="head_hot", rule=hot, actor=make.MANAGER, check=seen.append, now=now
    )

    assert (seen, row.version) == ([1], 2)
    places = [r["code"] for r in standard.document()["rules"]]
    assert [r["code"] for r in row.document["rules"]] == places
    audit = AuditEntry.objects.get(action="alarm_rules.publish")
    assert audit.after == {
        "version": 2, "note": "", "added": [], "removed": [], "changed": ["head_hot"],
    }  # fmt: skip
    broken = copy.deepcopy(hot)
    broken["params"]["clear"] = 99
    with pytest.raises(BadAlarmRules) as refused:
        services.edit_alarm_rule(
            code="head_hot", rule=broken, actor=make.MANAGER, check=seen.append, now=now
        )
    with pytest.raises(NoSuchAlarmRule):
        services.edit_alarm_rule(
            code="nope", rule=hot, actor=make.MANAGER, check=seen.append, now=now
        )
    assert [f.name for f in refused.value.fields] == ["params.clear"]
    assert AlarmRules.objects.count() == 2


def test_a_rule_that_this_release_does_not_understand_stops_nothing(now: datetime) -> None:
    document = standard.document()
    document["rules"].append({"code": "later", "kind": "clairvoyance"})
    AlarmRules.objects.create(version=9, created_at=now, created_by="x", document=document)
    rules.forget()
    light = make.device("light")

    services.ingest([make.online(light, now), make.offline(light, now)], now)

    assert open_codes(light) == ["device_offline"]
