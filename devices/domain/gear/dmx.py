"""Fixtures on a DMX universe: from our light to its channels, and fades between. Pure.

A universe is 512 bytes; a fixture takes some of them from its address on. What a channel does is
said by its name; a wide value takes two channels, coarse and then fine.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

SLOTS = 512
Channel = Literal[
    "intensity", "intensity_fine", "red", "green", "blue", "white",
    "cct", "warm", "cool", "zero", "full",
]  # fmt: skip
CHANNELS: tuple[str, ...] = get_args(Channel)
_KELVIN, _COLOURS = frozenset({"cct", "warm", "cool"}), frozenset({"red", "green", "blue"})


@dataclass(frozen=True, slots=True)
class Fixture:
    """Where a fixture hangs in its universe, and what its channels do.

    Raises:
        ValueError: it does not fit, or its channels make no light.
    """

    address: int
    channels: tuple[Channel, ...]
    cct_k: tuple[int, int] = (3200, 5600)

    def __post_init__(self) -> None:
        if not 1 <= self.address <= SLOTS - len(self.channels) + 1:
            raise ValueError(f"address {self.address} does not fit into {SLOTS} channels")
        if not {"intensity", "red", "warm", "white"} & set(self.channels):
            raise ValueError("no channel makes light: intensity, white, red… or warm and cool")
        if not self.cct_k[0] < self.cct_k[1]:
            raise ValueError("cct_k must be [lowest, highest]")

    @property
    def has_cct(self) -> bool:
        """Whether its white has a temperature."""
        return bool(_KELVIN & set(self.channels))

    @property
    def has_rgb(self) -> bool:
        """Whether it has colours."""
        return set(self.channels) >= _COLOURS

    @property
    def slots(self) -> range:
        """Its places in the 512, from 0."""
        return range(self.address - 1, self.address - 1 + len(self.channels))


@dataclass(frozen=True, slots=True)
class Look:
    """What a fixture gives: level 0–1, and white of a temperature or a colour."""

    level: float = 0.0
    mode: str = "cct"
    cct: float = 5600.0
    rgb: tuple[float, float, float] = (255.0, 255.0, 255.0)


def look_of(state: Mapping[str, Any]) -> Look:
    """The look of a whole light state; a light that is off gives nothing."""
    level = state["brightness"] / 100 if state["power"] else 0.0
    red, green, blue = state["rgb"]
    return Look(level, state["mode"], float(state["cct"]), (red, green, blue))


def levels(fixture: Fixture, look: Look) -> bytes:
    """The bytes of its channels."""
    dimmed = 1.0 if "intensity" in fixture.channels else look.level
    coarse, fine = divmod(round(look.level * 0xFFFF), 256)
    if "intensity_fine" not in fixture.channels:
        coarse = _byte(look.level)
    values = {"intensity": coarse, "intensity_fine": fine, "zero": 0, "full": 255}
    return bytes(
        values[name] if name in values else _byte(_share(name, fixture, look, dimmed))
        for name in fixture.channels
    )


def _share(name: str, fixture: Fixture, look: Look, dimmed: float) -> float:
    """How far a channel of colour is open, 0–1; `dimmed` where nothing else dims it."""
    if name == "cct":
        return _coolness(fixture, look)
    if name in _COLOURS:
        return _colour(name, fixture, look) * dimmed
    if look.mode == "rgb":
        return 0.0
    cool = _coolness(fixture, look)
    return dimmed * {"warm": 1 - cool, "cool": cool}.get(name, 1.0)


def _colour(name: str, fixture: Fixture, look: Look) -> float:
    """0–1; a fixture without a white of its own makes white of all three."""
    if look.mode == "rgb":
        return look.rgb[("red", "green", "blue").index(name)] / 255
    return 0.0 if fixture.has_cct or "white" in fixture.channels else 1.0


def _coolness(fixture: Fixture, look: Look) -> float:
    low, high = fixture.cct_k
    return min(1.0, max(0.0, (look.cct - low) / (high - low)))


def _byte(share: float) -> int:
    return min(255, max(0, round(share * 255)))


@dataclass(frozen=True, slots=True)
class Fade:
    """From one look to another; a straight line in time."""

    before: Look
    after: Look
    starts_at_s: float
    seconds: float

    def at(self, now_s: float) -> Look:
        """The look at an instant of the same clock."""
        share = 1.0 if self.seconds <= 0 else (now_s - self.starts_at_s) / self.seconds
        if share >= 1:
            return self.after
        share = max(0.0, share)
        red, green, blue = (
            _between(a, b, share) for a, b in zip(self.before.rgb, self.after.rgb, strict=True)
        )
        return Look(
            _between(self.before.level, self.after.level, share),
            self.after.mode,
            _between(self.before.cct, self.after.cct, share),
            (red, green, blue),
        )

    def over(self, now_s: float) -> bool:
        """Whether it has arrived."""
        return now_s - self.starts_at_s >= self.seconds


def overlapping(fixtures: Sequence[Fixture]) -> tuple[Fixture, Fixture] | None:
    """Two fixtures that would write the same channel, if there are any."""
    ordered = sorted(fixtures, key=lambda f: f.address)
    for one, next_one in itertools.pairwise(ordered):
        if next_one.slots.start < one.slots.stop:
            return one, next_one
    return None


def _between(a: float, b: float, share: float) -> float:
    return a + (b - a) * share
