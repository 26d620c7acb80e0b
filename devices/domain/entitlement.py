"""Who may command a device at this moment. Pure; asked when queued and again when sent."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from base_ops.core.actors import Actor
from base_ops.core.errors import Forbidden

STAFF_ROLES = frozenset({"manager", "technician", "admin"})


class NotEntitled(Forbidden):
    """The actor does not hold this room now."""

    code, title_zh, title_en = (
        "not_entitled",
        "当前无权控制该空间",
        "No right to control this room now",
    )


@dataclass(frozen=True, slots=True)
class Right:
    """A tenant may control a space until an instant; revoking raises the epoch."""

    id: int
    tenant_id: int
    booking_code: str
    until: datetime
    epoch: int
    revoked_at: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Whether it counts at this instant; the end does not."""
        return self.revoked_at is None and now < self.until


def right_of(actor: Actor, rights: Sequence[Right], now: datetime) -> Right | None:
    """The right by which a tenant's actor may command, the longest one."""
    held = [r for r in rights if r.tenant_id == actor.tenant_id and r.holds(now)]
    return max(held, key=lambda r: r.until, default=None)


def check(
    actor: Actor, state: Mapping[str, Any], rights: Sequence[Right], now: datetime
) -> Right | None:
    """The right that the command rests on; None for staff and the system.

    `rights` are those of the space where the device is. The system prepares and clears rooms, but
    starts a stream only for somebody who holds the room.

    Raises:
        NotEntitled: neither staff, nor the holder of a right, nor the system at its work.
    """
    if actor.tenant_id is not None:
        if right := right_of(actor, rights, now):
            return right
        raise NotEntitled
    if actor.kind in ("system", "demo"):
        if state.get("run") == "live" and not any(r.holds(now) for r in rights):
            raise NotEntitled("the system starts a stream only under a live grant")
        return None
    if actor.kind == "user" and actor.role in STAFF_ROLES:
        return None
    raise NotEntitled


def check_target(state: Mapping[str, Any], right: Right | None) -> None:
    """A tenant's encoder streams to the target of its own booking, or nowhere.

    Raises:
        NotEntitled: it is another's.
    """
    ref = state.get("target_ref")
    if right is not None and ref is not None and ref != f"booking:{right.booking_code}":
        raise NotEntitled("the stream target is not that of this booking")


def bounded(
    state: Mapping[str, Any], right: Right | None, able: Collection[str]
) -> Mapping[str, Any]:
    """What a tenant asks for, with its end: what it shows ends with the right at the latest.

    `able` are the keys that the device takes; one without `until` is closed by scene `wrap`.
    """
    shows = state.get("run") == "live" or state.get("privacy") is False
    if right is None or "until" not in able or not (shows or "until" in state):
        return state
    end = int(right.until.timestamp() * 1000)
    wished = state.get("until")
    return {**state, "until": min(wished, end) if wished else end}


def may_override(actor: Actor) -> bool:
    """Whether the actor may set the on-air interlock aside, on record."""
    return actor.kind == "user" and actor.tenant_id is None and actor.role in STAFF_ROLES
