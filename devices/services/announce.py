"""Tells the live topics and those above what changed; called last in a transaction."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from base_ops.core import live
from devices import selectors, signals
from devices.models import Alarm, Device

Value = dict[str, Any]


@dataclass(slots=True)
class Changes:
    """What a transaction has changed so far, to be told at its end."""

    device_ids: set[int] = field(default_factory=set)
    alarms: dict[str, Value | None] = field(default_factory=dict)
    space_ids: set[int] = field(default_factory=set)

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
        "severity": row.severity,
        "device": device_code,
        "space": space_code,
        "detail": row.detail,
        "raised_at": row.raised_at.isoformat(),
        "acknowledged_at": row.acknowledged_at.isoformat() if row.acknowledged_at else None,
        "acknowledged_by": row.acknowledged_by,
    }


def tell(changes: Changes, *, now: datetime) -> None:
    """Publish to `space.<code>` and `alarms`, then let those above refresh what they show."""
    topics = _space_topics(changes.device_ids, now)
    if changes.alarms:
        topics["alarms"] = changes.alarms
    if topics:
        live.publish(topics, now=now)
    signal(changes.space_ids, now=now)


def signal(space_ids: Collection[int], *, now: datetime) -> None:
    """Send `space_changed` when there is something to say."""
    if space_ids:
        signals.space_changed.send(sender=None, space_ids=set(space_ids), now=now)


def _space_topics(
    device_ids: Iterable[int], now: datetime
) -> dict[str, Mapping[str, Value | None]]:
    ids = sorted(device_ids)
    if not ids:
        return {}
    devices = list(
        Device.objects.filter(pk__in=ids, space__isnull=False).select_related(
            "model", "shadow", "space"
        )
    )
    values = selectors.device_values(devices, now=now)
    topics: dict[str, dict[str, Value | None]] = {}
    for device in devices:
        assert device.space is not None
        topics.setdefault(f"space.{device.space.code}", {})[device.code] = values[device.code]
    return dict(topics)
