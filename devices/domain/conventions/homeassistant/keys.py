"""What the values of a device are called in our state.

The entity that the device is mostly about takes our own keys (power, brightness, cct …). All
others go by their own object id; their parts as `<object>.<part>`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from devices.domain.capabilities import Rule
from devices.domain.conventions.homeassistant.entity import Entity

LONGEST = 48
OURS = frozenset(
    [
        "power",
        "mode",
        "brightness",
        "cct",
        "rgb",
        "white",
        "preset",
        "effect",
        "fade_ms",
        "flash",
        "setpoint_c",
        "setpoint_low_c",
        "setpoint_high_c",
        "humidity_target",
        "temperature_c",
        "humidity",
        "action",
        "fan",
        "swing",
        "locked",
        "run",
        "codec",
        "tally",
        "privacy",
    ]
)
_MAIN = {"switch": "power", "lock": "locked"}  # the part "" of a main entity
_OTHER = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Key:
    """Where a key of our state leads."""

    entity: int  # its place among the entities
    part: str
    rule: Rule | None


def name(built: Sequence[Entity]) -> tuple[Mapping[str, Key], tuple[str, ...]]:
    """The keys that a device may be told, and what each entity's part "" is called.

    An entity that takes our own keys is called "".
    """
    main = _main(built)
    taken: set[str] = set()
    names: list[str] = []
    keys: dict[str, Key] = {}
    for place, entity in enumerate(built):
        called = "" if place == main else _free(entity, taken)
        taken.add(called)
        names.append(called)
        for part, rule in entity.rules.items():
            keys[of(entity, called, part)] = Key(place, part, rule)
    return keys, tuple(names)


def of(entity: Entity, called: str, part: str) -> str:
    """The key of one part."""
    if not called:
        return part or _MAIN.get(entity.identity.platform, "value")
    return f"{called}.{part}" if part else called


def _main(built: Sequence[Entity]) -> int | None:
    """The entity that takes our own keys; of several sockets alike, none."""
    able = [e for e in built if e.primary < 99 and e.category not in ("config", "diagnostic")]
    if not able:
        return None
    best = min(e.primary for e in able)
    rivals = sorted(
        (e for e in able if e.primary == best),
        key=lambda e: (not e.main, e.identity.object_id, e.identity.uid),
    )
    if len(rivals) > 1 and not rivals[0].main and best > 1:
        return None
    return next(place for place, entity in enumerate(built) if entity is rivals[0])


def _free(entity: Entity, taken: set[str]) -> str:
    platform = entity.identity.platform
    plain = _OTHER.sub("_", entity.identity.object_id.lower()).strip("_")[:32] or platform
    tries = [plain, f"{platform}_{plain}"] if plain not in OURS else [f"{platform}_{plain}"]
    for candidate in (*tries, *(f"{platform}_{plain}_{n}" for n in range(2, 300))):
        if candidate not in taken:
            return candidate
    raise AssertionError("a device has at most 200 entities")
