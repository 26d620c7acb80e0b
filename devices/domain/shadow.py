"""One device as we know it, and how each message changes that. Pure; newest wins.

A session is one boot of a device. Within a session the higher version wins. A message of another
session wins when it is younger than all we have seen of the current one; a device that comes now
begins its session whatever its clock says. No clock is believed to be far ahead of ours, so that
one wrong time does not shut out all that follow.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from devices.domain import messages

STALE_AFTER = timedelta(seconds=45)
AHEAD = timedelta(seconds=60)  # a device's clock may be this far ahead of ours
_NEVER = -1


class Link(StrEnum):
    """How sure we are that the device is there."""

    ONLINE = "online"
    STALE = "stale"
    OFFLINE = "offline"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Shadow:
    """What a device last said of itself."""

    link: Link = Link.UNKNOWN
    session: str = ""
    session_ts: int = _NEVER
    version: int = _NEVER
    reported: Mapping[str, Any] | None = None
    reported_at: datetime | None = None
    last_seen_at: datetime | None = None

    @property
    def is_live(self) -> bool:
        """Whether this encoder says that it streams, and is there to say so."""
        return self.link is not Link.OFFLINE and (self.reported or {}).get("run") == "live"


def link_at(link: Link, last_seen_at: datetime | None, now: datetime) -> Link:
    """The link as it must be shown now: silence makes an online device stale at once."""
    if link is Link.ONLINE and (last_seen_at is None or now - last_seen_at > STALE_AFTER):
        return Link.STALE
    return link


def delta(desired: Mapping[str, Any], reported: Mapping[str, Any]) -> dict[str, Any]:
    """What is wanted and not reported: whole values, and nothing that is only reported."""
    return {k: v for k, v in desired.items() if k not in reported or reported[k] != v}


def merge(shadow: Shadow, message: messages.Incoming, *, now: datetime) -> Shadow:
    """The shadow after one message; the same object when the message changes nothing."""
    match message:
        case messages.Status():
            return _after_status(shadow, message, now)
        case messages.State():
            return _after_state(shadow, message, now)
        case messages.Meta(retained=True):
            return shadow
        case messages.Meta() | messages.Tele() | messages.Event() | messages.Ack():
            return _seen(shadow, now)


def _after_status(shadow: Shadow, message: messages.Status, now: datetime) -> Shadow:
    current = message.session == shadow.session
    known, said = _believed(shadow.session_ts, now), _believed(message.ts, now)
    session_ts = max(known, said)
    if not message.online:
        if not current and shadow.session_ts != _NEVER:
            return shadow  # the will of an earlier life
        return replace(shadow, link=Link.OFFLINE, session=message.session, session_ts=session_ts)
    if not current and message.retained and said <= known:
        return shadow
    begun = shadow if current else replace(shadow, session=message.session, version=_NEVER)
    begun = replace(begun, session_ts=session_ts, link=Link.ONLINE)
    return _seen(begun, _heard_at(message.ts, message.retained, now))


def _after_state(shadow: Shadow, message: messages.State, now: datetime) -> Shadow:
    current = message.session == shadow.session
    known, said = _believed(shadow.session_ts, now), _believed(message.ts, now)
    newest = message.v > shadow.version if current else said > known
    if not newest:
        again = current and message.v == shadow.version and message.state == shadow.reported
        return _seen(shadow, now) if again and not message.retained else shadow
    at = _heard_at(message.ts, message.retained, now)
    farewell = message.retained and current and shadow.link is Link.OFFLINE
    return Shadow(
        link=Link.OFFLINE if farewell else Link.ONLINE,
        session=message.session,
        session_ts=max(known, said),
        version=message.v,
        reported=message.state,
        reported_at=at,
        last_seen_at=max(shadow.last_seen_at, at) if shadow.last_seen_at else at,
    )


def _believed(ts: int, now: datetime) -> int:
    """A time of a device's clock, at most `AHEAD` of ours."""
    return min(ts, round((now + AHEAD).timestamp() * 1000))


def _seen(shadow: Shadow, at: datetime) -> Shadow:
    """A sign of life; it does not undo a known farewell, a status or a state does."""
    last = max(shadow.last_seen_at, at) if shadow.last_seen_at else at
    link = shadow.link if shadow.link is Link.OFFLINE else Link.ONLINE
    if last == shadow.last_seen_at and link is shadow.link:
        return shadow
    return replace(shadow, last_seen_at=last, link=link)


def _heard_at(ts: int, retained: bool, now: datetime) -> datetime:
    """Now; or, of a message that the broker kept, when the device says it wrote it."""
    return min(now, datetime.fromtimestamp(ts / 1000, UTC)) if retained else now
