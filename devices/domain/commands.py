"""The life of a command: one table of transitions, no I/O.

queued → sent → accepted → done, with rejected, failed and expired as the other ends. A command can
be answered before we noted that it was sent, so an answer also moves a queued one.
"""

from enum import StrEnum

from devices.domain.messages import AckStatus
from devices.domain.shadow import Link


class Status(StrEnum):
    """Where a command stands."""

    QUEUED = "queued"
    SENT = "sent"
    ACCEPTED = "accepted"
    DONE = "done"
    REJECTED = "rejected"
    FAILED = "failed"
    EXPIRED = "expired"


OPEN = (Status.QUEUED, Status.SENT, Status.ACCEPTED)
IN_FLIGHT = (Status.SENT, Status.ACCEPTED)
ENDS = (Status.DONE, Status.REJECTED, Status.FAILED, Status.EXPIRED)

_AFTER_ACK: dict[AckStatus, Status] = {
    "accepted": Status.ACCEPTED,
    "done": Status.DONE,
    # The device has carried this id out before; what it did then stands.
    "duplicate": Status.DONE,
    "rejected": Status.REJECTED,
    "expired": Status.EXPIRED,
    "failed": Status.FAILED,
}


def after_ack(status: Status, ack: AckStatus) -> Status:
    """The status after an answer of the device; an ended command stays as it ended."""
    return _AFTER_ACK[ack] if status in OPEN else status


def after_effect(status: Status) -> Status:
    """The status after the device reported a state caused by the command."""
    return Status.DONE if status in OPEN else status


def is_news(end: Status, link: Link) -> bool:
    """Whether a command that ended badly should call a person.

    Not when the device is known to be away; and one that was never sent says nothing of a device
    that we have not heard of for a while (the line to all of them may be down).
    """
    if end is Status.EXPIRED:
        return link is Link.ONLINE
    return end is Status.FAILED and link in (Link.ONLINE, Link.STALE)


def after_publish(status: Status) -> Status:
    """The status after the broker took the message; an answer may have been faster."""
    return Status.SENT if status is Status.QUEUED else status
