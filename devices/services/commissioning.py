"""The test of a device, step by step: told by commands like any other, judged by what it reports.

Starting one only writes its steps; a job leads every running test on, as answers come in.
"""

import logging
from datetime import datetime, timedelta

from django.db import transaction

from base_ops.core import audit
from base_ops.core.actors import Actor
from base_ops.core.errors import Conflict, DomainError, NotFound
from devices import selectors
from devices.domain import commissioning as plans
from devices.domain.commands import OPEN, Status
from devices.domain.commissioning import Result, Seen, Step, StepStatus
from devices.domain.lifecycle import Stage
from devices.domain.shadow import Link
from devices.models import CommissioningRun, CommissioningStep, Device, Telemetry
from devices.selectors import abilities
from devices.services import announce, living, placing, queueing

logger = logging.getLogger(__name__)
MEASURING = frozenset({"power_meter", "sensor", "encoder"})


class NotTestable(Conflict):
    """It is in quarantine or retired, or hangs nowhere."""

    code, title_zh, title_en = "not_testable", "该设备无法测试", "This device cannot be tested"


class TestRunning(Conflict):
    """A test of this device runs."""

    __test__ = False  # no test of pytest's
    code, title_zh, title_en = "test_running", "测试进行中", "A test is running"


class RoomInUse(Conflict):
    """A tenant holds the room, or a show is on air: tests would disturb them."""

    code, title_zh, title_en = "room_in_use", "空间正在使用", "The room is in use"


class NoSuchTest(NotFound):
    """Unknown id."""

    code, title_zh, title_en = "no_such_test", "没有此测试", "No such test"


def start_test(*, code: str, actor: Actor, now: datetime) -> CommissioningRun:
    """Plan the test of a device that hangs somewhere.

    Raises:
        living.UnknownDevice, NotTestable, TestRunning, RoomInUse.
    """
    with transaction.atomic():
        device = living.locked(code)
        _check_testable(device, now)
        hung = placing.mounting_of(device)
        run = CommissioningRun.objects.create(
            device=device,
            place=hung.place if hung else None,
            started_at=now,
            firmware=str(device.meta.get("firmware", ""))[:64],
            actor_kind=actor.kind,
            actor_id=actor.id,
            actor_label=actor.label,
            actor_role=actor.role,
            actor_tenant_id=actor.tenant_id,
        )
        shadow = getattr(device, "shadow", None)
        steps = plans.plan(
            table=abilities.able(device),
            reported=shadow.reported if shadow else {},
            measures=device.kind in MEASURING,
        )
        CommissioningStep.objects.bulk_create(
            CommissioningStep(
                run=run, number=n, name=s.name, title_zh=s.title_zh, title_en=s.title_en,
                state=dict(s.state) if s.state is not None else None,
            )
            for n, s in enumerate(steps, start=1)
        )  # fmt: skip
        _tell(run, actor, "test.start", now)
    return run


def _check_testable(device: Device, now: datetime) -> None:
    if device.status not in (Stage.ACTIVE, Stage.MAINTENANCE) or device.space_id is None:
        raise NotTestable(f"{device.code} is {device.status}")
    if device.tests.filter(result=Result.RUNNING).exists():
        raise TestRunning(device.code)
    held = selectors.rights_of_space(device.space_id, now=now)
    if held or selectors.on_air_of([device.space_id], now=now):
        raise RoomInUse(device.space.code if device.space else "")


def abort_test(*, run_id: int, actor: Actor, now: datetime) -> CommissioningRun:
    """Stop a test where it is; what it told the device stays as it is.

    Raises:
        NoSuchTest; NotTestable: it is over.
    """
    with transaction.atomic():
        rows = CommissioningRun.objects.select_for_update(of=("self",)).select_related("device")
        run = rows.filter(pk=run_id).first()
        if run is None:
            raise NoSuchTest(str(run_id))
        if run.result != Result.RUNNING:
            raise NotTestable(f"the test has {run.result}")
        open_steps = run.steps.filter(status__in=(StepStatus.WAITING, StepStatus.RUNNING))
        open_steps.update(status=StepStatus.SKIPPED, ended_at=now)
        _end(run, Result.ABORTED, actor, now)
    return run


def advance_tests(now: datetime) -> int:
    """Lead every running test on; returns how many moved."""
    ids = CommissioningRun.objects.filter(result=Result.RUNNING).values_list("pk", flat=True)
    return sum(_advance(pk, now) for pk in list(ids))


