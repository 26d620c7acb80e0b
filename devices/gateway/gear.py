"""One piece of gear as a wb1 device: its driver on one side, its place on MQTT on the other.

It says only what the gear says. Orders are answered `accepted` when they are taken, and `done`
when the gear itself reports what was asked for. What must end at `until` is ended here, whether
anybody else is there or not.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Protocol

from devices.domain import capabilities
from devices.domain.messages import AckStatus
from devices.edge import client
from devices.edge.orders import Answer, Order
from devices.edge.packets import Message
from devices.edge.voice import Voice
from devices.gateway.driver import Driver, Facts, Reading, Refused, Silent
from devices.gateway.ledger import Ledger

logger = logging.getLogger(__name__)
QUEUE = 32
TELE_MS = 20_000  # well within the 45 s after which silence counts as stale
TELE_LIVE_MS = 2000
WATCH_S = 0.2  # between looks while an effect is awaited, or an end is due


class Limited(Protocol):
    """What the configuration says of a piece of gear."""

    @property
    def code(self) -> str:
        """Its device id."""

    @property
    def kind(self) -> str:
        """Of our kinds."""

    @property
    def model(self) -> str:
        """Of our models."""

    @property
    def poll_s(self) -> float:
        """How often it is asked."""

    @property
    def observe_s(self) -> float:
        """How long the effect of an order may take."""

    @property
    def bounds(self) -> Mapping[str, tuple[float, float]]:
        """Narrower than those of its model."""


@dataclass(frozen=True, slots=True)
class _Watched:
    """An order that the gear took and whose effect we have yet to see."""

    order: Order
    wish: Mapping[str, Any]
    deadline_ms: int


class Gear:
    """Lives for as long as the gateway.

    `build` makes the driver from its notes of the last time; `say` sends, or drops where there is
    no line.
    """

    def __init__(
        self,
        setup: Limited,
        build: Callable[[dict[str, Any]], Driver],
        ledger: Ledger,
        now_ms: Callable[[], int],
        say: Callable[[Sequence[Message]], None],
    ) -> None:
        self._setup, self._ledger = setup, ledger
        self._now_ms, self._say = now_ms, say
        self._page = ledger.read(setup.code)
        self._driver = driver = build(self._page.notes)
        self.voice = Voice(
            code=setup.code,
            kind=setup.kind,
            model=setup.model,
            ops=driver.ops,
            memory=self._page.memory,
        )
        self.voice.boot(f"{now_ms():x}-{random.getrandbits(32):08x}")
        self.linked = False
        self._facts = Facts()
        self._state: dict[str, Any] = {}
        self._queue: asyncio.Queue[Order] = asyncio.Queue(QUEUE)
        self._watched: list[_Watched] = []
        self._tele_at_ms = 0
        self._was_ended: bool | None = None
        self._woken = asyncio.Event()

    def will(self) -> Message:
        """What the broker says in our name when the gateway dies."""
        return self.voice.status(self._now_ms(), online=False)

    def announce(self) -> list[Message]:
        """After each connect to the broker: what it is, whether it answers, how it last was."""
        now = self._now_ms()
        out = [self.voice.status(now, online=self.linked), self._meta()]
        return [*out, self.voice.report(now, self._state)] if self.linked else out

    def farewell(self) -> list[Message]:
        """The gateway ends; the gear goes on, but nobody hears it."""
        return [self.voice.status(self._now_ms(), online=False)]

    def receive(self, message: Message) -> None:
        """Take an order from the broker, or say why not."""
        now = self._now_ms()
        order, out = self.voice.admit(message, now)
        if order is not None:
            out = [self.voice.settle(self._take(order))]
        self._keep()
        self._say(out)

    def _take(self, order: Order) -> Answer:
        if not self.linked:
            return Answer(order.id, "failed", "gear_silent")
        if fault := self._beyond(order):
            return Answer(order.id, "rejected", fault)
        try:
            self._queue.put_nowait(order)
        except asyncio.QueueFull:
            return Answer(order.id, "rejected", "busy")
        self._woken.set()
        return Answer(order.id, "accepted")

    def _beyond(self, order: Order) -> str:
        """The limits that this unit has within those of its model."""
        if order.op != "set":
            return ""
        for key, (low, high) in self._setup.bounds.items():
            value = order.state.get(key)
            if isinstance(value, int | float) and not low <= value <= high:
                return f"beyond_{key}"
        return ""

    async def run(self, rng: random.Random) -> None:
        """Keep the link to the gear, for ever."""
        failures = 0
        while True:
            try:
                self._facts = await self._driver.open()
                await self._serve()
            except (Silent, Refused) as exc:
                failures = 0 if self.linked else failures + 1
                self._lost(str(exc), failures)
            except Exception:
                # A defect in one driver must not take the other gear off the air with it.
                logger.exception("gateway.gear_defect", extra={"gear": self.voice.code})
                failures += 1
                self._lost("a defect", failures)
            finally:
                await self._driver.close()
            await asyncio.sleep(client.backoff_s(failures, rng))

    def _lost(self, why: str, failures: int) -> None:
        if self.linked or failures == 1:
            logger.warning(
                "gateway.gear_silent", extra={"gear": self.voice.code, "why": why[:200]}
            )
        if not self.linked:
            return
        self.linked = False
        out = [self.voice.status(self._now_ms(), online=False)]
        while not self._queue.empty():
            out.append(self._settle(self._queue.get_nowait(), "failed", "gear_silent"))
        out += [self._settle(w.order, "failed", "gear_silent") for w in self._watched]
        self._watched.clear()
        self._keep()
        self._say(out)

    async def _serve(self) -> None:
        """Read, tell, obey; until the gear falls silent."""
        await self._look()
        while True:
            while not self._queue.empty():
                await self._obey(self._queue.get_nowait())
            await self._rest()
            await self._look()

    async def _rest(self) -> None:
        """Until there is something to do: an order, news of the gear, or the time."""
        wait_s = WATCH_S if self._watched else self._setup.poll_s
        if self._page.until:
            left_s = (self._page.until - self._now_ms()) / 1000
            wait_s = min(wait_s, max(WATCH_S, left_s))
        waits = [asyncio.create_task(e.wait()) for e in (self._woken, self._driver.changed)]
        try:
            await asyncio.wait(waits, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()
        self._woken.clear()
        self._driver.changed.clear()

    async def _look(self) -> None:
        reading = await self._driver.read()
        now = self._now_ms()
        state = dict(reading.state) | self._ending(reading)
        out: list[Message] = []
        if not self.linked:
            self.linked = True
            self._state = state
            self.voice.version += 1
            out = self.announce()
            logger.info("gateway.gear_answers", extra={"gear": self.voice.code})
        out += self._observe(state, now)
        if state != self._state:
            out += self._report(state, now)
        self._say(out + self._measure(reading, now))
        if 0 < self._page.until <= now and not self._driver.ended(reading.state):
            await self._end(reading)

    async def _end(self, reading: Reading) -> None:
        logger.info("gateway.until_came", extra={"gear": self.voice.code})
        try:
            await self._driver.end(reading)
        except Refused as exc:
            logger.warning(
                "gateway.end_refused", extra={"gear": self.voice.code, "why": str(exc)[:200]}
            )

    def _ending(self, reading: Reading) -> dict[str, Any]:
        """`until` as the gateway holds it; gone once there is nothing left to end."""
        if "until" not in capabilities.table(kind=self.voice.kind, model=self.voice.model):
            return {}
        now, ended = self._now_ms(), self._driver.ended(reading.state)
        came_to_its_end = self._was_ended is False or self._page.until <= now
        if self._page.until and ended and came_to_its_end:
            self._page.until = 0
            self._keep()
        self._was_ended = ended
        return {"until": self._page.until}

    def _observe(self, state: Mapping[str, Any], now: int) -> list[Message]:
        """Close the orders whose effect the gear reports, and those it never came to."""
        out: list[Message] = []
        for watched in list(self._watched):
            if all(self._driver.is_so(k, v, state) for k, v in watched.wish.items()):
                self._watched.remove(watched)
                out += self._report(state, now, cause=watched.order.id)
                out.append(self._settle(watched.order, "done", v=self.voice.version))
            elif now >= watched.deadline_ms:
                self._watched.remove(watched)
                out.append(self._settle(watched.order, "failed", "not_observed"))
        if out:
            self._keep()
        return out

    def _report(
        self, state: Mapping[str, Any], now: int, *, cause: str | None = None
    ) -> list[Message]:
        if state != self._state:
            self._state = dict(state)
            self.voice.version += 1
        elif cause is not None:  # the same state, but news of the order: a version of its own
            self.voice.version += 1
        return [self.voice.report(now, self._state, cause=cause)]

    def _measure(self, reading: Reading, now: int) -> list[Message]:
        period = TELE_LIVE_MS if self._state.get("run") == "live" else TELE_MS
        if 0 < self._tele_at_ms - now <= period:  # further off: a show began since
            return []
        self._tele_at_ms = now + period
        return [self.voice.tele(now, reading.metrics or {"link_up": 1.0})]

    async def _obey(self, order: Order) -> None:
        now = self._now_ms()
        if order.exp <= now:
            late = self.voice.too_late(order)
            self._keep()
            return self._say([late])
        if fenced := self.voice.memory.fenced(order, now):
            return self._answer(order, fenced.st, fenced.code)
        try:
            if order.op == "move":
                await self._driver.move(order.state)
                return self._answer(order, "done", v=self.voice.version)
            await self._set(order, now)
        except Refused as exc:
            logger.info("gateway.refused", extra={"gear": self.voice.code, "why": exc.code})
            return self._answer(order, "rejected", exc.code)
        except Silent:
            self._answer(order, "failed", "gear_silent")
            raise
        return None

    async def _set(self, order: Order, now: int) -> None:
        wish = {k: v for k, v in order.state.items() if k != "until"}
        self._supersede(wish.keys())
        before = self._page.until, self._page.notes.get("target_ref")
        self._intend(order, wish)
        try:
            if wish:
                await self._driver.apply(wish)
        except Refused:
            self._page.until, self._page.notes["target_ref"] = before
            raise
        finally:
            self._keep()  # the driver's notes too
        deadline = now + int(self._setup.observe_s * 1000)
        self._watched.append(_Watched(order, wish, deadline))

    def _intend(self, order: Order, wish: Mapping[str, Any]) -> None:
        """On disk before the stream begins: killed in between, we still end it, key and all."""
        if (until := self._until(order)) is not None:
            self._page.until = until
        if wish.get("target_ref"):
            self._page.notes["target_ref"] = wish["target_ref"]
        self._keep()

    def _until(self, order: Order) -> int | None:
        """The end that an order sets; what a tenant shows ends with the right at the latest."""
        until = order.state.get("until")
        bound = order.fence.until if order.fence else None
        shows = order.state.get("run") == "live" or order.state.get("privacy") is False
        if bound is not None and (shows or until is not None):
            return min(int(until), bound) if until else bound
        return int(until) if until is not None else None

    def _supersede(self, keys: AbstractSet[str]) -> None:
        """An order still under way for the same values gives way to the newer one."""
        beaten = [w for w in self._watched if w.wish.keys() & keys]
        self._watched = [w for w in self._watched if w not in beaten]
        self._say([self._settle(w.order, "failed", "superseded") for w in beaten])

    def _answer(
        self, order: Order, st: AckStatus, code: str = "", *, v: int | None = None
    ) -> None:
        message = self._settle(order, st, code, v=v)
        self._keep()
        self._say([message])

    def _settle(
        self, order: Order, st: AckStatus, code: str = "", *, v: int | None = None
    ) -> Message:
        return self.voice.settle(Answer(order.id, st, code, v))

    def _meta(self) -> Message:
        ranges = capabilities.describe(kind=self.voice.kind, model=self.voice.model)
        for key, (low, high) in self._setup.bounds.items():
            if ranges.get(key, {}).get("type") == "number":
                ranges[key] |= {"min": low, "max": high}
        return self.voice.meta(
            firmware=self._facts.firmware[:64], serial=self._facts.serial[:64], ranges=ranges
        )

    def _keep(self) -> None:
        try:
            self._ledger.write(self.voice.code, self._page)
        except OSError as exc:  # a full disk must not stop the show
            extra = {"gear": self.voice.code, "why": str(exc)}
            logger.warning("gateway.ledger_not_written", extra=extra)
