"""The two questions before a command: is the actor entitled, and would it harm a show?

Asked when a command is queued and again when it is sent, of the same facts read anew.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from base_ops.core.actors import Actor
from devices import selectors
from devices.domain import entitlement, interlock
from devices.domain.entitlement import NotEntitled, Right
from devices.domain.interlock import OnAir, Override
from devices.models import Device
from devices.models.registry import DeviceStatus


@dataclass(frozen=True, slots=True)
class Facts:
    """Who holds the rooms and which of them are on air, read once for many commands."""

    rights: Mapping[int, Sequence[Right]]
    shows: Mapping[int, OnAir]
    now: datetime
    overrides: Mapping[int, Sequence[Override]] = field(default_factory=dict)


def facts(space_ids: Iterable[int], *, now: datetime) -> Facts:
    """Read the facts about these spaces."""
    ids = list(space_ids)
    return Facts(
        rights=selectors.live_rights(ids, now=now),
        shows=selectors.on_air_of(ids, now=now),
        now=now,
        overrides=selectors.granted_overrides(ids, now=now),
    )


@dataclass(frozen=True, slots=True)
class Request:
    """One command before it is queued, or again before it is sent."""

    space_id: int
    kind: str
    op: str
    state: Mapping[str, Any]
    reported: Mapping[str, Any]
    actor: Actor
    override: bool = False
    device_id: int | None = None


def may_obey(device: Device, *, test: bool) -> bool:
    """Whether it takes commands: in service, or in maintenance while it is tested."""
    return device.status == DeviceStatus.ACTIVE or (
        test and device.status == DeviceStatus.MAINTENANCE
    )


def check(request: Request, known: Facts) -> Right | None:
    """The right that the command rests on, or None for staff and the system.

    Raises:
        NotEntitled: the actor does not hold the room, or overrides without being staff.
        OverrideNotGranted: no second person has granted the override that would be needed.
        OnAirInterlock: the command would harm a show that is somebody else's.
    """
    rights = known.rights.get(request.space_id, ())
    right = entitlement.check(request.actor, request.state, rights, known.now)
    if request.override and not entitlement.may_override(request.actor):
        raise NotEntitled("only the base's staff overrides the interlock")
    try:
        interlock.check(
            on_air=known.shows.get(request.space_id),
            harmful=interlock.harms(request.kind, request.op, request.state, request.reported),
            is_holder=right is not None,
            now=known.now,
        )
    except interlock.OnAirInterlock:
        if not request.override:
            raise
        granted = known.overrides.get(request.space_id, ())
        interlock.check_granted(granted, request.actor.id, request.device_id, known.now)
    return right
