"""The fleet: one MQTT connection per device, and one timetable for all of them."""

import asyncio
import contextlib
import heapq
import itertools
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from devices.edge import client
from devices.edge.client import Address, Connection
from devices.edge.packets import Login, Message
from devices.simulator.device import SimDevice
from devices.simulator.plan import Spec
from devices.simulator.room import Room

logger = logging.getLogger(__name__)
KEEPALIVE_S = 60
GOODBYE_S = 2.0
LOOK_S = 0.25  # the injected clock may jump, so never sleep longer than this


@dataclass(frozen=True, slots=True)
class Setup:
    """How the fleet connects and behaves."""

    address: Address
    password: str = ""
    seed: int = 1
    connects_per_s: float = 400.0  # not the limit: a base of 1,000 is up in seconds


def build(specs: Sequence[Spec], seed: int) -> list[SimDevice]:
    """The devices in their rooms; the same seed gives the same fleet."""
    rooms = {spec.space: Room(spec.space, dice(seed, spec.space)) for spec in specs}
    return [SimDevice(spec, rooms[spec.space], dice(seed, spec.code)) for spec in specs]


def dice(seed: int, name: str) -> random.Random:
    """Chance that repeats itself: the same for the same seed and name."""
    return random.Random(f"{seed}:{name}")  # noqa: S311  # a play, not a secret


class Member:
    """A device and its line to the broker."""

    def __init__(self, device: SimDevice, fleet: "Fleet") -> None:
        self.device = device
        self.connection: Connection | None = None
        self._fleet = fleet

    async def stay_connected(self, first_after_s: float) -> None:
        """Connect, announce, wait for the end of it, again."""
        rng, failures = dice(self._fleet.setup.seed, self.device.spec.code), 0
        await asyncio.sleep(first_after_s)
        self.device.boot(self._fleet.now_ms())
        self._fleet.schedule(self)
        while True:
            try:
                await self._serve()
                failures = 0
            except (OSError, TimeoutError) as exc:
                failures += 1
                if failures == 1:
                    logger.debug("sim.connect_failed", extra={"why": str(exc)})
            await asyncio.sleep(client.backoff_s(failures, rng))

    async def _serve(self) -> None:
        setup, code = self._fleet.setup, self.device.spec.code
        login = Login(
            client_id=code,
            username=code,
            password=setup.password,
            keepalive_s=KEEPALIVE_S,
            will=self.device.will(self._fleet.now_ms()),
        )
        self.connection = connection = await client.open_connection(
            setup.address, login, self.device.topic("cmd"), self.receive
        )
        try:
            self.publish(self.device.announce(self._fleet.now_ms()))
            await self._ping_until_closed(connection)
        finally:
            self.connection = None
            connection.abort()

    async def _ping_until_closed(self, connection: Connection) -> None:
        while not connection.closed.done():
            await asyncio.wait([connection.closed], timeout=KEEPALIVE_S * 0.75)
            if not connection.closed.done():
                connection.ping()

    def receive(self, message: Message) -> None:
        """Hand a command to the device."""
        self.publish(self.device.receive(message, self._fleet.now_ms()))
        self._fleet.schedule(self)

    def publish(self, out: Sequence[Message]) -> None:
        """Send, or lose it when there is no line: the next announcement tells the state."""
        if self.connection is not None:
            for message in out:
                self.connection.send(message)

    async def leave(self) -> None:
        """Say goodbye, let the broker confirm it, and close."""
        if (connection := self.connection) is not None:
            self.publish(self.device.farewell(self._fleet.now_ms()))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(connection.drained(), GOODBYE_S)
            connection.close()


class Fleet:
    """All members and the heap of who has something to do next."""

    def __init__(
        self, devices: Sequence[SimDevice], setup: Setup, now: Callable[[], datetime]
    ) -> None:
        self.setup, self._now = setup, now
        self.members = [Member(device, self) for device in devices]
        self._due: list[tuple[int, int, Member]] = []
        self._next_ms: dict[Member, int] = {}
        self._number = itertools.count()
        self._wake = asyncio.Event()

    def now_ms(self) -> int:
        """The clock of the fleet."""
        return int(self._now().timestamp() * 1000)

    def schedule(self, member: Member) -> None:
        """Note when a member wants its next tick; an earlier wish replaces a later one."""
        at = member.device.next_ms()
        if at != self._next_ms.get(member):
            self._next_ms[member] = at
            heapq.heappush(self._due, (at, next(self._number), member))
            self._wake.set()

    @property
    def online(self) -> int:
        """How many members have a line."""
        return sum(m.connection is not None for m in self.members)

    async def run(self, stop: asyncio.Event) -> None:
        """Live until told to stop; then every device says goodbye."""
        tasks = [
            asyncio.create_task(m.stay_connected(i / self.setup.connects_per_s))
            for i, m in enumerate(self.members)
        ]
        ticking = asyncio.create_task(self._tick_forever())
        failed = asyncio.gather(ticking, *tasks)
        stopped = asyncio.create_task(stop.wait())
        waiting: set[asyncio.Future[Any]] = {failed, stopped}
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.gather(*(member.leave() for member in self.members))
        stopped.cancel()
        if failed.done():
            await failed  # a defect of ours: let it be seen
        failed.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await failed

    async def _tick_forever(self) -> None:
        while True:
            self._wake.clear()
            self._tick_due()
            wait_s = LOOK_S
            if self._due:
                wait_s = min(wait_s, max(0.0, (self._due[0][0] - self.now_ms()) / 1000))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), wait_s)

    def _tick_due(self) -> None:
        now_ms = self.now_ms()
        while self._due and self._due[0][0] <= now_ms:
            at, _, member = heapq.heappop(self._due)
            if self._next_ms.get(member) != at:
                continue  # an earlier wish was served already
            self._next_ms.pop(member)
            member.publish(member.device.tick(now_ms))
            self.schedule(member)
