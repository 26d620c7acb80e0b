"""What a device says and is told, free of any wire format; codecs turn bytes into these.

Times in `ts` are milliseconds since the epoch by the device's clock. `retained` says that the
broker kept the message for us: it tells what was, and is no sign of life.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

ON_THE_WIRE = timedelta(seconds=2)  # for what rests on a right; it is sent again while valid

AckStatus = Literal["accepted", "done", "rejected", "expired", "duplicate", "failed"]


@dataclass(frozen=True, slots=True)
class Status:
    """A device came or went; an offline also arrives as the will of a dead connection.

    `session` names the boot of the device. An offline of a session that is not current is ignored.
    """

    device: str
    online: bool
    session: str
    ts: int
    retained: bool = False


@dataclass(frozen=True, slots=True)
class Meta:
    """What a device says it is."""

    device: str
    kind: str
    model: str
    firmware: str = ""
    serial: str = ""
    ranges: Mapping[str, Any] = field(default_factory=dict)
    retained: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """The whole reported state; `cause` is the id of the command that led to it."""

    device: str
    v: int
    session: str
    ts: int
    state: Mapping[str, Any]
    cause: str | None = None
    retained: bool = False


@dataclass(frozen=True, slots=True)
class Tele:
    """Measurements: finite numbers only."""

    device: str
    ts: int
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Event:
    """An edge or a fault: a door, a button, a tripped fuse."""

    device: str
    ts: int
    name: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ack:
    """What became of a command; `v` is the version of the state it led to."""

    device: str
    command_id: str
    st: AckStatus
    code: str = ""
    v: int | None = None


Incoming = Status | Meta | State | Tele | Event | Ack
Batch = Sequence[Incoming]


@dataclass(frozen=True, slots=True)
class Fence:
    """The right a command rests on, for the device to hold it to: which, its epoch, its end."""

    grant: int
    epoch: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One command as a codec encodes it. Never published retained, never after `expires_at`."""

    id: str
    device: str
    op: str
    state: Mapping[str, Any]
    expires_at: datetime
    if_v: int | None
    actor: str
    booking: str | None
    fence: Fence | None = None

    def sent_at(self, now: datetime) -> "Outgoing":
        """As it goes out now: one that rests on a right is soon too late to be carried out.

        So what a slow line still holds when the right is taken back, at check-out say, dies there,
        whether or not anybody can tell the device.
        """
        if self.fence is None:
            return self
        return replace(self, expires_at=min(self.expires_at, now + ON_THE_WIRE))
