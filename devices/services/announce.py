"""Tells the live topics and those above what changed; called last in a transaction."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from base_ops.core import live
from devices import directory, selectors, signals
from devices.directory import Entry
from devices.domain import alarms
from devices.domain import shadow as shadows
from devices.domain.shadow import Link
from devices.models import Alarm, Shadow

Value = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """What a transaction holds in its hands of a device, so that nobody reads it again.

    Args:
        pending: whether a command is on its way; None: look.
    """

    link: Link
    reported: Mapping[str, Any]
    desired: Mapping[str, Any] | None
    at: datetime | None
    version: int
    pending: bool | None = None


@dataclass(slots=True)
class Changes:
    """What a transaction has changed so far, to be told at its end."""

    device_ids: set[int] = field(default_factory=set)
    known: dict[int, Known] = field(default_factory=dict)
    alarms: dict[str, Value | None] = field(default_factory=dict)
    space_ids: set[int] = field(default_factory=set)
    gone: dict[str, set[str]] = field(default_factory=dict)  # space → devices that left it
    registry: dict[str, Value | None] = field(default_factory=dict)

    def alarm(self, row: Alarm, *, device_code: str | None, space_code: str | None) -> None:
        """Note an alarm that was raised, acknowledged or cleared, and its space."""
        self.alarms[str(row.pk)] = (
            None if row.cleared_at else alarm_value(row, device_code, space_code)
        )
        if row.space_id is not None:
            self.space_ids.add(row.space_id)


def alarm_value(row: Alarm, device_code: str | None, space_code: str | None) -> Value:
    """One open alarm as the topic `alarms` shows it."""
    return {
        "code": row.code,
        "title_zh": alarms.title_of(row.code, row.title_zh, row.title_en)[0],
        "title_en": alarms.title_of(row.code, row.title_zh, row.title_en)[1],
        "state": row.state,
        "severity": row.severity,
        "device": device_code,
        "space": space_code,
        "detail": row.detail,
        "raised_at": row.raised_at.isoformat(),
        "acknowledged_at": row.acknowledged_at.isoformat() if row.acknowledged_at else None,
        "acknowledged_by": row.acknowledged_by,
    }


def tell(changes: Changes, *, now: datetime) -> None:
    """Publish to the live topics, then let those above refresh what they show."""
    topics = _space_topics(changes, now)
    for space, codes in changes.gone.items():
        topic = topics.setdefault(f"space.{space}", {})
        topic |= dict.fromkeys(codes - topic.keys())
    if changes.registry:
        topics["registry"] = changes.registry
    if changes.alarms:
        topics["alarms"] = changes.alarms
    if topics:
        live.publish(topics, now=now)
    if changes.space_ids:
        signals.space_changed.send(sender=None, space_ids=set(changes.space_ids), now=now)


def _space_topics(changes: Changes, now: datetime) -> dict[str, dict[str, Value | None]]:
    if not changes.device_ids:
        return {}
    known = _read(changes.device_ids - changes.known.keys()) | changes.known
    pending = {pk for pk, one in known.items() if one.pending}
    if unsure := [pk for pk, one in known.items() if one.pending is None]:
        pending |= selectors.has_open_command(unsure)
    registered = directory.by_id(now)
    topics: dict[str, dict[str, Value | None]] = {}
    for pk in sorted(changes.device_ids & known.keys()):
        entry = registered.get(pk)
        if entry is not None and entry.space_code:
            value = _value(entry, known[pk], pending=pk in pending, now=now)
            topics.setdefault(f"space.{entry.space_code}", {})[entry.code] = value
    return topics


def _read(device_ids: Collection[int]) -> dict[int, Known]:
    """What the database says of these devices."""
    if not device_ids:
        return {}
    return {
        row.device_id: Known(
            Link(row.link), row.reported, row.desired, row.last_seen_at, row.version
        )
        for row in Shadow.objects.filter(device_id__in=device_ids)
    }


def _value(entry: Entry, known: Known, *, pending: bool, now: datetime) -> Value:
    return {
        **entry.shown,
        "link": str(shadows.link_at(known.link, known.at, now)),
        "reported": known.reported,
        "desired": known.desired,
        "pending": pending,
        "at": known.at.isoformat() if known.at else None,
        "version": max(known.version, 0),
    }
