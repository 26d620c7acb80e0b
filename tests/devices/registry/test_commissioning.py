"""A device is tested by commands like any other, and judged by what it reports."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from base_ops.core import clock
from base_ops.core.models import Role
from devices import services
from devices.domain import capabilities, commissioning
from devices.domain.commissioning import Result, StepStatus
from devices.domain.messages import Ack, Meta, Tele
from devices.models import Command, CommissioningRun, Device
from devices.services import commissioning as tests
from devices.services import placing
from tests import make as base
from tests.devices import make
from tests.devices.registry.calls import Caller

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)
ABLE = capabilities.table(kind="light")


class Bench:
    """A light that obeys, but for what it is told not to; each look takes a second."""

    def __init__(self, device: Device, now: datetime, **reported: Any) -> None:
        self.device, self.at = device, now
        self.version = 1
        self.state: dict[str, Any] = reported
        self.deaf: set[str] = set()
        self.refuses: set[str] = set()
        self.say()

    def say(self) -> None:
        said = [make.online(self.device, self.at)]
        services.ingest(said, self.at)
        report = make.state(self.device, self.at, self.version, **self.state)
        services.ingest([report], self.at)
        self.version += 1

    def look(self) -> None:
        self.at += SECOND
        tests.advance_tests(self.at)
        for command in services.claim_commands(10, self.at):
            services.commands_published([command.pk], self.at)
            key = next(iter(command.state))
            if key in self.refuses:
                services.ingest([Ack(self.device.code, command.pk, "rejected", "no")], self.at)
                continue
            self.state |= {k: v for k, v in command.state.items() if k not in self.deaf}
            services.ingest([Ack(self.device.code, command.pk, "done")], self.at)
        self.say()

    def until_ended(self, run: CommissioningRun) -> CommissioningRun:
        for _ in range(200):
            self.look()
            run.refresh_from_db()
            if run.result != Result.RUNNING:
                return run
        raise AssertionError("the test never ended")


def begin(device: Device, now: datetime) -> CommissioningRun:
    return tests.start_test(code=device.code, actor=make.MANAGER, now=now)


def by_name(run: CommissioningRun) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for step in run.steps.all():
        found.setdefault(step.name, set()).add(step.status)
    return found


def test_a_light_that_obeys_passes_and_is_left_as_it_was(now: datetime) -> None:
    light = make.device(status="maintenance")
    before = {"power": False, "brightness": 70, "cct": 5600, "mode": "cct"}
    bench = Bench(light, now, **before)

    run = bench.until_ended(begin(light, now))

    assert run.result == "passed"
    assert {status for found in by_name(run).values() for status in found} == {"passed"}
    assert {k: bench.state[k] for k in before} == before
    tried = set(Command.objects.values_list("test", "actor_label"))
    assert tried == {(True, make.MANAGER.label)}
    assert Device.objects.get(pk=light.pk).status == "maintenance"


def test_a_light_that_says_done_but_does_not_fails_at_that_step(now: datetime) -> None:
    light = make.device()
    bench = Bench(light, now, power=False, brightness=70)
    bench.deaf = {"brightness"}

    run = bench.until_ended(begin(light, now))

    failed = run.steps.filter(status=StepStatus.FAILED).first()
    assert failed is not None
    assert (run.result, failed.name, failed.why) == ("failed", "set_brightness", "not_reported")
    found = by_name(run)
    assert found["set_rgb"] == {"skipped"}  # nothing more is tried
    assert found["restore"] == {"passed"}  # but what was changed is put back


def test_a_refusal_is_named(now: datetime) -> None:
    light = make.device()
    bench = Bench(light, now, power=False)
    bench.refuses = {"power"}

    run = bench.until_ended(begin(light, now))

    failed = run.steps.filter(name="set_power", status=StepStatus.FAILED).first()
    assert failed is not None
    assert failed.why == "no"


def test_a_device_that_is_away_fails_at_the_first_step_after_a_minute(now: datetime) -> None:
    light = make.device()
    run = begin(light, now)

    tests.advance_tests(now + 59 * SECOND)
    run.refresh_from_db()
    assert run.result == "running"
    tests.advance_tests(now + 121 * SECOND)

    run.refresh_from_db()
    assert run.result == "failed"
    assert not Command.objects.exists()


def test_another_model_than_registered_is_found(now: datetime) -> None:
    light = make.device()
    bench = Bench(light, now, power=False)
    services.ingest([Meta(light.code, "light", "LT-OTHER")], now)

    run = bench.until_ended(begin(light, now))

    assert by_name(run)["identity"] == {"failed"}


def test_a_meter_passes_by_measuring(now: datetime) -> None:
    meter = make.device("power_meter")
    services.ingest([make.online(meter, now)], now)
    run = begin(meter, now)
    tests.advance_tests(now + SECOND)
    services.ingest(
        [Tele(meter.code, make.ms(now + 2 * SECOND), {"power_w": 5.0})], now + 2 * SECOND
    )
    tests.advance_tests(now + 3 * SECOND)

    run.refresh_from_db()
    assert run.result == "passed"


def test_no_step_starts_a_stream_or_unlocks_a_door() -> None:
    touched = {
        key
        for kind in ("encoder", "access", "light", "camera", "hvac", "audio")
        for step in commissioning.plan(
            table=capabilities.table(kind=kind), reported={}, measures=False
        )
        for key in step.state or {}
    }

    assert touched
    assert touched.isdisjoint({"run", "until", "target_ref", "locked"})


def test_every_step_is_within_the_limits() -> None:
    for kind in ("light", "encoder", "switcher", "audio", "hvac", "monitor"):
        able = capabilities.table(kind=kind)
        for step in commissioning.plan(table=able, reported={}, measures=False):
            for key, value in (step.state or {}).items():
                assert able[key].fault(value) is None


def test_tests_over_http() -> None:
    now = clock.now()
    light, nowhere = make.device(), make.device(status="retired")
    assert light.space is not None
    placing.settle([light.pk])
    who = Caller(Role.TECHNICIAN)

    started = who.post(f"/devices/{light.code}/tests")
    path = f"/device-tests/{started[1]['id']}"
    again = who.post(f"/devices/{light.code}/tests")
    retired = who.post(f"/devices/{nowhere.code}/tests")
    aborted = who.post(f"{path}/abort")
    ended = who.post(f"{path}/abort")
    services.grant_control(
        space=light.space, tenant_id=base.tenant().pk, booking_code="BK9",
        until=now + timedelta(hours=1), now=now,
    )  # fmt: skip
    in_use = who.post(f"/devices/{light.code}/tests")

    assert (started[0], started[1]["result"], started[1]["place"]) == (202, "running", light.code)
    assert started[1]["steps"][0]["name"] == "link"
    assert (again[0], again[1]["code"]) == (409, "test_running")
    assert (retired[0], retired[1]["code"]) == (409, "not_testable")
    assert (aborted[1]["result"], {s["status"] for s in aborted[1]["steps"]}) == (
        "aborted", {"skipped"},
    )  # fmt: skip
    assert (ended[0], ended[1]["code"]) == (409, "not_testable")
    assert (in_use[0], in_use[1]["code"]) == (409, "room_in_use")
    assert who.get(path)[1]["result"] == "aborted"
    assert len(who.get(f"/devices/{light.code}/tests")[1]) == 1
    assert who.get("/device-tests/99999999")[1]["code"] == "no_such_test"
