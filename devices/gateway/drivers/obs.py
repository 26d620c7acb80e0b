"""OBS Studio as our encoder, over obs-websocket 5."""

import asyncio
import itertools
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.typing import Subprotocol

from devices.domain.gear import obs
from devices.gateway.driver import Facts, Reading, Refused, Silent, State, is_near
from devices.gateway.targets import UNKNOWN, Targets

# It writes each frame into the log, and ours have keys in them.
logging.getLogger("websockets").setLevel(logging.WARNING)

SERVICE = "rtmp_custom"
_TOLERANCE = {"fps": 0.1}
_BITRATE = {"parameterCategory": "SimpleOutput", "parameterName": "VBitrate"}


@dataclass(frozen=True, slots=True)
class Access:
    """Where OBS listens, and its password."""

    url: str
    password: str = field(repr=False)
    timeout_s: float = 3.0


class Encoder:
    """One OBS."""

    ops = frozenset({"set"})

    def __init__(self, access: Access, targets: Targets, notes: dict[str, Any]) -> None:
        self._access, self._targets, self._notes = access, targets, notes
        self.changed = asyncio.Event()
        self._socket: ClientConnection | None = None
        self._hearing: asyncio.Task[None] | None = None
        self._waiting: dict[str, asyncio.Future[obs.Response]] = {}
        self._numbers = itertools.count(1)
        self._run = "stopped"
        self._before: tuple[float, obs.Stream] | None = None

    async def open(self) -> Facts:
        """Connect, answer the challenge, ask for its version."""
        try:
            async with asyncio.timeout(self._access.timeout_s):
                self._socket = await connect(
                    self._access.url,
                    subprotocols=[Subprotocol(obs.SUBPROTOCOL)],
                    max_size=obs.MAX_BYTES,
                    open_timeout=None,
                    proxy=None,
                )
                await self._log_in(self._socket)
        except ConnectionClosed as exc:
            refused = exc.rcvd is not None and exc.rcvd.code == obs.AUTHENTICATION_FAILED
            raise Silent("it does not take our password" if refused else str(exc)) from exc
        except (OSError, TimeoutError, InvalidHandshake, InvalidURI, obs.BadFrame) as exc:
            raise Silent(str(exc) or "no answer") from exc
        self._hearing = asyncio.create_task(self._hear(self._socket))
        version = await self._ask("GetVersion")
        return Facts(firmware=str(version.get("obsVersion", "")))

    async def _log_in(self, socket: ClientConnection) -> None:
        hello = obs.decode(await socket.recv())
        if not isinstance(hello, obs.Hello):
            raise obs.BadFrame("no Hello")
        await socket.send(obs.identify(hello, self._access.password))
        if not isinstance(obs.decode(await socket.recv()), obs.Identified):
            raise obs.BadFrame("not identified")

    async def _hear(self, socket: ClientConnection) -> None:
        """Read on; when the line ends, whoever waits learns it."""
        try:
            async for text in socket:
                self._take(obs.decode(text))
        except (ConnectionClosed, obs.BadFrame):
            await socket.close()
        finally:
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(Silent("OBS went away"))
            self.changed.set()

    def _take(self, frame: obs.Frame | None) -> None:
        if isinstance(frame, obs.Response):
            waiting = self._waiting.get(frame.request_id)
            if waiting is not None and not waiting.done():
                waiting.set_result(frame)
        elif isinstance(frame, obs.Event) and (run := obs.run_after(frame)):
            self._run = run
            self.changed.set()

    async def close(self) -> None:
        """Close the line."""
        if self._hearing is not None:
            self._hearing.cancel()
            await asyncio.wait([self._hearing])
            self._hearing = None
        if self._socket is not None:
            self._socket.transport.abort()
            self._socket = None
        self._before = None

    async def _ask(self, kind: str, data: State | None = None) -> Mapping[str, Any]:
        """One request.

        Raises:
            Refused: OBS answers that it will not; its comment is not passed on, it may quote us.
            Silent: it does not answer.
        """
        if self._socket is None:
            raise Silent("closed")
        number = str(next(self._numbers))
        waiting: asyncio.Future[obs.Response] = asyncio.get_running_loop().create_future()
        self._waiting[number] = waiting
        try:
            async with asyncio.timeout(self._access.timeout_s):
                await self._socket.send(obs.request(number, kind, data))
                response = await waiting
        except (ConnectionClosed, TimeoutError) as exc:
            raise Silent(f"no answer to {kind}") from exc
        finally:
            del self._waiting[number]
        if response.code != obs.SUCCESS:
            raise Refused(f"obs_{response.code}", kind)
        return response.data

    async def read(self) -> Reading:
        """Stream, picture, rate and target, by its own word."""
        try:
            status = obs.stream(await self._ask("GetStreamStatus"))
            video = await self._ask("GetVideoSettings")
            service = await self._ask("GetStreamServiceSettings")
            rate = await self._ask("GetProfileParameter", _BITRATE)
            stats = await self._ask("GetStats")
        except (obs.BadFrame, Refused) as exc:
            raise Silent(f"a question was refused: {exc}") from exc
        self._run = obs.run_of(status, self._run)
        state = {"run": self._run, **_picture(video), **_rate(rate)}
        state["target_ref"] = self._target(service)
        return Reading(state, self._metrics(status, stats))

    def _target(self, service: Mapping[str, Any]) -> str | None:
        settings = service.get("streamServiceSettings")
        settings = settings if isinstance(settings, dict) else {}
        url, key = (str(settings.get(name) or "") for name in ("server", "key"))
        return self._targets.name_of(
            url, key, self._notes.get("target_ref"), self._notes.get("target_print")
        )

    def _metrics(self, status: obs.Stream, stats: Mapping[str, Any]) -> dict[str, float]:
        now, before = time.monotonic(), self._before
        self._before = (now, status)
        metrics = {"cpu_pct": _number(stats, "cpuUsage")}
        if not status.active:
            return metrics
        metrics |= {
            "fps": _number(stats, "activeFps"),
            "dropped": float(status.skipped_frames),
            "dropped_pct": 100 * status.skipped_frames / max(1, status.total_frames),
            "congestion": status.congestion,
        }
        if before is not None and before[1].active:
            metrics["kbps"] = obs.kbps(before[1], status, now - before[0])
        return {name: round(value, 3) for name, value in metrics.items()}

    async def apply(self, wish: State) -> None:
        """Stop first, start last: picture and target change only off the air."""
        if "codec" in wish:
            raise Refused("codec_is_set_in_obs")
        if wish.get("run") == "stopped":
            await self._switch("StopStream", obs.OUTPUT_NOT_RUNNING)
        if wish.keys() & {"w", "h", "fps"}:
            await self._ask("SetVideoSettings", _video(wish))
        if "kbps" in wish:
            value = str(int(wish["kbps"]))
            await self._ask("SetProfileParameter", {**_BITRATE, "parameterValue": value})
        if "target_ref" in wish:
            await self._aim(wish["target_ref"])
        if wish.get("run") == "live":
            await self._switch("StartStream", obs.OUTPUT_RUNNING)

    async def _switch(self, kind: str, already: int) -> None:
        """Absolute where OBS is not: starting what runs is no error."""
        try:
            await self._ask(kind)
        except Refused as exc:
            if exc.code != f"obs_{already}":
                raise

    async def _aim(self, ref: str | None) -> None:
        target = await self._targets.fetch(ref) if ref is not None else None
        if ref is not None and target is None:
            raise Refused("unknown_target")
        settings = {"server": target.url, "key": target.key} if target else _NOWHERE
        wish = {"streamServiceType": SERVICE, "streamServiceSettings": settings}
        await self._ask("SetStreamServiceSettings", wish)
        self._notes["target_ref"] = ref
        self._notes["target_print"] = target.print if target else None

    async def move(self, speeds: State) -> None:
        """An encoder does not drive."""
        raise Refused("unknown_op")

    async def end(self, reading: Reading) -> None:
        """Off the air; then the key goes."""
        if reading.state["run"] != "stopped":
            await self.apply({"run": "stopped"})
        else:
            await self._aim(None)

    def ended(self, state: State) -> bool:
        """Whether nothing streams and no key of ours is left."""
        return state.get("run") == "stopped" and state.get("target_ref") in (None, UNKNOWN)

    def is_so(self, key: str, wished: Any, state: State) -> bool:
        """As it says."""
        return is_near(wished, state.get(key), _TOLERANCE.get(key, 0.0))


_NOWHERE = {"server": "", "key": ""}


def _picture(video: Mapping[str, Any]) -> dict[str, Any]:
    per_s = _number(video, "fpsNumerator") / (_number(video, "fpsDenominator") or 1)
    return {
        "w": int(_number(video, "outputWidth")),
        "h": int(_number(video, "outputHeight")),
        "fps": round(per_s, 2),
    }


def _rate(parameter: Mapping[str, Any]) -> dict[str, Any]:
    value = parameter.get("parameterValue") or parameter.get("defaultParameterValue")
    text = str(value or "")
    return {"kbps": int(text)} if text.isdecimal() else {}


def _video(wish: State) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "w" in wish:
        found["outputWidth"] = wish["w"]
    if "h" in wish:
        found["outputHeight"] = wish["h"]
    if "fps" in wish:
        found |= {"fpsNumerator": round(wish["fps"] * 1000), "fpsDenominator": 1000}
    return found


def _number(row: Mapping[str, Any], name: str) -> float:
    value = row.get(name)
    return float(value) if isinstance(value, int | float) else 0.0
