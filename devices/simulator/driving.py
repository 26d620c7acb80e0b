"""A simulated camera on the move: as fast as it is told, until its time is over. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devices.domain import capabilities
from devices.domain.capabilities import Number

FULL_SPEED: Mapping[str, float] = {"pan": 60.0, "tilt": 40.0, "zoom": 0.5}  # per second
DEADMAN_MS = 500  # where an order names none


@dataclass(frozen=True, slots=True)
class Drive:
    """Speeds from an instant on; at `until_ms` it stops by itself."""

    speeds: Mapping[str, float]
    from_ms: int
    until_ms: int

    @classmethod
    def of(cls, order: Mapping[str, Any], now_ms: int) -> "Drive":
        """As an order asks."""
        speeds = {axis: float(order[axis]) for axis in FULL_SPEED if axis in order}
        return cls(speeds, now_ms, now_ms + int(order.get("deadman_ms", DEADMAN_MS)))

    def position(self, state: Mapping[str, Any], now_ms: int, *, model: str) -> dict[str, float]:
        """Where it has got by now, from where `state` says that it began."""
        seconds = (min(now_ms, self.until_ms) - self.from_ms) / 1000
        able = capabilities.table(kind="camera", model=model)
        found = {}
        for axis, speed in self.speeds.items():
            at = float(state.get(axis, 0)) + speed * FULL_SPEED[axis] * seconds
            rule = able[axis]
            assert isinstance(rule, Number)
            found[axis] = round(min(max(at, rule.low), rule.high), 4)
        return found
