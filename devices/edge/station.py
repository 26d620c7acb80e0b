"""A device's line to the broker: it connects, announces, listens, and comes back by itself."""

import asyncio
import contextlib
import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from devices.edge import client
from devices.edge.client import Address, Connection
from devices.edge.packets import Login, Message

logger = logging.getLogger(__name__)
KEEPALIVE_S = 60
GOODBYE_S = 2.0


class Speaker(Protocol):
    """What speaks over a line."""

    def will(self) -> Message:
        """What the broker says when we fall silent."""

    def announce(self) -> list[Message]:
        """What to say after each connect."""

    def farewell(self) -> list[Message]:
        """What to say before an orderly end."""

    def receive(self, message: Message) -> None:
        """Somebody said something to us."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which broker, as whom."""

    address: Address
    code: str
    password: str = ""


class Station:
    """One line; `publish` loses what is said while there is none."""

    def __init__(self, place: Place, speaker: Speaker) -> None:
        self._place, self._speaker = place, speaker
        self.connection: Connection | None = None

    async def stay_connected(self, rng: random.Random) -> None:
        """Connect, announce, wait for the end of it, again."""
        failures = 0
        while True:
            try:
                await self._serve()
                failures = 0
            except (OSError, TimeoutError) as exc:
                failures += 1
                if failures == 1:
                    extra = {"client": self._place.code, "why": str(exc)}
                    logger.debug("edge.connect_failed", extra=extra)
            await asyncio.sleep(client.backoff_s(failures, rng))

    async def _serve(self) -> None:
        code = self._place.code
        login = Login(
            client_id=code,
            username=code,
            password=self._place.password,
            keepalive_s=KEEPALIVE_S,
            will=self._speaker.will(),
        )
        self.connection = connection = await client.open_connection(
            self._place.address, login, f"wb1/d/{code}/cmd", self._speaker.receive
        )
        try:
            self.publish(self._speaker.announce())
            await self._ping_until_closed(connection)
        finally:
            self.connection = None
            connection.abort()

    async def _ping_until_closed(self, connection: Connection) -> None:
        while not connection.closed.done():
            await asyncio.wait([connection.closed], timeout=KEEPALIVE_S * 0.75)
            if not connection.closed.done():
                connection.ping()

    def publish(self, out: Sequence[Message]) -> None:
        """Send, or lose it when there is no line: the next announcement tells the state."""
        if self.connection is not None:
            for message in out:
                self.connection.send(message)

    async def leave(self) -> None:
        """Say goodbye, let the broker confirm it, and close."""
        if (connection := self.connection) is not None:
            self.publish(self._speaker.farewell())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(connection.drained(), GOODBYE_S)
            connection.close()
