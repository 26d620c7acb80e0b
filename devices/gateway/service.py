"""The gateway: all its gear, each a wb1 device with a line of its own to the broker."""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from devices.domain.gear import sacn as sacn_codec
from devices.edge.client import Address
from devices.edge.packets import Message
from devices.edge.station import Place, Station
from devices.gateway import config as configs
from devices.gateway.config import AnyGear, ArtnetGear, Config, MagewellGear, ObsGear, SacnGear
from devices.gateway.driver import Driver
from devices.gateway.drivers import dmx, dmx_wires, magewell, obs, visca, visca_links
from devices.gateway.gear import Gear
from devices.gateway.ledger import Ledger
from devices.gateway.targets import Target, Targets

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Setup:
    """Which broker, and where to keep what must outlive us."""

    address: Address
    folder: Path
    password: str = ""
    vault: Callable[[str], Target | None] | None = None


class Member:
    """One piece of gear and its line."""

    def __init__(
        self, setup: Setup, part: AnyGear, make: Callable[[dict[str, Any]], Driver],
        ledger: Ledger, now_ms: Callable[[], int],
    ) -> None:  # fmt: skip
        self.code = part.code
        self.gear = Gear(part, make, ledger, now_ms, self._say)
        password = part.mqtt_password.get_secret_value() or setup.password
        self.station = Station(Place(setup.address, part.code, password), self.gear)

    def _say(self, out: Sequence[Message]) -> None:
        self.station.publish(out)


class Gateway:
    """Builds everything from the configuration, runs it, and takes leave."""

    def __init__(self, config: Config, setup: Setup, now: Callable[[], datetime]) -> None:
        self._config, self._setup, self._now = config, setup, now
        listed = {
            name: Target(part.url, part.key.get_secret_value())
            for name, part in config.targets.items()
        }
        self._targets = Targets(listed, config.targets_dir, setup.vault)
        self._post = dmx_wires.ArtnetPost(config.artnet.bind, config.artnet.port)
        self._universes: dict[str, dmx.Universe] = {}
        ledger = Ledger(setup.folder)
        self.members = [
            Member(setup, part, self._maker(part), ledger, self.now_ms) for part in config.gear
        ]

    def now_ms(self) -> int:
        """The clock of the gateway."""
        return int(self._now().timestamp() * 1000)

    @property
    def online(self) -> int:
        """How many have a line to the broker."""
        return sum(m.station.connection is not None for m in self.members)

    def by_code(self, code: str) -> Gear:
        """One piece of gear."""
        return next(m.gear for m in self.members if m.code == code)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop; then every piece says goodbye."""
        tasks = [asyncio.create_task(work) for work in self._works()]
        stopped = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait({*tasks, stopped}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.gather(*(member.station.leave() for member in self.members))
        finally:
            for task in [*tasks, stopped]:
                task.cancel()
            await asyncio.gather(*tasks, stopped, return_exceptions=True)
            for universe in self._universes.values():
                universe.stop()
            self._post.close()
        for task in done - {stopped}:
            task.result()  # a defect of ours: raised, so that the supervisor starts us afresh

    def _works(self) -> list[Any]:
        works: list[Any] = [universe.run() for universe in self._universes.values()]
        if any(isinstance(part, ArtnetGear) for part in self._config.gear):
            works.append(self._post.run())
        for member in self.members:
            rng = random.Random(member.code)  # noqa: S311 - only spreads attempts
            works += [member.gear.run(rng), member.station.stay_connected(rng)]
        return works

    def _maker(self, part: AnyGear) -> Callable[[dict[str, Any]], Driver]:
        """How to build the driver of a piece of gear, once its notes are known."""
        if isinstance(part, ObsGear):
            return lambda notes: _obs(part, self._targets, notes)
        if isinstance(part, MagewellGear):
            return lambda notes: _magewell(part, self._targets, notes)
        if isinstance(part, ArtnetGear | SacnGear):
            return lambda notes: dmx.Light(self._universe(part), part.fixture, notes)
        return lambda notes: _camera(part)

    def _universe(self, part: ArtnetGear | SacnGear) -> dmx.Universe:
        place = configs.place_of(part)
        if place not in self._universes:
            self._universes[place] = dmx.Universe(self._wire(part), part.on_stop)
        return self._universes[place]

    def _wire(self, part: ArtnetGear | SacnGear) -> dmx_wires.Wire:
        if isinstance(part, ArtnetGear):
            return dmx_wires.Artnet(self._post, part.host, part.port, part.universe, part.polled)
        source = sacn_codec.Source(self._config.sacn.cid, self._config.sacn.name)
        return dmx_wires.Sacn(
            source, part.universe, host=part.host, port=part.port, priority=part.priority
        )


def _obs(part: ObsGear, targets: Targets, notes: dict[str, Any]) -> Driver:
    access = obs.Access(part.url, part.password.get_secret_value(), part.timeout_s)
    return obs.Encoder(access, targets, notes)


def _magewell(part: MagewellGear, targets: Targets, notes: dict[str, Any]) -> Driver:
    access = magewell.Access(
        part.url, part.user, part.password.get_secret_value(), part.server, part.timeout_s
    )
    return magewell.Encoder(access, targets, notes)


def _camera(part: configs.ViscaGear) -> Driver:
    kind = visca_links.Datagrams if part.transport == "udp" else visca_links.Stream
    mechanics = visca.Mechanics(
        pan_steps_per_deg=part.pan_steps_per_deg,
        tilt_steps_per_deg=part.tilt_steps_per_deg,
        zoom_tele=part.zoom_tele,
        pan_speed=part.pan_speed,
        tilt_speed=part.tilt_speed,
        privacy=part.privacy,
        tally=part.tally,
        presets=part.presets,
    )
    return visca.Camera(kind(part.host, part.port, part.timeout_s), mechanics)
