"""Writes live changes in the transaction that caused them; NOTIFY carries only topic and seq."""

import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection

from base_ops.core.models.live import LiveTopic

CHANNEL = "live"
TELE_CHANNEL = "live_tele"
MAX_NOTIFY_BYTES = 7900

Changes = Mapping[str, Mapping[str, Any]]

_SQL = """
WITH topic AS (
    INSERT INTO core_livetopic AS t (name, epoch, seq, state, updated_at)
    VALUES (%(name)s, %(epoch)s, 1, %(set)s::jsonb, %(now)s)
    ON CONFLICT (name) DO UPDATE SET
        seq = t.seq + 1,
        state = (t.state - %(unset)s::text[]) || %(set)s::jsonb,
        updated_at = %(now)s
    RETURNING name, seq
), delta AS (
    INSERT INTO core_livedelta (topic, seq, set, unset, at)
    SELECT name, seq, %(set)s::jsonb, %(unset_json)s::jsonb, %(now)s FROM topic
)
SELECT pg_notify('live', name || ' ' || seq) FROM topic
"""


def publish(changes: Changes, *, now: datetime) -> None:
    """Write one delta per topic. The last statement of the caller's transaction.

    Args:
        changes: topic → key → new value, or None to remove the key. Topics are locked in sorted
            order and stay locked until commit: hence last, and in one call.
        now: when.
    """
    with connection.cursor() as cursor:
        for name in sorted(changes):
            values = changes[name]
            if not values:
                continue
            unset = [key for key, value in values.items() if value is None]
            given = {key: value for key, value in values.items() if value is not None}
            cursor.execute(
                _SQL,
                {
                    "name": name,
                    "epoch": secrets.token_hex(6),
                    "set": json.dumps(given, ensure_ascii=False),
                    "unset": unset,
                    "unset_json": json.dumps(unset, ensure_ascii=False),
                    "now": now,
                },
            )


def state(topic: str) -> tuple[str, int, dict[str, Any]]:
    """The topic's (epoch, seq, current state); ("", 0, {}) before its first change."""
    row = LiveTopic.objects.filter(name=topic).first()
    return (row.epoch, row.seq, row.state) if row else ("", 0, {})


def tele(topic: str, values: Mapping[str, Any]) -> None:
    """Announce droppable values on commit: no seq, no log, split to fit into notifications."""
    part: dict[str, Any] = {}
    for key, value in values.items():
        if part and len(_packed(topic, part | {key: value})) > MAX_NOTIFY_BYTES:
            _send(topic, part)
            part = {}
        part[key] = value
    if part:
        _send(topic, part)


def _packed(topic: str, part: Mapping[str, Any]) -> bytes:
    return f"{topic} {json.dumps(part, ensure_ascii=False, separators=(',', ':'))}".encode()


def _send(topic: str, part: Mapping[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [TELE_CHANNEL, _packed(topic, part).decode()])
