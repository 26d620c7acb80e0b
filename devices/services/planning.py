"""What a scene would do to a space, and what stands against it; asked beforehand, too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from base_ops.core.actors import Actor
from base_ops.core.errors import Conflict, DomainError
from base_ops.core.models import Space
from devices.domain import limits, load, scenes
from devices.domain.capabilities import Table
from devices.domain.commands import OPEN
from devices.domain.entitlement import Right
from devices.domain.load import Load
from devices.domain.scenes import Scene, Step, Target, Wish
from devices.models import Command, Device, Shadow
from devices.models.registry import DeviceStatus
from devices.selectors import abilities
from devices.services import guarding


class TooMuchLoad(Conflict):
    """The circuit of the room would carry more than four fifths of what it may."""

    code, title_zh, title_en = (
        "too_much_load",
        "回路负载将超过 80%",
        "The circuit would be overloaded",
    )


@dataclass(frozen=True, slots=True)
class Row:
    """One device of the space as a scene sees it."""

    device_id: int
    target: Target
    reported: Mapping[str, Any]
    able: Table | None = None  # where it is not that of its kind
    rated_w: float = 0.0

    def load(self, change: Mapping[str, Any] = MappingProxyType({})) -> Load:
        """What to reckon with, before or after a change."""
        state = {**self.target.expected, **change}
        return Load(self.target.code, self.target.kind, self.rated_w, state)


@dataclass(frozen=True, slots=True)
class ScenePlan:
    """The least steps in their order, when each may go out, and why it must not be at all."""

    steps: Sequence[Step]
    waits: Sequence[timedelta]
    targets: Mapping[str, Row]
    right: Right | None
    until: datetime | None
    before_w: float
    after_w: float
    circuit_w: float
    refusals: Sequence[DomainError]

    @property
    def before(self) -> dict[str, dict[str, Any]]:
        """What the steps change, as it is now, without what a device does not report."""
        return {
            step.code: {k: had[k] for k in step.state if k in had}
            for step in self.steps
            for had in (self.targets[step.code].target.expected,)
        }


def plan_scene(
    *,
    space: Space,
    scene: Scene,
    actor: Actor,
    booking_code: str | None,
    until: datetime | None,
    now: datetime,
) -> ScenePlan:
    """The plan of a scene; to be called in a transaction, which holds the shadows.

    Raises:
        entitlement.NotEntitled: no right to this space now. Other refusals are in the plan.
    """
    targets = _targets(space)
    known = guarding.facts([space.pk], now=now)
    right = guarding.check(guarding.Request(space.pk, "", "set", {}, {}, actor), known)
    wish = Wish(until=_end(scene, until, right, known, space.pk), target_ref=_ref(booking_code))
    steps = _fitted(scenes.plan(scene, [t.target for t in targets.values()], wish), targets)
    changes = {step.code: step.state for step in steps}
    before_w = load.total_w(row.load() for row in targets.values())
    after_w = load.total_w(
        row.load(changes.get(code, MappingProxyType({}))) for code, row in targets.items()
    )
    circuit_w = float(space.circuit_capacity_kw) * 1000
    refusals = _refusals(space.pk, steps, targets, actor, known)
    started = [targets[s.code].rated_w if s.state.get("power") is True else 0.0 for s in steps]
    if load.is_too_much(after_w, circuit_w, adds=any(started) or after_w > before_w):
        refusals.append(TooMuchLoad(f"{after_w:.0f} W of {circuit_w:.0f} W", space=space.code))
    return ScenePlan(
        steps, load.starts(started), targets, right, wish.until,
        before_w, after_w, circuit_w, refusals,
    )  # fmt: skip


def _refusals(
    space_id: int,
    steps: Sequence[Step],
    targets: Mapping[str, Row],
    actor: Actor,
    known: guarding.Facts,
) -> list[DomainError]:
    """What stands against single steps, each kind once."""
    found: dict[str, DomainError] = {}
    for step in steps:
        row = targets[step.code]
        request = guarding.Request(
            space_id, row.target.kind, "set", step.state, row.reported, actor
        )
        try:
            guarding.check(request, known)
        except DomainError as refusal:
            found.setdefault(refusal.code, refusal)
    return list(found.values())


def _targets(space: Space) -> dict[str, Row]:
    """Active devices of the space by code, their shadows locked in order of id."""
    devices = Device.objects.filter(space=space, status=DeviceStatus.ACTIVE)
    found = list(devices.select_related("model").order_by("pk"))
    ids = [d.pk for d in found]
    locked = Shadow.objects.select_for_update().filter(device_id__in=ids).order_by("device_id")
    reported = {s.device_id: s.reported for s in locked}
    on_the_way = _states_on_the_way(ids)
    return {
        d.code: Row(
            d.pk,
            Target(
                code=d.code,
                kind=d.kind,
                role=d.role,
                model=d.model.code if d.model else "",
                expected=reported.get(d.pk, {}) | on_the_way.get(d.pk, {}),
            ),
            reported.get(d.pk, {}),
            abilities.able(d) if abilities.is_special(d) else None,
            float(d.model.planning_power_w) if d.model else 0.0,
        )
        for d in found
    }


def _fitted(steps: Sequence[Step], targets: Mapping[str, Row]) -> list[Step]:
    """The steps, with what each device of its own limits can take of them."""
    found = []
    for step in steps:
        row = targets[step.code]
        if row.able is None:
            found.append(step)
            continue
        had = row.target.expected
        state = limits.fit(step.state, row.able)
        changed = {key: value for key, value in state.items() if had.get(key) != value}
        if changed:
            found.append(replace(step, state=changed))
    return found


def _states_on_the_way(device_ids: list[int]) -> dict[int, dict[str, Any]]:
    """What open commands will have made of each device, the latest last."""
    result: dict[int, dict[str, Any]] = {}
    of = Command.objects.filter(device_id__in=device_ids, status__in=OPEN)
    rows = of.exclude(op="move").order_by("pk")
    for device_id, state in rows.values_list("device_id", "state"):
        result.setdefault(device_id, {}).update(state)
    return result


def _end(
    scene: Scene, until: datetime | None, right: Right | None, known: guarding.Facts, space_id: int
) -> datetime | None:
    """When pictures and streams end by themselves: never after the end of the tenant's right."""
    if scene is Scene.PREPARE and until is not None:
        return until  # of the booking to come: whoever holds the room still is another
    if scene not in (Scene.ON_AIR, Scene.PREPARE):
        return None
    holder = right or next(iter(known.rights.get(space_id, ())), None)
    if holder is None:
        return until
    return min(until, holder.until) if until else holder.until


def _ref(booking_code: str | None) -> str | None:
    """A name for the stream target; the key itself never leaves its vault."""
    return f"booking:{booking_code}" if booking_code else None
