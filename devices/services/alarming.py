"""Alarms are raised once per device and kind, cleared by the facts, acknowledged by people."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from psycopg.types.json import Jsonb

from base_ops.core import audit
from base_ops.core.actors import Actor
from base_ops.core.errors import NotFound
from base_ops.core.models import Space
from devices import directory
from devices.domain import alarms
from devices.domain.alarms import Code
from devices.models import Alarm
from devices.services import announce


class NoSuchAlarm(NotFound):
    """Unknown id."""

    code, title_zh, title_en = "no_such_alarm", "没有此告警", "No such alarm"


@dataclass(frozen=True, slots=True)
class Raise:
    """An alarm to be raised on a device."""

    device_id: int
    code: Code
    detail: Mapping[str, Any]


def raise_all(wanted: Sequence[Raise], *, now: datetime, changes: announce.Changes) -> None:
    """Raise those that are not open yet; devices out of service raise none.

    Failed commands are counted in the one alarm of their device.
    """
    if not wanted:
        return
    known = directory.by_id(now)
    rows = [
        (w.device_id, entry.space_id, str(w.code), str(alarms.severity(w.code, entry.kind)), w)
        for w in _once(wanted)
        if (entry := known.get(w.device_id)) is not None and entry.is_active
    ]
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _RAISE,
            {
                "now": now,
                "devices": [r[0] for r in rows],
                "spaces": [r[1] for r in rows],
                "codes": [r[2] for r in rows],
                "severities": [r[3] for r in rows],
                "details": [Jsonb(dict(r[4].detail)) for r in rows],
            },
        )
        new = [pk for (pk,) in cursor.fetchall()]
    for row in Alarm.objects.filter(pk__in=new):
        _note(row, now, changes)


_RAISE = """
INSERT INTO devices_alarm
  (device_id, space_id, code, severity, detail, raised_at, acknowledged_by)
SELECT a.*, %(now)s, '' FROM unnest(%(devices)s::bigint[], %(spaces)s::bigint[],
  %(codes)s::text[], %(severities)s::text[], %(details)s::jsonb[]) AS a
ON CONFLICT (device_id, code) WHERE cleared_at IS NULL AND device_id IS NOT NULL
DO UPDATE SET detail = devices_alarm.detail || excluded.detail || jsonb_build_object(
    'count', coalesce((devices_alarm.detail->>'count')::int, 1) + (excluded.detail->>'count')::int,
    'wanted', coalesce(devices_alarm.detail->'wanted', '{}') || (excluded.detail->'wanted'))
  WHERE excluded.code = 'command_failed'
RETURNING id
"""


def _once(wanted: Sequence[Raise]) -> list[Raise]:
    """One per device and kind, the latest; what it counts is summed up."""
    found: dict[tuple[int, Code], Raise] = {}
    for each in wanted:
        key = each.device_id, each.code
        if (before := found.get(key)) is not None and "count" in each.detail:
            detail = {
                **before.detail,
                **each.detail,
                "count": before.detail["count"] + each.detail["count"],
                "wanted": {**before.detail["wanted"], **each.detail["wanted"]},
            }
            each = replace(each, detail=detail)
        found[key] = each
    return list(found.values())


def _note(row: Alarm, now: datetime, changes: announce.Changes) -> None:
    entry = directory.by_id(now).get(row.device_id) if row.device_id is not None else None
    space_code = entry.space_code if entry else None
    if row.device_id is None and row.space is not None:
        space_code = row.space.code
    changes.alarm(row, device_code=entry.code if entry else None, space_code=space_code)


def clear(
    device_ids: Collection[int],
    codes: Iterable[Code],
    *,
    now: datetime,
    changes: announce.Changes,
) -> None:
    """Clear the open alarms of these kinds on these devices."""
    if not device_ids:
        return
    rows = Alarm.objects.select_for_update().filter(
        device_id__in=device_ids, code__in=[str(c) for c in codes], cleared_at=None
    )
    found = list(rows.order_by("pk"))
    if not found:
        return
    Alarm.objects.filter(pk__in=[row.pk for row in found]).update(cleared_at=now)
    for row in found:
        row.cleared_at = now
        _note(row, now, changes)


def raise_space_alarm(space: Space, code: str, detail: Mapping[str, Any], now: datetime) -> None:
    """Raise an alarm on a space as a whole, or renew what an open one says."""
    wanted = Code(code)
    with transaction.atomic():
        row, is_new = Alarm.objects.select_for_update(of=("self",)).get_or_create(
            space=space,
            device=None,
            code=wanted,
            cleared_at=None,
            defaults={
                "severity": alarms.severity(wanted, ""),
                "detail": dict(detail),
                "raised_at": now,
            },
        )
        if not is_new and row.detail == detail:
            return
        row.detail = dict(detail)
        row.save(update_fields=["detail"])
        _tell([row], now)


def clear_space_alarm(space: Space, code: str, now: datetime) -> None:
    """Clear the open alarm of that kind on a space, if there is one."""
    _clear_on_spaces(Alarm.objects.filter(space=space), Code(code), now)


def clear_space_alarms_but(space_ids: Collection[int], code: str, now: datetime) -> None:
    """Clear the open alarms of that kind on all other spaces."""
    _clear_on_spaces(Alarm.objects.exclude(space_id__in=space_ids), Code(code), now)


def _clear_on_spaces(found: QuerySet[Alarm], code: Code, now: datetime) -> None:
    with transaction.atomic():
        still = found.filter(device=None, code=code, cleared_at=None)
        rows = list(still.select_for_update(of=("self",)).select_related("space").order_by("pk"))
        if not rows:
            return
        for row in rows:
            row.cleared_at = now
        Alarm.objects.bulk_update(rows, ["cleared_at"])
        _tell(rows, now)


def _tell(rows: Iterable[Alarm], now: datetime) -> None:
    changes = announce.Changes()
    for row in rows:
        _note(row, now, changes)
    announce.tell(changes, now=now)


def acknowledge_alarm(*, alarm_id: int, actor: Actor, now: datetime) -> Alarm:
    """Note that somebody took care; the first one stays on record.

    Raises:
        NoSuchAlarm: unknown id.
    """
    with transaction.atomic():
        row = Alarm.objects.select_for_update().filter(pk=alarm_id).first()
        if row is None:
            raise NoSuchAlarm(f"alarm {alarm_id}")
        if row.acknowledged_at is not None:
            return row
        row.acknowledged_at, row.acknowledged_by = now, actor.label
        row.save(update_fields=["acknowledged_at", "acknowledged_by"])
        audit.record(
            actor=actor,
            action="alarm.acknowledge",
            object_type="alarm",
            object_code=str(row.pk),
            now=now,
        )
        _tell([row], now)
    return row
