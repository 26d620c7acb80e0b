"""What time alone brings about: silence, expiry, new days, old data. Jobs call these."""

from datetime import datetime, timedelta

from django.db import connection, transaction

from devices import directory
from devices.domain.commands import ENDS
from devices.domain.shadow import STALE_AFTER
from devices.models import Alarm, Command, StreamSession
from devices.selectors.spaces import LOST_COUNTS
from devices.services import announce, outages, outbox, partitions, rolling

COMMANDS_KEPT = timedelta(days=90)
ALARMS_KEPT = timedelta(days=90)

_SILENT = """
UPDATE devices_shadow SET link = 'stale' WHERE device_id IN (
  SELECT device_id FROM devices_shadow WHERE link = 'online'
    AND (last_seen_at IS NULL OR last_seen_at < %s) ORDER BY device_id FOR UPDATE)
RETURNING device_id, last_seen_at
"""


def mark_stale(now: datetime, *, silence: timedelta = STALE_AFTER) -> int:
    """Mark online devices without a sign of life for 45 s as stale; returns how many.

    A bridge that lost the broker passes no `silence` at all: whatever it knows is old.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_SILENT, [now - silence])
            seen = dict(cursor.fetchall())
        ids = set(seen)
        if silence:  # else the base is deaf, which says nothing about devices
            outages.fell_silent(seen, now=now)
        known = directory.by_id(now)
        spaces = {known[pk].space_id for pk in ids if pk in known}
        changes = announce.Changes(device_ids=ids, space_ids={s for s in spaces if s is not None})
        announce.tell(changes, now=now)
    return len(ids)


def expire_commands(now: datetime) -> int:
    """Close commands that ran out."""
    return outbox.expire_due(now)


def make_partitions(now: datetime) -> int:
    """Make telemetry partitions ahead."""
    return partitions.make_ahead(now)


def drop_old_partitions(now: datetime) -> int:
    """Drop raw telemetry after 30 days, once it is rolled up, and rollups after three years."""
    return rolling.drop_old(now)


def end_lost_streams(now: datetime) -> int:
    """End sessions of encoders that did not come back; they ended when they were lost."""
    with transaction.atomic():
        rows = StreamSession.objects.select_for_update().filter(
            ended_at=None, lost_at__lte=now - LOST_COUNTS
        )
        found = list(rows)
        for row in found:
            row.ended_at = row.lost_at
            row.save(update_fields=["ended_at"])
    return len(found)


def prune(now: datetime) -> int:
    """Delete closed commands and cleared alarms after 90 days, outages after three years.

    Returns how many rows went.
    """
    old = Command.objects.filter(status__in=ENDS, created_at__lt=now - COMMANDS_KEPT)
    cleared = Alarm.objects.filter(cleared_at__lt=now - ALARMS_KEPT)
    return old.delete()[0] + cleared.delete()[0] + outages.forget_old(now)
