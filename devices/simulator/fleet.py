"""The fleet: one MQTT connection per device, and one timetable for all of them."""

import asyncio
import contextlib
import heapq
import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from devices.edge.client import Address, Connection
from devices.edge.packets import Message
from devices.edge.station import Place, Station
from devices.simulator.device import SimDevice
from devices.simulator.plan import Spec
from devices.simulator.room import Room

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
        self._fleet = fleet
        place = Place(fleet.setup.address, device.spec.code, fleet.setup.password)
        self._station = Station(place, self)

    @property
    def connection(self) -> Connection | None:
        """The line, while there is one."""
        return self._station.connection

    async def stay_connected(self, first_after_s: float) -> None:
        """Boot, and be on the broker for ever."""
        await asyncio.sleep(first_after_s)
        self.device.boot(self._fleet.now_ms())
        self._fleet.schedule(self)
        rng = dice(self._fleet.setup.seed, self.device.spec.code)
        await self._station.stay_connected(rng)

    def will(self) -> Message:
        """The device's will, now."""
        return self.device.will(self._fleet.now_ms())

    def announce(self) -> list[Message]:
        """Its announcement, now."""
        return self.device.announce(self._fleet.now_ms())

    def farewell(self) -> list[Message]:
        """Its farewell, now."""
        return self.device.farewell(self._fleet.now_ms())

    def receive(self, message: Message) -> None:
        """Hand a command to the device."""
        self.publish(self.device.receive(message, self._fleet.now_ms()))
        self._fleet.schedule(self)

    def publish(self, out: Sequence[Message]) -> None:
        """Send, or lose it when there is no line."""
        self._station.publish(out)

    async def leave(self) -> None:
        """Say goodbye."""
        await self._station.leave()


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
