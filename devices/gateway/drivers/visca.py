"""A PTZ camera that speaks VISCA, as our camera: degrees, shares and a picture one can close."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from devices.domain.gear import visca
from devices.domain.gear.visca import Data
from devices.gateway.driver import Facts, Reading, Refused, Silent, State, is_near
from devices.gateway.drivers.visca_links import Link

T = TypeVar("T")
WAKES_S, PARKS_S, LOOK_S = 20.0, 10.0, 0.25
_STEP = {"pan": 0.6, "tilt": 0.6, "zoom": 0.02}
_POSITIONS = ("pan", "tilt", "zoom")
_FOCUS_SPAN = visca.FOCUS_NEAR - visca.FOCUS_FAR


@dataclass(frozen=True, slots=True)
class Mechanics:
    """How a model turns our values into its own; see its manual.

    `privacy`: `mute` closes the picture and keeps the camera awake, where it knows that; `standby`
    sends it to sleep. `tally`: whether it has the red lamp.
    """

    pan_steps_per_deg: float = 14.4
    tilt_steps_per_deg: float = 14.4
    zoom_tele: int = visca.ZOOM_TELE
    pan_speed: int = visca.MAX_PAN_SPEED
    tilt_speed: int = visca.MAX_TILT_SPEED
    privacy: Literal["mute", "standby"] = "mute"
    tally: bool = True
    presets: Mapping[str, int] = field(default_factory=dict)


class _Waking(Refused):
    """It is awake, but does not know yet where it looks."""


class Camera:
    """One camera."""

    ops = frozenset({"set", "move"})

    def __init__(self, link: Link, mechanics: Mechanics) -> None:
        self._link, self._mechanics = link, mechanics
        self.changed = asyncio.Event()
        self._where: dict[str, Any] = {}  # it stands still while it sleeps, and cannot be asked
        self._preset: str | None = None
        self._preview = False
        self._deadman: asyncio.TimerHandle | None = None
        self._stopping: asyncio.Task[None] | None = None
        self._driving: set[str] = set()

    async def open(self) -> Facts:
        """Connect; a camera that cannot say its version is not worse for it."""
        await self._link.open()
        with contextlib.suppress(Refused):
            match await self._link.ask(visca.VERSION):
                case Data(body) if len(body) >= 6:
                    return Facts(firmware=body[4:6].hex(), serial="")
        return Facts()

    async def close(self) -> None:
        """Stop what drives, if it still hears us, and let go."""
        if self._deadman is not None:
            self._deadman.cancel()
            with contextlib.suppress(Silent, Refused):
                await self._stop()
        self._link.close()

    async def read(self) -> Reading:
        """All that it tells."""
        try:
            awake = await self._switch(visca.POWER)
            if awake:
                with contextlib.suppress(_Waking):
                    self._where = await self._position() | await self._focus()
            state = {"power": awake} | self._where | await self._shown(awake=awake)
        except Refused as exc:
            raise Silent(f"a question was refused: {exc}") from exc
        if self._mechanics.presets:
            state["preset"] = self._preset
        return Reading(state)

    async def _position(self) -> dict[str, Any]:
        try:
            pan, tilt = await self._asked(visca.PAN_TILT, visca.read_pan_tilt)
        except Refused as exc:
            raise _Waking(exc.code) from exc
        zoom = await self._asked(visca.ZOOM, visca.read_position)
        return {
            "pan": round(pan / self._mechanics.pan_steps_per_deg, 2),
            "tilt": round(tilt / self._mechanics.tilt_steps_per_deg, 2),
            "zoom": round(min(1.0, zoom / self._mechanics.zoom_tele), 4),
        }

    async def _focus(self) -> dict[str, Any]:
        if await self._switch(visca.FOCUS_MODE):
            return {"focus": {"mode": "auto"}}
        steps = await self._asked(visca.FOCUS, visca.read_position)
        share = min(1.0, max(0.0, (steps - visca.FOCUS_FAR) / _FOCUS_SPAN))
        return {"focus": {"mode": "manual", "pos": round(share, 4)}}

    async def _shown(self, *, awake: bool) -> dict[str, Any]:
        muted = not awake
        if awake and self._mechanics.privacy == "mute":
            muted = await self._switch(visca.PICTURE_MUTE)
        lit = awake and self._mechanics.tally and await self._switch(visca.TALLY)
        unlit = "preview" if self._preview and not muted else "off"
        return {"privacy": muted, "tally": "program" if lit else unlit}

    async def apply(self, wish: State) -> None:
        """Close first, or open last; asleep only when it has arrived."""
        self._check(wish)
        if wish.get("power"):
            await self._wake(more=len(wish) > 1)
        if wish.get("privacy"):
            await self._shut()
        await self._tell(wish)
        if wish.get("privacy") is False:
            await self._open_up()
        standby = self._mechanics.privacy == "standby" and wish.get("privacy")
        if wish.get("power") is False or standby:
            await self._sleep(wish)

    def _check(self, wish: State) -> None:
        preset = wish.get("preset")
        if preset is not None and preset not in self._mechanics.presets:
            raise Refused("unknown_preset")
        if "tally" in wish and not self._mechanics.tally and wish["tally"] == "program":
            raise Refused("no_tally_lamp")

    async def _wake(self, *, more: bool) -> None:
        await self._link.ask(visca.power(on=True))
        if more:
            await self._until_awake()

    async def _until_awake(self) -> None:
        """A camera that wakes up takes no other commands for some seconds."""
        if not await self._within(WAKES_S, lambda: self._switch(visca.POWER)):
            raise Refused("does_not_wake")

    async def _within(self, seconds: float, condition: Callable[[], Awaitable[bool]]) -> bool:
        clock = asyncio.get_running_loop()
        deadline = clock.time() + seconds
        while not await condition():
            if clock.time() >= deadline:
                return False
            await asyncio.sleep(LOOK_S)
        return True

    async def _shut(self) -> None:
        if self._mechanics.privacy == "mute" and await self._switch(visca.POWER):
            await self._link.ask(visca.picture_mute(on=True))

    async def _open_up(self) -> None:
        if self._mechanics.privacy == "mute":
            await self._link.ask(visca.picture_mute(on=False))
        else:
            await self._wake(more=False)

    async def _sleep(self, wish: State) -> None:
        """Stand by, once it is where it shall rest."""
        await self._within(PARKS_S, lambda: self._arrived(wish))
        await self._link.ask(visca.power(on=False))

    async def _arrived(self, wish: State) -> bool:
        if not any(key in wish for key in _POSITIONS) or not await self._switch(visca.POWER):
            return True
        self._where |= await self._position()
        return all(self.is_so(k, wish[k], self._where) for k in _POSITIONS if k in wish)

    async def _tell(self, wish: State) -> None:
        mechanics = self._mechanics
        if wish.get("preset") is not None:
            await self._link.ask(visca.preset_recall(mechanics.presets[wish["preset"]]))
        if wish.keys() & set(_POSITIONS) and await self._switch(visca.POWER):
            await self._point(wish)
        if wish.keys() & {*_POSITIONS, "preset"}:
            self._preset = wish.get("preset")
        if "focus" in wish:
            await self._set_focus(wish["focus"])
        if "tally" in wish:
            self._preview = wish["tally"] == "preview"
            if mechanics.tally and await self._switch(visca.POWER):
                await self._link.ask(visca.tally(on=wish["tally"] == "program"))

    async def _point(self, wish: State) -> None:
        mechanics = self._mechanics
        if "pan" in wish or "tilt" in wish:
            if not ("pan" in wish and "tilt" in wish):  # one command moves both
                self._where |= await self._position()
            pan, tilt = (wish.get(axis, self._where.get(axis, 0)) for axis in ("pan", "tilt"))
            await self._link.ask(
                visca.point(
                    round(pan * mechanics.pan_steps_per_deg),
                    round(tilt * mechanics.tilt_steps_per_deg),
                    pan_speed=mechanics.pan_speed,
                    tilt_speed=mechanics.tilt_speed,
                )
            )
        if "zoom" in wish:
            await self._link.ask(visca.zoom_to(round(wish["zoom"] * mechanics.zoom_tele)))

    async def _set_focus(self, focus: Mapping[str, Any]) -> None:
        await self._link.ask(visca.focus_auto(on=focus["mode"] == "auto"))
        if focus["mode"] == "manual":
            steps = visca.FOCUS_FAR + round(focus["pos"] * _FOCUS_SPAN)
            await self._link.ask(visca.focus_to(steps))

    async def move(self, speeds: State) -> None:
        """Drive; whatever happens next, it is told to stop when the time is over."""
        if self._deadman is not None:
            self._deadman.cancel()
        self._preset = None
        after_s = speeds.get("deadman_ms", 500) / 1000
        self._driving |= speeds.keys() & set(_POSITIONS)
        self._deadman = asyncio.get_running_loop().call_later(after_s, self._time_is_over)
        if "pan" in speeds or "tilt" in speeds:
            await self._link.ask(self._direction(speeds.get("pan", 0), speeds.get("tilt", 0)))
        if "zoom" in speeds:
            await self._link.ask(visca.zoom_drive(round(speeds["zoom"] * visca.MAX_ZOOM_SPEED)))

    def _direction(self, pan: float, tilt: float) -> bytes:
        mechanics = self._mechanics
        return visca.drive(
            "stop" if pan == 0 else ("right" if pan > 0 else "left"),
            "stop" if tilt == 0 else ("up" if tilt > 0 else "down"),
            pan_speed=max(1, round(abs(pan) * mechanics.pan_speed)),
            tilt_speed=max(1, round(abs(tilt) * mechanics.tilt_speed)),
        )

    def _time_is_over(self) -> None:
        self._stopping = asyncio.create_task(self._stop_driving())

    async def _stop_driving(self) -> None:
        """Told again while it will not: a camera that nobody steers must stand still."""
        with contextlib.suppress(Silent):  # the link is lost: whoever reads next says so
            while True:
                with contextlib.suppress(Refused):
                    await self._stop()
                    break
                await asyncio.sleep(LOOK_S)
        self.changed.set()

    async def _stop(self) -> None:
        driving, self._deadman = self._driving, None
        if driving & {"pan", "tilt"}:
            await self._link.ask(visca.stop())
        if "zoom" in driving:
            await self._link.ask(visca.zoom_drive(0))
        self._driving = set()

    async def end(self, reading: Reading) -> None:
        """Close the picture, lamp off, and look where it says nothing of the show."""
        await self.apply({"privacy": True, "tally": "off", "pan": 0, "tilt": 0, "zoom": 0})

    def ended(self, state: State) -> bool:
        """Whether it shows nothing."""
        return bool(state.get("privacy")) or state.get("power") is False

    def is_so(self, key: str, wished: Any, state: State) -> bool:
        """Within a step of its motors; a sleeping camera is as closed as one can be."""
        said = state.get(key)
        if key == "power" and self._mechanics.privacy == "standby" and state.get("privacy"):
            return True
        if key == "focus" and isinstance(said, dict):
            same_mode = said["mode"] == wished["mode"]
            return same_mode and is_near(wished.get("pos", 0), said.get("pos", 0), 0.02)
        if key == "preset":
            return bool(said == wished)
        return is_near(wished, said, _STEP.get(key, 0.0))

    async def _switch(self, inquiry: bytes) -> bool:
        return await self._asked(inquiry, visca.read_switch)

    async def _asked(self, inquiry: bytes, read: Callable[[bytes], T]) -> T:
        """What it answers, read; an answer that is none means another tongue."""
        try:
            answer = await self._link.ask(inquiry)
        except Refused as exc:
            raise Refused(exc.code, inquiry.hex()) from exc
        if not isinstance(answer, Data):
            raise Silent("an inquiry was answered by no data")
        try:
            return read(answer.body)
        except visca.BadReply as exc:
            raise Silent(str(exc)) from exc
