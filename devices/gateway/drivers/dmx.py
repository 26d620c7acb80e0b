"""Lights on DMX universes: levels sent again and again, fades, and each light as our light.

Nothing answers on DMX. What a light reports is what is being sent to it, and no more; where its
node is polled, whether the node is there.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from devices.domain.gear import dmx
from devices.domain.gear.dmx import Fade, Fixture, Look
from devices.gateway.driver import Facts, Reading, Refused, Silent, State, is_near
from devices.gateway.drivers.dmx_wires import SILENT_AFTER_S, Wire

FRAME_S = 1 / 40  # while fading; DMX itself carries 44 in a second
LEAST_GAP_S = 1 / 44
KEEPALIVE_S = 0.8
FIRST_WORD_S = 3.0
_DARK: Mapping[str, Any] = {
    "power": False,
    "mode": "cct",
    "brightness": 0,
    "cct": 5600,
    "rgb": [255, 255, 255],
    "fade_ms": 0,
}


@dataclass(eq=False)
class Output:
    """The channels of one fixture, and where they are heading."""

    fixture: Fixture
    fade: Fade

    def look(self, now_s: float) -> Look:
        """What is being sent."""
        return self.fade.at(now_s)


@dataclass(eq=False)
class Universe:
    """Sends its 512 levels for ever: at once on a change, smoothly in a fade, else as a sign."""

    wire: Wire
    on_stop: Literal["hold", "off"] = "hold"
    outputs: list[Output] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def levels(self, now_s: float) -> bytes:
        """The whole universe now."""
        frame = bytearray(dmx.SLOTS)
        for output in self.outputs:
            slots = output.fixture.slots
            frame[slots.start : slots.stop] = dmx.levels(output.fixture, output.look(now_s))
        return bytes(frame)

    async def run(self) -> None:
        """Send, until cancelled."""
        while True:
            self.changed.clear()
            now_s = time.monotonic()
            self.wire.send(self.levels(now_s))
            fading = any(not output.fade.over(now_s) for output in self.outputs)
            if fading:
                await asyncio.sleep(FRAME_S)
                continue
            await asyncio.sleep(LEAST_GAP_S)
            try:
                await asyncio.wait_for(self.changed.wait(), KEEPALIVE_S - LEAST_GAP_S)
            except TimeoutError:
                continue

    def stop(self) -> None:
        """The gateway ends: go dark and say so, or leave the fixtures with what they have."""
        if self.on_stop == "off":
            for _ in range(3):  # a datagram may be lost
                self.wire.send(bytes(dmx.SLOTS))
            self.wire.goodbye()
        self.wire.close()


class Light:
    """One fixture as our light; its state outlives the gateway."""

    ops = frozenset({"set"})

    def __init__(self, universe: Universe, fixture: Fixture, notes: dict[str, Any]) -> None:
        self._universe, self._notes = universe, notes
        self.changed = asyncio.Event()
        self._state: dict[str, Any] = {**_DARK, **notes.get("state", {})}
        look = dmx.look_of(self._state)
        self._output = Output(fixture, Fade(look, look, 0.0, 0.0))
        universe.outputs.append(self._output)

    async def open(self) -> Facts:
        """Wait for a sign of the node, where it gives any."""
        deadline = time.monotonic() + FIRST_WORD_S
        while not self._heard():
            if time.monotonic() > deadline:
                raise Silent("the node answers no poll")
            await asyncio.sleep(LEAST_GAP_S)
        return Facts()

    async def close(self) -> None:
        """The levels go on: a node that comes back finds its light."""

    def _heard(self) -> bool:
        ago = self._universe.wire.heard_s_ago()
        return ago is None or ago <= SILENT_AFTER_S

    async def read(self) -> Reading:
        """What is being sent."""
        if not self._heard():
            raise Silent("the node answers no poll")
        now_s = time.monotonic()
        fade = self._output.fade
        if fade.over(now_s):
            return Reading(dict(self._state), {"dim_pct": round(100 * fade.after.level, 1)})
        look = fade.at(now_s)
        brightness = round(100 * look.level, 1)
        moving = {"power": True, "brightness": brightness, "cct": round(look.cct)}
        return Reading(self._state | moving, {"dim_pct": brightness})

    async def apply(self, wish: State) -> None:
        """Begin to fade there."""
        self._check(wish)
        state = self._state | {key: wish[key] for key in _DARK if key in wish}
        now_s = time.monotonic()
        fade_s = wish.get("fade_ms", 0) / 1000
        self._output.fade = Fade(self._output.look(now_s), dmx.look_of(state), now_s, fade_s)
        self._state = self._notes["state"] = state
        self._universe.changed.set()

    def _check(self, wish: State) -> None:
        fixture = self._output.fixture
        if wish.get("mode") == "fx" or wish.get("preset") is not None:
            raise Refused("no_effects")
        if wish.get("mode") == "rgb" and not fixture.has_rgb:
            raise Refused("no_colours")
        low, high = fixture.cct_k
        if "cct" in wish and fixture.has_cct and not low <= wish["cct"] <= high:
            raise Refused("beyond_cct")

    async def move(self, speeds: State) -> None:
        """A light does not drive."""
        raise Refused("unknown_op")

    async def end(self, reading: Reading) -> None:
        """A light may stay on when a right ends: nobody works in the dark."""

    def ended(self, state: State) -> bool:
        """Nothing of it goes out to the world."""
        return True

    def is_so(self, key: str, wished: Any, state: State) -> bool:
        """As sent; a key that it does not have is never so, but for no effect at all."""
        if key == "preset":
            return wished is None
        return is_near(wished, state.get(key), 0.05 if key == "brightness" else 0.0)
