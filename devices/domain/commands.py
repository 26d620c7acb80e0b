"""The life of a command: one table of transitions, no I/O.

queued → sent → accepted → done, with rejected, failed and expired as the other ends. A command can
be answered before we noted that it was sent, so an answer also moves a queued one.

Expired and failed are also what we presume when nobody answers in time. The answer may come later
(the bridge was killed, the broker was away): a device carries nothing out after its expiry, so its
word that the command is done then stands against our presumption.
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
PRESUMED = (Status.EXPIRED, Status.FAILED)
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


def after_ack(status: Status, ack: AckStatus, *, answered: bool = True) -> Status:
    """The status after an answer of the device.

    An ended command stays as it ended; but where nobody had `answered` and we only presumed an
    end, being done is news.
    """
    after = _AFTER_ACK[ack]
    if status in OPEN:
        return after
    return after if after is Status.DONE and is_presumed(status, answered=answered) else status


def is_presumed(status: Status, *, answered: bool) -> bool:
    """Whether this end is our guess, for want of an answer."""
    return status in PRESUMED and not answered


def is_late_copy(ack: AckStatus, code: str) -> bool:
    """Whether a device says no more than that the message was too old when it came."""
    return ack == "expired" and not code


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
