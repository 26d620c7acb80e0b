"""Writes live changes in the transaction that caused them; NOTIFY carries topic, seq and epoch."""

import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection

from base_ops.core.models.live import LiveTopic

CHANNEL = "live"
TELE_CHANNEL = "live_tele"
MAX_NOTIFY_BYTES = 7900

Changes = Mapping[str, Mapping[str, Any]]


def publish(changes: Changes, *, now: datetime) -> None:
    """Write one delta per topic. The last statement of the caller's transaction.

    Args:
        changes: topic → key → new value, or None to remove the key. Topics are locked in sorted
            order and stay locked until commit: hence last, and in one call.
        now: when.
    """
    rows = [_row(name, values) for name, values in changes.items() if values]
    if rows:
        with connection.cursor() as cursor:
            packed = msgspec.json.encode(rows).decode()
            cursor.execute("SELECT core_live_publish(%s::jsonb, %s)", [packed, now])


def _row(name: str, values: Mapping[str, Any]) -> tuple[str, str, dict[str, Any], list[str]]:
    """(topic, epoch if it is new, set, unset) as the SQL function takes it."""
    given = {key: value for key, value in values.items() if value is not None}
    return name, secrets.token_hex(6), given, [k for k, v in values.items() if v is None]


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
