"""Reads about what goes on in rooms: is somebody there, and is it as it should be left?"""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import connection

from base_ops.core.models import Space
from devices.domain import selftest
from devices.domain import shadow as shadows
from devices.domain.shadow import Link
from devices.models import Alarm, Device
from devices.models.registry import DeviceStatus
from devices.selectors.devices import has_open_command

PRESENCE_COUNTS = timedelta(minutes=5)  # a sensor sees nobody while a person sits still


def occupied_space_ids(
    space_ids: Collection[int], *, now: datetime, since: datetime | None = None
) -> set[int]:
    """The spaces in which a presence sensor sees somebody, or did within five minutes.

    A sensor that fell silent says nothing, whatever it said last. `since` leaves out what was seen
    before.
    """
    ids = list(space_ids)
    start = max(since or now - PRESENCE_COUNTS, now - PRESENCE_COUNTS)
    rows = Device.objects.filter(
        space_id__in=ids,
        kind="sensor",
        status=DeviceStatus.ACTIVE,
        shadow__reported__presence=True,
    ).values_list("space_id", "shadow__link", "shadow__last_seen_at")
    found = {
        space_id
        for space_id, link, seen_at in rows
        if shadows.link_at(Link(link), seen_at, now) is Link.ONLINE
        and (since is None or (seen_at is not None and seen_at >= since))
    }
    with connection.cursor() as cursor:
        cursor.execute(_SEEN, {"spaces": ids, "start": start, "now": now})
        return found | {pk for (pk,) in cursor.fetchall()}


_SEEN = """
SELECT DISTINCT d.space_id FROM devices_telemetry t JOIN devices_device d ON d.id = t.device_id
 WHERE d.space_id = ANY(%(spaces)s) AND d.kind = 'sensor' AND d.status = 'active'
   AND t.at >= %(start)s AND t.at <= %(now)s
   AND t.m->'presence' > '0'::jsonb AND jsonb_typeof(t.m->'presence') = 'number'
"""


def senses_presence(space: Space) -> bool:
    """Whether the space has a presence sensor in service."""
    return Device.objects.filter(
        space=space, kind="sensor", role="presence", status=DeviceStatus.ACTIVE
    ).exists()


def self_test(*, space: Space, now: datetime) -> list[selftest.Found]:
    """Every device of the room as it is to be left: online, without alarm, at rest."""
    rows = Device.objects.filter(space=space, status=DeviceStatus.ACTIVE)
    found = list(rows.select_related("model", "shadow"))
    busy = has_open_command([device.pk for device in found])
    open_alarms: dict[int, list[str]] = defaultdict(list)
    alarms = Alarm.objects.filter(device__in=found, cleared_at=None)
    for device_id, code in alarms.values_list("device_id", "code"):
        if device_id is not None:
            open_alarms[device_id].append(code)
    return selftest.check(
        [_probe(device, open_alarms[device.pk], device.pk in busy, now) for device in found]
    )


def _probe(
    device: Device, alarms: Collection[str], pending: bool, now: datetime
) -> selftest.Probe:
    shadow = getattr(device, "shadow", None)
    link = Link(shadow.link) if shadow else Link.UNKNOWN
    return selftest.Probe(
        code=device.code,
        kind=device.kind,
        role=device.role,
        model=device.model.code if device.model else "",
        link=shadows.link_at(link, shadow.last_seen_at if shadow else None, now),
        reported=shadow.reported if shadow else {},
        alarms=alarms,
        pending=pending,
    )
