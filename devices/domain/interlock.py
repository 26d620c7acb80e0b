"""Equipment of a room on air is not switched off, stopped, re-patched or moved by others. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from base_ops.core.errors import Conflict

_PATCHES = frozenset({"codec", "w", "h", "fps", "kbps", "target_ref"})
_MOVES: Mapping[str, frozenset[str]] = {
    "camera": frozenset({"pan", "tilt", "zoom", "preset", "focus"}),
    "switcher": frozenset({"program_input"}),
}
_SHOWING = frozenset({"light", "camera", "monitor", "display", "prompter", "power_outlet"})
# The value that harms: a dark light, a closed shutter, a muted sound, a sign that lies.
_HARMFUL: Mapping[tuple[str, str], object] = {
    ("light", "brightness"): 0,
    ("camera", "privacy"): True,
    ("audio", "muted"): True,
    ("access", "on_air_sign"): False,
}


class OnAirInterlock(Conflict):
    """The room is on air and the command would harm the show."""

    code, title_zh, title_en = "on_air_interlock", "直播中,操作被联锁拒绝", "On air: interlocked"


class OverrideNotGranted(Conflict):
    """Setting the interlock aside takes a second person's word, which was not given or is over."""

    code = "override_not_granted"
    title_zh = "联锁解除须第二人批准"
    title_en = "A second person must grant the override"


@dataclass(frozen=True, slots=True)
class Override:
    """A second person's word: who may act, on which device (None: all of the room), until when."""

    actor_id: str
    device_id: int | None
    until: datetime


@dataclass(frozen=True, slots=True)
class OnAir:
    """A room streams since, until (None = open end)."""

    since: datetime
    until: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Whether the show still runs: an encoder's own end has not come."""
        return self.until is None or now < self.until


def harms(kind: str, op: str, state: Mapping[str, Any], reported: Mapping[str, Any]) -> bool:
    """Whether a command would switch off, stop, re-patch or move; repeating what is, does not."""
    if op == "move":
        return True
    change = {key: value for key, value in state.items() if reported.get(key) != value}
    if kind == "encoder":
        return _stops(change) or bool(_PATCHES & change.keys()) or _shortens(change, reported)
    if kind == "camera" and _shortens(change, reported):
        return True
    if change.get("power") is False and kind in _SHOWING:
        return True
    if _MOVES.get(kind, frozenset()) & change.keys():
        return True
    return any(_HARMFUL.get((kind, key), ...) == value for key, value in change.items())


def _stops(change: Mapping[str, Any]) -> bool:
    return bool(change.get("run", "live") != "live")


def _shortens(change: Mapping[str, Any], reported: Mapping[str, Any]) -> bool:
    """An earlier end cuts the show; a first or later one does not."""
    now_until, until = reported.get("until"), change.get("until")
    return bool(until is not None and now_until is not None and until < now_until)


def check(*, on_air: OnAir | None, harmful: bool, is_holder: bool, now: datetime) -> None:
    """Let a command pass, or refuse it.

    Args:
        on_air: the show in the room, if there is one.
        harmful: see `harms`.
        is_holder: the actor is the tenant who holds the room now.
        now: the instant of the decision.

    Raises:
        OnAirInterlock: it would harm a show that is somebody else's.
    """
    if harmful and not is_holder and on_air is not None and on_air.holds(now):
        raise OnAirInterlock(on_air_since=on_air.since.isoformat())


def check_granted(
    granted: Iterable[Override], actor_id: str, device_id: int | None, now: datetime
) -> None:
    """Let an override pass that a second person granted to this one, or refuse it.

    Raises:
        OverrideNotGranted: nobody did, or its time is over.
    """
    for one in granted:
        fits = one.device_id is None or one.device_id == device_id
        if one.actor_id == actor_id and fits and now < one.until:
            return
    raise OverrideNotGranted
