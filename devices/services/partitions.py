"""Daily partitions of the telemetry table: made ahead and on demand, dropped after 30 days."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from django.db import connection, transaction

KEPT = timedelta(days=30)
DAYS_AHEAD = 3
_LOCK = 0x74656C65  # "tele": one maker at a time
_PREFIX = "devices_telemetry_"

_made: set[date] = set()


def ensure(days: Iterable[date]) -> None:
    """Make the partitions of these UTC days where they are missing."""
    missing = sorted(set(days) - _made)
    if not missing:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        for day in missing:
            name, end = f"{_PREFIX}{day:%Y%m%d}", day + timedelta(days=1)
            cursor.execute(
                f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF devices_telemetry"
                f" FOR VALUES FROM ('{day}T00:00:00Z') TO ('{end}T00:00:00Z')"
            )
    transaction.on_commit(lambda: _made.update(missing))


def make_ahead(now: datetime) -> int:
    """Make the partitions of today and the next days; returns how many days are ready."""
    today = now.astimezone(UTC).date()
    days = [today + timedelta(days=n) for n in range(DAYS_AHEAD + 1)]
    with transaction.atomic():
        ensure(days)
    return len(days)


def drop_old(now: datetime) -> int:
    """Drop whole days that are older than 30 days; returns how many."""
    oldest = (now - KEPT).astimezone(UTC).date()
    names = [name for name in existing() if _day(name) < oldest]
    with transaction.atomic(), connection.cursor() as cursor:
        for name in names:
            cursor.execute(f"DROP TABLE IF EXISTS {name}")
    _made.difference_update(_day(name) for name in names)
    return len(names)


def existing() -> list[str]:
    """The names of the partitions there are, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = 'devices_telemetry'::regclass ORDER BY 1"
        )
        return [name for (name,) in cursor.fetchall()]


def _day(name: str) -> date:
    return datetime.strptime(name.removeprefix(_PREFIX), "%Y%m%d").replace(tzinfo=UTC).date()


def forget() -> None:
    """Look again which partitions there are."""
    _made.clear()
