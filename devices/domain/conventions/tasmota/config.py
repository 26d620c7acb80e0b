"""The configuration that a Tasmota device announces, read strictly.

Quirks that the options bring (`so`, by number):

- 4: results come on their own topic (stat/…/DIMMER) instead of RESULT; both are heard always.
- 20: brightness and colour do not turn the light on.
- 30: a relay is a light.
- 68: each PWM channel is a dimmer of its own, told by Channel<n>.
- 82: colour temperature only from 200 to 380 mireds instead of 153 to 500.
- 117: a fade lasts as long as it is told, however far it goes.

`lk` 0 splits a light of four or five channels in two: colour (Dimmer1), white (Dimmer2). `ty`: a
Tuya dimmer, told by Dimmer3. `if` 1: an iFan, whose first light is a mere relay.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devices.domain.conventions.plain import is_clean
from devices.domain.conventions.reading import topic, word
from devices.domain.conventions.refusal import BadDiscovery

RELAY, LIGHT, SHUTTER = 1, 2, 3
MAX_OUTPUTS = 32
_STATE = re.compile(r"[^\s;]{1,32}")
DIMMER, CT, RGB, RGBW, RGBCW = 1, 2, 3, 4, 5


@dataclass(frozen=True, slots=True)
class Light:
    """One light: `index` is that of its Power command; `shape` one of the five, 0: on and off."""

    prefix: str
    index: int
    shape: int
    dimmer_command: str
    dimmer_state: str


@dataclass(frozen=True, slots=True)
class Config:
    """All that matters of it."""

    mac: str
    name: str
    model: str
    firmware: str
    command: str  # topics up to and with their last slash
    stat: str
    tele: str
    online: str
    offline: str
    off: str
    on: str
    relays: Mapping[str, int]  # prefix → index of its Power command
    lights: tuple[Light, ...]
    switches: tuple[int, ...]
    fan: bool
    tuya: bool
    is_light: bool
    free_power: bool  # option 20
    fixed_fade: bool  # option 117
    mireds: tuple[int, int]


def read(said: Mapping[str, Any]) -> Config:
    """Read the document.

    Raises:
        BadDiscovery: with the key that makes no sense.
    """
    if said.get("ver") != 1:
        raise BadDiscovery("ver", "must be 1")
    options = said.get("so", {})
    if not isinstance(options, dict):
        raise BadDiscovery("so", "must be an object")
    states = _words(said, "state", 2)
    if any(not _STATE.fullmatch(state) for state in states[:2]):
        raise BadDiscovery("state", "must be plain words")  # they become part of a Backlog
    relays, lights = _outputs(said, options)
    command, stat, tele = (_topic(said, at) for at in range(3))
    return Config(
        mac=word(said.get("mac"), "mac", longest=32),
        name=_text(said.get("dn")),
        model=_text(said.get("md")),
        firmware=_text(said.get("sw")),
        command=command,
        stat=stat,
        tele=tele,
        online=word(said.get("onln"), "onln", longest=64),
        offline=word(said.get("ofln"), "ofln", longest=64),
        off=states[0],
        on=states[1],
        relays=relays,
        lights=lights,
        switches=_switches(said),
        fan=_bit(said, "if"),
        tuya=_bit(said, "ty"),
        is_light=_bit(options, "30"),
        free_power=_bit(options, "20"),
        fixed_fade=_bit(options, "117"),
        mireds=(200, 380) if _bit(options, "82") else (153, 500),
    )


def _topic(said: Mapping[str, Any], at: int) -> str:
    """The pattern filled in, for commands (0), results (1) or telemetry (2)."""
    pattern = word(said.get("ft"), "ft")
    if at == 0 and "%prefix%" not in pattern:
        pattern += "/%prefix%"  # as the firmware does, or commands and results would be one
    filled = (
        pattern.replace("%hostname%", _text(said.get("hn")))
        .replace("%id%", word(said.get("mac"), "mac", longest=32)[-6:])
        .replace("%prefix%", _words(said, "tp", 3)[at])
        .replace("%topic%", word(said.get("t"), "t"))
    )
    while "//" in filled:
        filled = filled.replace("//", "/")
    return topic(filled if filled.endswith("/") else f"{filled}/", "ft")


def _words(said: Mapping[str, Any], key: str, least: int) -> list[str]:
    words = said.get(key)
    if not isinstance(words, list) or not least <= len(words) <= 8:
        raise BadDiscovery(key, f"must be a list of at least {least} words")
    return [word(value, f"{key}[{at}]", longest=64) for at, value in enumerate(words)]


def _outputs(
    said: Mapping[str, Any], options: Mapping[str, Any]
) -> tuple[dict[str, int], tuple[Light, ...]]:
    """The relays and lights; the halves of a shutter are never switched one by one."""
    kinds = list(_numbers(said, "rl"))
    if _bit(said, "if") and kinds and kinds[0] == LIGHT:
        kinds[0] = RELAY
    used = [at for at, kind in enumerate(kinds, 1) if kind in (RELAY, LIGHT)]
    alone = len(used) == 1
    relays = {"" if alone else f"relay{at}.": at for at in used if kinds[at - 1] == RELAY}
    first = next((at for at in used if kinds[at - 1] == LIGHT), 0)
    lights = tuple(
        _light(said, options, prefix="" if alone else f"light{at}.", index=at, nth=at - first)
        for at in used
        if kinds[at - 1] == LIGHT
    )
    return relays, lights


def _light(
    said: Mapping[str, Any], options: Mapping[str, Any], *, prefix: str, index: int, nth: int
) -> Light:
    shape = said.get("lt_st", 0)
    if isinstance(shape, bool) or not isinstance(shape, int) or not 0 <= shape <= RGBCW:
        raise BadDiscovery("lt_st", "must be 0 to 5")
    if _bit(options, "68"):
        return Light(prefix, index, DIMMER, f"Channel{index}", f"Channel{index}")
    if not _bit(said, "lk") and shape >= RGBW and nth in (0, 1):
        own = RGB if nth == 0 else DIMMER if shape == RGBW else CT
        return Light(prefix, index, own, f"Dimmer{nth + 1}", f"Dimmer{nth + 1}")
    return Light(prefix, index, shape, "Dimmer3" if _bit(said, "ty") else "Dimmer", "Dimmer")


def _switches(said: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(at for at, mode in enumerate(_numbers(said, "swc"), 1) if mode >= 0)


def _numbers(said: Mapping[str, Any], key: str) -> list[int]:
    values = said.get(key, [])
    if not isinstance(values, list) or len(values) > MAX_OUTPUTS:
        raise BadDiscovery(key, f"must be a list of at most {MAX_OUTPUTS} numbers")
    if any(isinstance(v, bool) or not isinstance(v, int) for v in values):
        raise BadDiscovery(key, "must hold whole numbers only")
    return values


def _bit(said: Mapping[str, Any], key: str) -> bool:
    value = said.get(key, 0)
    if value not in (0, 1):
        raise BadDiscovery(key, "must be 0 or 1")
    return bool(value)


def _text(value: object) -> str:
    return value[:64] if isinstance(value, str) and is_clean(value) else ""
