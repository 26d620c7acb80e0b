"""What the gateway wants of a driver: one piece of gear, in its own tongue."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

State = Mapping[str, Any]


class Silent(Exception):
    """The gear does not answer, or not in its tongue: the link is lost."""


class Refused(Exception):
    """The gear, or its driver, will not do this; `code` goes into the ack."""

    def __init__(self, code: str, why: str = "") -> None:
        super().__init__(f"{code}: {why}" if why else code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Reading:
    """What the gear says of itself now; a key it does not tell is not there."""

    state: State
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """What it says it is."""

    firmware: str = ""
    serial: str = ""


class Driver(Protocol):
    """Between `open` and `close` each call may raise Silent; then it is closed and opened anew.

    Calls come one after the other, but `close` may come at any time.
    """

    ops: frozenset[str]
    changed: asyncio.Event  # set when a reading would tell something new at once

    async def open(self) -> Facts:
        """Connect and log in.

        Raises:
            Silent: nobody there, or it does not want us.
        """

    async def close(self) -> None:
        """Let go; never raises for a link that is lost already."""

    async def read(self) -> Reading:
        """Ask it how it is."""

    async def apply(self, wish: State) -> None:
        """Tell it to become so; returns when it has understood, not when it is so.

        Raises:
            Refused: it will not.
        """

    async def move(self, speeds: State) -> None:
        """Drive, and stop by itself after `deadman_ms`.

        Raises:
            Refused: it cannot.
        """

    async def end(self, reading: Reading) -> None:
        """The right to it has ended: one step towards the state in which `ended` is true."""

    def ended(self, state: State) -> bool:
        """Whether nothing goes out any more: no stream, no picture."""

    def is_so(self, key: str, wished: Any, state: State) -> bool:
        """Whether the gear's own word matches what was wished for a key."""


def is_near(wished: Any, said: Any, tolerance: float = 0.0) -> bool:
    """Equal; numbers within a tolerance, for gear that rounds to its own steps."""
    both = (wished, said)
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in both):
        return abs(float(wished) - float(said)) <= tolerance
    return bool(wished == said)
