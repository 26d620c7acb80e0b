"""Shadows of a batch: locked and read in one statement, written in two."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from django.db import connection

from devices.directory import Entry
from devices.domain.shadow import Link, Shadow
from devices.models import Shadow as ShadowRow

_LOAD = """
SELECT device_id, link, session, session_ts, version, reported::text, reported_at, last_seen_at,
       desired->>'until', uplink_score
FROM devices_shadow WHERE device_id = ANY(%s) ORDER BY device_id FOR NO KEY UPDATE
"""
_SAVE = """
UPDATE devices_shadow s SET link = n.link, session = n.session, session_ts = n.session_ts,
  version = n.version, reported = n.reported, reported_at = n.reported_at,
  last_seen_at = n.last_seen_at, uplink_score = n.uplink_score
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::jsonb[],
  %s::timestamptz[], %s::timestamptz[], %s::smallint[])
  AS n(id, link, session, session_ts, version, reported, reported_at, last_seen_at, uplink_score)
WHERE s.device_id = n.id
"""
_TOUCH = """
UPDATE devices_shadow s SET last_seen_at = n.at FROM unnest(%s::bigint[], %s::timestamptz[])
  AS n(id, at) WHERE s.device_id = n.id
"""


@dataclass(slots=True)
class Row:
    """One device's shadow through a batch."""

    entry: Entry
    before: Shadow
    after: Shadow
    desired_until: int | None
    uplink_score: int
    new_uplink_score: int
    worst: Mapping[str, float] = field(default_factory=dict)

    @property
    def retold(self) -> bool:
        """Whether the device reported something new."""
        return self.after.reported is not self.before.reported

    @property
    def relinked(self) -> bool:
        """Whether it came, went, or was heard again."""
        return self.after.link is not self.before.link

    @property
    def rewritten(self) -> bool:
        """Whether more changed than the time of its last sign of life."""
        a, b = self.after, self.before
        return (
            self.retold
            or self.relinked
            or self.new_uplink_score != self.uplink_score
            or (a.session, a.session_ts, a.version) != (b.session, b.session_ts, b.version)
        )


def load(device_ids: list[int]) -> dict[int, Row]:
    """Lock and read the shadows, in order of id; missing ones are made first."""
    found = _read(device_ids)
    if missing := [pk for pk in device_ids if pk not in found]:
        ShadowRow.objects.bulk_create(
            [ShadowRow(device_id=pk) for pk in missing], ignore_conflicts=True
        )
        found |= _read(missing)
    return found


def _read(device_ids: list[int]) -> dict[int, Row]:
    if not device_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_LOAD, [device_ids])
        return {row[0]: _row(row) for row in cursor.fetchall()}


def _row(row: tuple[Any, ...]) -> Row:
    shadow = Shadow(
        link=Link(row[1]),
        session=row[2],
        session_ts=row[3],
        version=row[4],
        reported=msgspec.json.decode(row[5]),
        reported_at=row[6],
        last_seen_at=row[7],
    )
    until = int(row[8]) if row[8] else None
    entry = _NOBODY
    return Row(entry, shadow, shadow, until, row[9], row[9])


_NOBODY = Entry(0, "", "", "", "", "", "", "", None, "")


def save(rows: Mapping[int, Row]) -> None:
    """Write what changed: whole rows where the device said something, else only when it spoke."""
    whole = [(pk, r) for pk, r in rows.items() if r.rewritten]
    touched = [
        (pk, r.after.last_seen_at)
        for pk, r in rows.items()
        if not r.rewritten and r.after.last_seen_at != r.before.last_seen_at
    ]
    with connection.cursor() as cursor:
        if whole:
            cursor.execute(_SAVE, _columns(whole))
        if touched:
            cursor.execute(_TOUCH, [[pk for pk, _ in touched], [at for _, at in touched]])


def _columns(rows: list[tuple[int, Row]]) -> list[list[Any]]:
    after = [(pk, r.after, r.new_uplink_score) for pk, r in rows]
    return [
        [pk for pk, _, _ in after],
        [str(s.link) for _, s, _ in after],
        [s.session for _, s, _ in after],
        [s.session_ts for _, s, _ in after],
        [s.version for _, s, _ in after],
        [_json(s.reported) for _, s, _ in after],
        [s.reported_at for _, s, _ in after],
        [s.last_seen_at for _, s, _ in after],
        [score for _, _, score in after],
    ]


def _json(value: object) -> str:
    return msgspec.json.encode(value or {}).decode()
