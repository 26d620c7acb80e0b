"""Keeps when devices were out: what credits rest on, whatever the alarm rules say."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from psycopg.types.json import Jsonb

from devices.domain import alarms
from devices.domain.outages import Cause
from devices.domain.shadow import Link
from devices.models import Outage
from devices.services.shadowing import Row

KEPT = timedelta(days=3 * 366)

_BEGIN = """
INSERT INTO devices_outage (device_id, space_id, cause, began_at, evidence)
SELECT d.id, d.space_id, %(cause)s, n.at, n.evidence
FROM unnest(%(ids)s::bigint[], %(ats)s::timestamptz[], %(evidence)s::jsonb[])
  AS n(id, at, evidence) JOIN devices_device d ON d.id = n.id ORDER BY d.id
ON CONFLICT (device_id, cause) WHERE ended_at IS NULL DO NOTHING
"""
_END = """
UPDATE devices_outage SET ended_at = greatest(began_at, %s)
WHERE device_id = ANY(%s) AND cause = ANY(%s) AND ended_at IS NULL
"""

Begun = Mapping[int, tuple[datetime, Mapping[str, Any]]]


def follow(rows: Mapping[int, Row], *, now: datetime) -> None:
    """Note which devices went and came, and whose uplink became bad or good again."""
    moved = {pk: row for pk, row in rows.items() if row.relinked}
    gone = {pk: row for pk, row in moved.items() if row.after.link is Link.OFFLINE}
    _begin(Cause.OFFLINE, {pk: (now, _last_word(row)) for pk, row in gone.items()})
    back = [pk for pk, row in moved.items() if row.after.link is Link.ONLINE]
    _end(back, [Cause.OFFLINE, Cause.SILENT], now)
    _end(gone, [Cause.SILENT], now)
    arrived = {pk: r for pk, r in rows.items() if r.new_uplink_score != r.uplink_score}
    bad = {pk: r for pk, r in arrived.items() if r.new_uplink_score == alarms.BAD_SAMPLES}
    _begin(Cause.UPLINK, {pk: (now, {"metrics": dict(row.worst)}) for pk, row in bad.items()})
    _end([pk for pk, row in arrived.items() if row.new_uplink_score == 0], [Cause.UPLINK], now)


def fell_silent(seen: Mapping[int, datetime | None], *, now: datetime) -> None:
    """Note devices without a sign of life since the instants they were last seen."""
    _begin(Cause.SILENT, {pk: (at or now, {}) for pk, at in seen.items()})


def _last_word(row: Row) -> Mapping[str, Any]:
    seen = row.before.last_seen_at
    return {"session": row.after.session, "last_seen_at": seen.isoformat() if seen else None}


def _begin(cause: Cause, begun: Begun) -> None:
    if not begun:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _BEGIN,
            {
                "cause": str(cause),
                "ids": list(begun),
                "ats": [at for at, _ in begun.values()],
                "evidence": [Jsonb(dict(found)) for _, found in begun.values()],
            },
        )


def _end(device_ids: Iterable[int], causes: list[Cause], now: datetime) -> None:
    ids = list(device_ids)
    if ids:
        with connection.cursor() as cursor:
            cursor.execute(_END, [now, ids, [str(cause) for cause in causes]])


def forget_old(now: datetime) -> int:
    """Delete outages that ended three years ago; returns how many."""
    return Outage.objects.filter(ended_at__lt=now - KEPT).delete()[0]