def _advance(run_id: int, now: datetime) -> int:
    with transaction.atomic():
        rows = CommissioningRun.objects.select_for_update(of=("self",), skip_locked=True)
        run = rows.filter(pk=run_id, result=Result.RUNNING).first()
        if run is None:
            return 0
        device = Device.objects.select_related("model", "space", "shadow").get(pk=run.device_id)
        steps = list(run.steps.select_related("command"))
        moved = _judge_running(steps, device, now)
        while (step := _following(steps)) is not None:
            _begin(step, steps, run, device, now)
            moved = True
            if not _judge_running(steps, device, now):
                break
        result = plans.result_of([StepStatus(s.status) for s in steps])
        if result is not Result.RUNNING:
            _end(run, result, run.actor, now)
    return int(moved)


def _following(steps: list[CommissioningStep]) -> CommissioningStep | None:
    """The next step to begin, while none runs."""
    if any(s.status == StepStatus.RUNNING for s in steps):
        return None
    return next((s for s in steps if s.status == StepStatus.WAITING), None)


def _begin(
    step: CommissioningStep,
    steps: list[CommissioningStep],
    run: CommissioningRun,
    device: Device,
    now: datetime,
) -> None:
    """Let a step begin; after a failure only what puts things back is still done."""
    if step.name != plans.RESTORE and any(s.status == StepStatus.FAILED for s in steps):
        _close(step, StepStatus.SKIPPED, now)
        return
    step.status, step.started_at = StepStatus.RUNNING, now
    if step.state is not None:
        try:
            with transaction.atomic():
                step.command = queueing.send_command(
                    device=device, state=step.state, actor=run.actor, test=True,
                    now=now, ttl_s=plans.TELL_S,
                )  # fmt: skip
        except DomainError as exc:
            _close(step, StepStatus.FAILED, now, exc.code)
            return
    step.save()


def _judge_running(steps: list[CommissioningStep], device: Device, now: datetime) -> bool:
    """Close the running step when it can be judged; returns whether none runs any more."""
    step = next((s for s in steps if s.status == StepStatus.RUNNING), None)
    if step is None:
        return True
    started = step.started_at or now
    seen = _seen(device)
    step.seen = {"link": str(seen.link), "reported": _part(step, seen)}
    waited_s = (now - started).total_seconds()
    if step.state is None:
        planned = Step(step.name, step.title_zh, step.title_en)
        if plans.looked(planned, seen, started):
            _close(step, StepStatus.PASSED, now)
        elif waited_s >= plans.LOOK_S:
            _close(step, StepStatus.FAILED, now, "not_seen")
    else:
        _judge_told(step, seen, now, waited_s)
    return step.status != StepStatus.RUNNING


def _judge_told(step: CommissioningStep, seen: Seen, now: datetime, waited_s: float) -> None:
    command = step.command
    late = timedelta(seconds=waited_s) >= timedelta(seconds=plans.TELL_S * 2)
    if command is None:
        _close(step, StepStatus.FAILED, now, "command_lost")
    elif command.status == Status.DONE:
        if plans.shows(step.state or {}, seen.reported):
            _close(step, StepStatus.PASSED, now)
        elif late:
            _close(step, StepStatus.FAILED, now, "not_reported")
    elif command.status not in OPEN:
        _close(step, StepStatus.FAILED, now, command.code or str(command.status))


def _close(step: CommissioningStep, status: StepStatus, now: datetime, why: str = "") -> None:
    step.status, step.why, step.ended_at = status, why[:64], now
    step.save()


def _part(step: CommissioningStep, seen: Seen) -> dict[str, object]:
    """What the device reports of what the step is about."""
    return {key: seen.reported[key] for key in step.state or {} if key in seen.reported}


def _seen(device: Device) -> Seen:
    shadow = getattr(device, "shadow", None)
    measured = Telemetry.objects.filter(device=device).order_by("-at").values_list("at", flat=True)
    ours = device.convention == "wb1"  # others name models as their makers do
    return Seen(
        link=Link(shadow.link) if shadow else Link.UNKNOWN,
        seen_at=shadow.last_seen_at if shadow else None,
        reported=shadow.reported if shadow else {},
        model=device.model.code if device.model else "",
        stated_model=str(device.meta.get("model", "")) if ours else "",
        measured_at=measured.first(),
    )


def _end(run: CommissioningRun, result: Result, actor: Actor, now: datetime) -> None:
    run.result, run.ended_at = result, now
    run.save(update_fields=["result", "ended_at"])
    _tell(run, actor, "test.end", now)
    logger.info("test.ended", extra={"device": run.device.code, "result": str(result)})


def _tell(run: CommissioningRun, actor: Actor, action: str, now: datetime) -> None:
    audit.record(
        actor=actor,
        action=action,
        object_type="device_test",
        object_code=str(run.pk),
        after={"device": run.device.code, "result": str(run.result)},
        now=now,
    )
    changes = announce.Changes()
    changes.registry["test"] = {
        "id": run.pk, "device": run.device.code, "result": str(run.result), "at": now.isoformat(),
    }  # fmt: skip
    announce.tell(changes, now=now)
