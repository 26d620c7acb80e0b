"""Tables cut by time: telemetry by day, its rollups by month. Made ahead and on demand."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import connection, transaction

from devices.domain.rollups import RAW_KEPT, ROLLUPS_KEPT

DAYS_AHEAD = 3
_LOCK = 0x74656C65  # "tele": one maker at a time


@dataclass(frozen=True, slots=True)
class Series:
    """One table that is cut by time: how finely, and how long its parts are kept."""

    table: str
    monthly: bool
    kept: timedelta

    def start(self, day: date) -> date:
        """The first day of the partition that a day lies in."""
        return day.replace(day=1) if self.monthly else day

    def end(self, start: date) -> date:
        """The first day after a partition."""
        step = timedelta(days=32 if self.monthly else 1)
        return self.start(start + step)

    def name(self, start: date) -> str:
        """The partition's table."""
        return f"{self.table}_{start:{self._shape}}"

    def start_of(self, name: str) -> date:
        """The first day of the partition with this name."""
        text = name.removeprefix(f"{self.table}_")
        return datetime.strptime(text, self._shape).replace(tzinfo=UTC).date()

    @property
    def _shape(self) -> str:
        return "%Y%m" if self.monthly else "%Y%m%d"


RAW = Series("devices_telemetry", monthly=False, kept=RAW_KEPT)
MINUTES = Series("devices_telemetryminute", monthly=True, kept=ROLLUPS_KEPT)
HOURS = Series("devices_telemetryhour", monthly=True, kept=ROLLUPS_KEPT)
ALL = (RAW, MINUTES, HOURS)

_made: set[tuple[str, date]] = set()


def ensure(days: Iterable[date], series: Series = RAW) -> None:
    """Make the partitions that these UTC days lie in, where they are missing."""
    wanted = {(series.table, series.start(day)) for day in days}
    missing = sorted(wanted - _made)
    if not missing:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        for _, start in missing:
            cursor.execute(
                f"CREATE TABLE IF NOT EXISTS {series.name(start)} PARTITION OF {series.table}"
                f" FOR VALUES FROM ('{start}T00:00:00Z') TO ('{series.end(start)}T00:00:00Z')"
            )
    transaction.on_commit(lambda: _made.update(missing))


def make_ahead(now: datetime) -> int:
    """Make the partitions of today and the next days; returns how many days are ready."""
    today = now.astimezone(UTC).date()
    days = [today + timedelta(days=n) for n in range(DAYS_AHEAD + 1)]
    with transaction.atomic():
        for series in ALL:
            ensure(days, series)
    return len(days)


def too_old(series: Series, now: datetime) -> list[str]:
    """The partitions of which all is older than it is kept."""
    oldest = (now - series.kept).astimezone(UTC).date()
    return [name for name in existing(series) if series.end(series.start_of(name)) <= oldest]


def drop(series: Series, names: Iterable[str]) -> int:
    """Drop whole partitions; returns how many."""
    found = list(names)
    with transaction.atomic(), connection.cursor() as cursor:
        for name in found:
            cursor.execute(f"DROP TABLE IF EXISTS {name}")
    _made.difference_update((series.table, series.start_of(name)) for name in found)
    return len(found)


def existing(series: Series = RAW) -> list[str]:
    """The names of the partitions there are, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = %s::regclass ORDER BY 1",
            [series.table],
        )
        return [name for (name,) in cursor.fetchall()]


def forget() -> None:
    """Look again which partitions there are."""
    _made.clear()
