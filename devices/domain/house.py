"""House lights (LT-HOUSE) keep a rule of their own: nobody works, cleans or shows in the dark.

On from `prepare` until wrap and cleaning are over; whatever the scene, never dark while somebody
is in the room or it is on air. Pure.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from devices.domain.scenes import Scene

_IN_USE = frozenset({Scene.PREPARE, Scene.ON_AIR})


@dataclass(frozen=True, slots=True)
class Room:
    """What the rule looks at; `scene` is the last one that was applied, at `scene_at`."""

    scene: Scene | None
    scene_at: datetime | None
    cleaning: timedelta
    somebody_there: bool
    on_air: bool


def is_lit(room: Room, now: datetime) -> bool:
    """Whether the house lights of the room must be on now."""
    if room.on_air or room.somebody_there or room.scene in _IN_USE:
        return True
    return room.scene_at is not None and now < room.scene_at + room.cleaning
