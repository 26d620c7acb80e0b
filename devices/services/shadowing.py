"""Shadows of a batch: locked and read in one statement, written in two."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.db import connection

from devices.directory import Entry
from devices.domain.shadow import Link, Shadow, delta
from devices.models import Shadow as ShadowRow

_LOAD = """
SELECT device_id, link, session, session_ts, version, reported::text,
       extract(epoch from last_seen_at)::float8, desired::text, uplink_score,
       device_id IN (SELECT device_id FROM devices_command
         WHERE status IN ('queued', 'sent', 'accepted') AND device_id = ANY(%(ids)s::bigint[])),
       (SELECT detail->>'wanted' FROM devices_alarm a
         WHERE a.device_id = s.device_id AND code = 'command_failed' AND cleared_at IS NULL)
FROM devices_shadow s WHERE device_id = ANY(%(ids)s::bigint[])
ORDER BY device_id FOR NO KEY UPDATE OF s
"""
# One JSON document instead of arrays: the driver's arrays cost more than everything else here.
_SAVE = """
UPDATE devices_shadow s SET link = n.link, session = n.session, session_ts = n.session_ts,
  version = n.version, reported = n.reported, last_seen_at = n.seen,
  reported_at = coalesce(n.reported_at, s.reported_at), uplink_score = n.score
FROM json_to_recordset(%s::json) AS n(id bigint, link text, session text, session_ts bigint,
  version bigint, reported jsonb, reported_at timestamptz, seen timestamptz, score smallint)
WHERE s.device_id = n.id
"""
_TOUCH = "UPDATE devices_shadow SET last_seen_at = %s WHERE device_id = ANY(%s::bigint[])"


@dataclass(slots=True)
class Row:
    """One device's shadow through a batch.

    Args:
        busy: a command is on its way to it.
        missed: what failed commands wanted of it, while the alarm about them is open.
    """

    entry: Entry
    before: Shadow
    after: Shadow
    desired: Mapping[str, Any] | None
    uplink_score: int
    new_uplink_score: int
    busy: bool = False
    missed: Mapping[str, Any] | None = None
    worst: Mapping[str, float] = field(default_factory=dict)

    @property
    def retold(self) -> bool:
        """Whether the device reported something new."""
        return self.after.reported is not self.before.reported

    @property
    def obeys_after_all(self) -> bool:
        """Whether it now reports what failed commands wanted of it."""
        said = self.after.reported
        return self.missed is not None and said is not None and not delta(self.missed, said)

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
    with pipelined(), connection.cursor() as cursor:
        cursor.execute(_LOAD, {"ids": _array(device_ids)})
        return {row[0]: _row(row) for row in cursor.fetchall()}


def _array(ids: Sequence[int]) -> str:
    """A literal for PostgreSQL; the driver looks at each element for its type."""
    return f"{{{','.join(map(str, ids))}}}"


@contextlib.contextmanager
def pipelined() -> Iterator[None]:
    """Send statements without waiting for the answer of each; their errors come at the end."""
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def _row(row: tuple[Any, ...]) -> Row:
    shadow = Shadow(
        link=_LINKS[row[1]],
        session=row[2],
        session_ts=row[3],
        version=row[4],
        reported=_decode(row[5]),
        last_seen_at=None if row[6] is None else datetime.fromtimestamp(row[6], UTC),
    )
    desired = None if row[7] is None else _decode(row[7])
    missed = None if row[10] is None else _decode(row[10])
    return Row(_NOBODY, shadow, shadow, desired, row[8], row[8], row[9], missed)


_decode = msgspec.json.Decoder().decode
_LINKS = {str(link): link for link in Link}

_NOBODY = Entry(0, "", "", "", "", None, "", {})


def save(rows: Mapping[int, Row]) -> None:
    """Write what changed: whole rows where the device said something, else only when it spoke."""
    whole = [_document(pk, row) for pk, row in rows.items() if row.rewritten]
    touched: dict[datetime, list[int]] = {}
    for pk, row in rows.items():
        seen = row.after.last_seen_at
        if seen is not None and not row.rewritten and seen != row.before.last_seen_at:
            touched.setdefault(seen, []).append(pk)
    with connection.cursor() as cursor:
        if whole:
            cursor.execute(_SAVE, [msgspec.json.encode(whole).decode()])
        for at, ids in touched.items():  # one instant: that of the batch
            cursor.execute(_TOUCH, [at, _array(ids)])


def _document(device_id: int, row: Row) -> dict[str, Any]:
    shadow = row.after
    return {
        "id": device_id,
        "link": str(shadow.link),
        "session": shadow.session,
        "session_ts": shadow.session_ts,
        "version": shadow.version,
        "reported": shadow.reported or {},
        "reported_at": shadow.reported_at,
        "seen": shadow.last_seen_at,
        "score": row.new_uplink_score,
    }
