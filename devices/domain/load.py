"""What a room draws once a scene has come about, and how its lamps are switched on in turn. Pure.

Planning figures: what a model draws at most, scaled by what it is told. A supply that starts
draws a multiple of that for some tens of milliseconds; so lamps are not started all at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

MOST = 0.8  # of what a circuit carries, for as long as a show lasts
AT_ONCE_W = 1500.0  # may start together
APART = timedelta(milliseconds=250)
_STANDBY, _DIMMED = 0.02, 0.05


@dataclass(frozen=True, slots=True)
class Load:
    """Of one device: its planning power and the state to reckon with."""

    code: str
    kind: str
    rated_w: float
    state: Mapping[str, Any]


def draw_w(load: Load) -> float:
    """What it draws in that state."""
    if load.state.get("power") is False:
        return load.rated_w * _STANDBY
    if load.kind == "light" and "brightness" in load.state:
        return load.rated_w * (_DIMMED + (1 - _DIMMED) * float(load.state["brightness"]) / 100)
    return load.rated_w


def total_w(loads: Iterable[Load]) -> float:
    """What they draw together."""
    return sum(map(draw_w, loads))


def is_too_much(after_w: float, circuit_w: float, *, adds: bool) -> bool:
    """Whether a scene would load a circuit beyond what it may; one that adds nothing may.

    `adds`: it turns something on, or draws more than was known to be drawn before.
    """
    return adds and circuit_w > 0 and after_w > MOST * circuit_w


def starts(turned_on_w: Sequence[float]) -> list[timedelta]:
    """When each command of a plan may go out: those that start supplies, group by group.

    Args:
        turned_on_w: for each step the planning power of what it starts; 0 where it starts nothing.
    """
    waits, group_w, wait = [], 0.0, timedelta(0)
    for watts in turned_on_w:
        if watts and group_w and group_w + watts > AT_ONCE_W:
            wait, group_w = wait + APART, 0.0
        group_w += watts
        waits.append(wait)
    return waits
