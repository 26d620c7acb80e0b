"""Telemetry by COPY into daily partitions; meters also into their lasting readings."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from django.db import connection

from base_ops.core import live
from devices.directory import Entry
from devices.domain.messages import Tele
from devices.services import partitions

MAX_LATE = timedelta(days=1)
MAX_EARLY = timedelta(seconds=60)
SHOWN_EVERY = timedelta(seconds=1)

Measured = Sequence[tuple[Entry, Tele]]

_READING = """
INSERT INTO devices_energyreading AS r (device_id, minute, at, wh)
SELECT * FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::float8[])
ON CONFLICT ON CONSTRAINT energy_once_a_minute
DO UPDATE SET at = excluded.at, wh = excluded.wh WHERE excluded.at > r.at
"""


def keep(measured: Measured, *, now: datetime) -> None:
    """Store measurements and show the latest of each device."""
    if not measured:
        return
    timed = [(entry, message, taken_at(message.ts, now)) for entry, message in measured]
    partitions.ensure({at.date() for _, _, at in timed})
    _copy(timed)
    _read_meters(timed)
    _showing.add(timed)
    _showing.show(now)


Timed = Sequence[tuple[Entry, Tele, datetime]]


def taken_at(ts: int, now: datetime) -> datetime:
    """The device's own time where it is believable, else now."""
    at = datetime.fromtimestamp(ts / 1000, UTC)
    return at if now - MAX_LATE <= at <= now + MAX_EARLY else now.astimezone(UTC)


def _copy(timed: Timed) -> None:
    encode = msgspec.json.encode
    lines = [
        f"{entry.id}\t{at.isoformat()}\t".encode()
        + encode(message.metrics).replace(b"\\", b"\\\\")
        for entry, message, at in timed
    ]
    with connection.cursor() as cursor:
        command = "COPY devices_telemetry (device_id, at, m) FROM STDIN"
        with cursor.cursor.copy(command) as copy:
            copy.write(b"\n".join(lines) + b"\n")


def _read_meters(timed: Timed) -> None:
    """The last counter of each minute; charges rest on it."""
    last: dict[tuple[int, datetime], tuple[datetime, float]] = {}
    for entry, message, at in timed:
        wh = message.metrics.get("energy_wh")
        if entry.kind != "power_meter" or wh is None:
            continue
        key = (entry.id, at.replace(second=0, microsecond=0))
        if key not in last or last[key][0] < at:
            last[key] = (at, float(wh))
    if not last:
        return
    rows = sorted(last.items())
    with connection.cursor() as cursor:
        cursor.execute(
            _READING,
            [
                [device_id for (device_id, _), _ in rows],
                [minute for (_, minute), _ in rows],
                [at for _, (at, _) in rows],
                [wh for _, (_, wh) in rows],
            ],
        )


class _Showing:
    """Latest measurements not yet shown; told once a second per process, droppable."""

    def __init__(self) -> None:
        self._latest: dict[str, dict[str, Mapping[str, Any]]] = {}
        self._shown_at: datetime | None = None

    def add(self, timed: Timed) -> None:
        """Remember the newest of each device."""
        for entry, message, at in timed:
            if entry.space_code:
                topic = self._latest.setdefault(f"space.{entry.space_code}", {})
                topic[entry.code] = {"at": at.isoformat(), "m": dict(message.metrics)}

    def show(self, now: datetime) -> None:
        """Tell what has gathered, unless it is less than a second since the last time."""
        if self._shown_at is not None and timedelta(0) <= now - self._shown_at < SHOWN_EVERY:
            return
        for topic, values in sorted(self._latest.items()):
            live.tele(topic, values)
        self._latest.clear()
        self._shown_at = now


_showing = _Showing()
