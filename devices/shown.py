"""Rows as the API shows them."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from base_ops.core.models import Space
from devices import selectors
from devices.domain import limits
from devices.domain.commands import OPEN, Status
from devices.models import Command, Device, SceneRun
from devices.schemas import CommandOut, DeviceDetailOut, DeviceOut, SceneRunOut
from devices.schemas.control import (
    ScenePreflightOut,
    SceneRefusalOut,
    SceneResultOut,
    SceneStepOut,
)
from devices.selectors import abilities
from devices.services.planning import ScenePlan


def devices(rows: Iterable[Device], *, now: datetime) -> list[DeviceOut]:
    """Devices with their live values."""
    found = list(rows)
    values = selectors.device_values(found, now=now)
    return [
        DeviceOut(
            code=d.code,
            space=d.space.code if d.space else None,
            status=d.status,
            **values[d.code],
        )
        for d in found
    ]


def device_detail(device: Device, *, now: datetime) -> DeviceDetailOut:
    """One device with its capabilities."""
    (base,) = devices([device], now=now)
    able = limits.describe(abilities.able(device))
    return DeviceDetailOut(**base.model_dump(), capabilities=able, meta=device.meta)


def command(row: Command) -> CommandOut:
    """One command; `device` should be loaded."""
    return CommandOut(
        id=row.pk,
        device=row.device.code,
        op=row.op,
        state=row.state,
        status=row.status,
        reason=row.code,
        actor=row.actor_label,
        booking=row.booking_code or None,
        scene_run=row.scene_run_id,
        created_at=row.created_at,
        expires_at=row.expires_at,
        sent_at=row.sent_at,
        acked_at=row.acked_at,
        ended_at=row.ended_at,
    )


def scene_run(row: SceneRun) -> SceneRunOut:
    """One run and its progress."""
    progress = selectors.scene_progress(row)
    return SceneRunOut(
        id=row.pk,
        space=row.space.code,
        scene=row.scene,
        booking=row.booking_code or None,
        until=row.until,
        actor=row.actor_label,
        created_at=row.created_at,
        finished=not any(progress[status] for status in OPEN),
        outcome=_outcome(progress),
        progress=progress,
        results=[
            SceneResultOut(device=c.device.code, state=c.state, status=c.status, reason=c.code)
            for c in row.commands.select_related("device").order_by("pk")
        ],
    )


def _outcome(progress: Mapping[str, int]) -> str:
    """Partial is said as such: some devices obeyed, others did not."""
    if any(progress[status] for status in OPEN):
        return "running"
    done = progress[Status.DONE]
    if done == progress["total"]:
        return "done"
    return "partial" if done else "failed"


def preflight(space: Space, scene: str, plan: ScenePlan) -> ScenePreflightOut:
    """What a scene would do."""
    before = plan.before
    return ScenePreflightOut(
        space=space.code,
        scene=scene,
        ok=not plan.refusals,
        steps=[
            SceneStepOut(
                device=step.code,
                kind=plan.targets[step.code].target.kind,
                state=dict(step.state),
                before=before[step.code],
                after_ms=round(wait.total_seconds() * 1000),
            )
            for step, wait in zip(plan.steps, plan.waits, strict=True)
        ],
        load_w=round(plan.before_w),
        load_after_w=round(plan.after_w),
        circuit_w=round(plan.circuit_w),
        refusals=[
            SceneRefusalOut(code=r.code, title_zh=r.title_zh, title_en=r.title_en, detail=r.detail)
            for r in plan.refusals
        ],
    )
