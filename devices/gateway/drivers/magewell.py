"""A Magewell Ultra Encode as our encoder, over its HTTP interface."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from devices.domain.gear import magewell
from devices.domain.gear.magewell import Destination
from devices.gateway.driver import Facts, Reading, Refused, Silent, State, is_near
from devices.gateway.targets import UNKNOWN, Targets

# It writes each address into the log, and ours have passwords and keys in them.
logging.getLogger("httpx").setLevel(logging.WARNING)
logging.getLogger("httpcore").setLevel(logging.WARNING)

_TOLERANCE = {"fps": 0.1}
_NOWHERE = "rtmp://0.0.0.0/none"  # it takes no empty address


@dataclass(frozen=True, slots=True)
class Access:
    """Where it is, who we are there, and which of its streaming servers is ours."""

    url: str
    user: str
    password: str = field(repr=False)
    server: int = 0
    timeout_s: float = 3.0


class Encoder:
    """One encoder."""

    ops = frozenset({"set"})

    def __init__(self, access: Access, targets: Targets, notes: dict[str, Any]) -> None:
        self._access, self._targets, self._notes = access, targets, notes
        self.changed = asyncio.Event()
        self._http: httpx.AsyncClient | None = None
        self._settings: Mapping[str, Any] = {}

    async def open(self) -> Facts:
        """Log in, and ask what it is."""
        self._http = httpx.AsyncClient(
            base_url=self._access.url, timeout=self._access.timeout_s, trust_env=False
        )
        await self._log_in()
        product = (await self._known("get-info")).get("product")
        product = product if isinstance(product, dict) else {}
        return Facts(
            firmware=str(product.get("firmware-ver-s", "")), serial=str(product.get("sn", ""))
        )

    async def _log_in(self) -> None:
        answer = await self._get(magewell.login(self._access.user, self._access.password))
        if answer["result"] != 0:
            raise Silent(f"it does not take our password ({answer['result']})")

    async def close(self) -> None:
        """Let go of its connections."""
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    async def _get(self, query: Mapping[str, str]) -> Mapping[str, Any]:
        """One request. No error of httpx is passed on: it would show the address, keys and all."""
        if self._http is None:
            raise Silent("closed")
        try:
            async with self._http.stream("GET", "/usapi", params=dict(query)) as response:
                if response.status_code != httpx.codes.OK:
                    raise Silent(f"{query['method']}: HTTP {response.status_code}")
                return magewell.read(await _bounded(response))
        except (httpx.HTTPError, magewell.BadAnswer) as exc:
            raise Silent(f"{query['method']}: {type(exc).__name__}") from None

    async def _do(self, query: Mapping[str, str]) -> Mapping[str, Any]:
        """A request that must succeed; a login that ran out is renewed once.

        Raises:
            Refused: it will not; the code is its own.
        """
        answer = await self._get(query)
        if answer["result"] in magewell.WANTS_LOGIN:
            await self._log_in()
            answer = await self._get(query)
        if answer["result"] not in (0, *magewell.ALREADY):
            raise Refused(f"magewell_{answer['result']}", query["method"])
        return answer

    async def _known(self, method: str) -> Mapping[str, Any]:
        try:
            return await self._do({"method": method})
        except Refused as exc:
            raise Silent(f"a question was refused: {exc}") from exc

    async def read(self) -> Reading:
        """Status and settings, by its own word."""
        answer, self._settings = await self._known("get-status"), await self._known("get-settings")
        try:
            status = magewell.status(answer)
        except magewell.BadAnswer as exc:
            raise Silent(str(exc)) from exc
        state = {
            "run": status.run,
            "input_locked": status.input_locked,
            **magewell.picture(self._settings),
            "target_ref": self._target(),
        }
        return Reading(state, _metrics(status))

    def _target(self) -> str | None:
        ours = self._ours()
        url = "" if ours is None or ours.url == _NOWHERE else ours.url
        return self._targets.name_of(
            url, ours.key if ours and url else "", self._last, self._notes.get("target_print")
        )

    @property
    def _last(self) -> str | None:
        return self._notes.get("target_ref")

    def _ours(self) -> Destination | None:
        found = magewell.destinations(self._settings)
        return next((d for d in found if d.id == self._access.server), None)

    async def apply(self, wish: State) -> None:
        """Stop first, start last."""
        if wish.get("run") == "stopped":
            await self._do({"method": "stop-live"})
        if wish.keys() & {"w", "h", "fps", "kbps", "codec"}:
            main = self._settings.get("main-stream")
            await self._do(magewell.set_video(main if isinstance(main, dict) else {}, wish))
        if "target_ref" in wish:
            await self._aim(wish["target_ref"])
        if wish.get("run") == "live":
            await self._do(magewell.enable_server(self._access.server))
            await self._do({"method": "start-live"})

    async def _aim(self, ref: str | None) -> None:
        target = await self._targets.fetch(ref) if ref is not None else None
        if ref is not None and target is None:
            raise Refused("unknown_target")
        url, key = (target.url, target.key) if target else (_NOWHERE, "")
        ours = Destination(self._access.server, url, key, in_use=True)
        await self._do(magewell.set_server(ours))
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


def _metrics(status: magewell.Status) -> dict[str, float]:
    metrics = {} if status.temp_c is None else {"temp_c": status.temp_c}
    if status.run == "live":
        total = max(1, status.frames + status.dropped)
        metrics |= {
            "kbps": round(status.kbps, 1),
            "dropped": float(status.dropped),
            "dropped_pct": round(100 * status.dropped / total, 3),
        }
    return metrics


async def _bounded(response: httpx.Response) -> bytes:
    body = b""
    async for part in response.aiter_bytes():
        body += part
        if len(body) > magewell.MAX_BYTES:
            raise magewell.BadAnswer("endless")
    return body
