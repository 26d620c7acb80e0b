"""Rolls measurements up: raw ones into minutes, minutes into hours. Incremental, safe to repeat.

Each row carries the transaction that wrote it. A mark per partition says up to which transaction
all was rolled up; what was written since is looked up, whatever time it is of, and its minutes are
made anew from all of their samples. So a late sample corrects its minute, nothing that commits
late is missed, and a roller that dies has done nothing or all. Two at once: one passes over the
partitions that the other has in hand.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from devices.domain.rollups import MOST
from devices.services import partitions
from devices.services.partitions import Series

# So many transactions at a time: what a roller has to redo after a long rest comes in portions.
PORTION = 20_000
_FOREVER = 2**63 - 1

_MINUTES = """
WITH due AS MATERIALIZED (
  SELECT DISTINCT device_id, date_trunc('minute', at, 'UTC') AS start
    FROM {source} WHERE xid >= %(since)s AND xid < %(before)s),
said AS (
  SELECT DISTINCT d.device_id, d.start, t.at, t.m
    FROM due d JOIN {source} t ON t.device_id = d.device_id
     AND t.at >= d.start AND t.at < d.start + interval '1 minute'),
sample AS (
  SELECT s.device_id, s.start, s.at, e.key AS metric,
         greatest(least((e.value #>> '{{}}')::float8, {most}), -{most}) AS v
    FROM said s CROSS JOIN LATERAL jsonb_each(s.m) e),
stepped AS (
  SELECT *, lag(v) OVER (PARTITION BY device_id, start, metric ORDER BY at, v) AS before
    FROM sample),
bucket AS (
  SELECT device_id, start, metric, jsonb_build_array(
      count(*), min(v), max(v), sum(v),
      (array_agg(v ORDER BY at, v))[1], (array_agg(v ORDER BY at DESC, v DESC))[1],
      coalesce(sum(CASE WHEN v < before THEN v ELSE v - before END), 0),
      count(*) FILTER (WHERE v < before)) AS b
    FROM stepped GROUP BY device_id, start, metric)
INSERT INTO devices_telemetryminute AS old (device_id, at, m)
SELECT device_id, start, jsonb_object_agg(metric, b) FROM bucket GROUP BY device_id, start
ORDER BY device_id, start
ON CONFLICT (device_id, at) DO UPDATE SET m = excluded.m, xid = excluded.xid
  WHERE old.m <> excluded.m
"""
_HOURS = """
WITH due AS MATERIALIZED (
  SELECT DISTINCT device_id, date_trunc('hour', at, 'UTC') AS start
    FROM {source} WHERE xid >= %(since)s AND xid < %(before)s),
part AS (
  SELECT d.device_id, d.start, t.at, e.key AS metric,
         (e.value->>0)::bigint AS n, (e.value->>1)::float8 AS low, (e.value->>2)::float8 AS high,
         (e.value->>3)::float8 AS total, (e.value->>4)::float8 AS first,
         (e.value->>5)::float8 AS last, (e.value->>6)::float8 AS grown,
         (e.value->>7)::bigint AS resets
    FROM due d JOIN {source} t ON t.device_id = d.device_id
     AND t.at >= d.start AND t.at < d.start + interval '1 hour'
    CROSS JOIN LATERAL jsonb_each(t.m) e),
stepped AS (
  SELECT *, lag(last) OVER (PARTITION BY device_id, start, metric ORDER BY at) AS before
    FROM part),
bucket AS (
  SELECT device_id, start, metric, jsonb_build_array(
      sum(n), min(low), max(high), sum(total),
      (array_agg(first ORDER BY at))[1], (array_agg(last ORDER BY at DESC))[1],
      sum(grown) + coalesce(sum(CASE WHEN first < before THEN first ELSE first - before END), 0),
      sum(resets) + count(*) FILTER (WHERE first < before)) AS b
    FROM stepped GROUP BY device_id, start, metric)
INSERT INTO devices_telemetryhour AS old (device_id, at, m)
SELECT device_id, start, jsonb_object_agg(metric, b) FROM bucket GROUP BY device_id, start
ORDER BY device_id, start
ON CONFLICT (device_id, at) DO UPDATE SET m = excluded.m WHERE old.m <> excluded.m
"""


@dataclass(frozen=True, slots=True)
class Step:
    """From one table to the next coarser one."""

    source: Series
    target: Series
    sql: str


TO_MINUTES = Step(partitions.RAW, partitions.MINUTES, _MINUTES)
TO_HOURS = Step(partitions.MINUTES, partitions.HOURS, _HOURS)


def roll_minutes(now: datetime) -> int:
    """Bring the minutes up to date; returns how many rows were written."""
    return _roll_all(TO_MINUTES)


def roll_hours(now: datetime) -> int:
    """Bring the hours up to date with the minutes; returns how many rows were written."""
    return _roll_all(TO_HOURS)


def _roll_all(step: Step) -> int:
    return sum(roll(step, name) for name in partitions.existing(step.source))


def roll(step: Step, name: str) -> int:
    """Roll up what is new in one partition, a portion in each transaction; returns the rows."""
    written, more = 0, True
    while more:
        done = _portion(step, name)
        written, more = written + done.written, done.more
    return written


def drop_old(now: datetime) -> int:
    """Drop raw days and months of rollups that are too old; what was raw is rolled up before."""
    raw = partitions.too_old(partitions.RAW, now)
    for name in raw:
        roll(TO_MINUTES, name)
    dropped = partitions.drop(partitions.RAW, [name for name in raw if _is_rolled_up(name)])
    for series in (partitions.MINUTES, partitions.HOURS):
        dropped += partitions.drop(series, partitions.too_old(series, now))
    _forget_marks()
    return dropped


@dataclass(frozen=True, slots=True)
class _Done:
    written: int = 0
    more: bool = False


def _portion(step: Step, name: str) -> _Done:
    """One portion of a partition, in one transaction.

    What is visible is rolled up whoever wrote it; the mark moves only up to the oldest transaction
    that still runs, for what that one writes is not visible yet.
    """
    with transaction.atomic():
        mark = _lock_mark(name)
        if mark is None:
            return _Done()
        horizon = _number("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint") or 0
        # Restored into another cluster, transactions count from lower numbers again: all is new.
        first = _first_new(name, mark if mark <= horizon else 0)
        if first is None:
            if horizon != mark:
                _move_mark(name, horizon)
            return _Done()
        more = first + PORTION < horizon
        partitions.ensure({step.source.start_of(name)}, step.target)
        written = _run(step.sql, name, since=first, before=first + PORTION if more else _FOREVER)
        _move_mark(name, first + PORTION if more else horizon)
        return _Done(written, more)


def _lock_mark(name: str) -> int | None:
    """Up to which transaction the partition was rolled up; None while another roller has it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO devices_rollupmark (partition, upto) VALUES (%s, 0)"
            " ON CONFLICT (partition) DO NOTHING",
            [name],
        )
    return _number(
        "SELECT upto FROM devices_rollupmark WHERE partition = %s FOR UPDATE SKIP LOCKED", name
    )


def _move_mark(name: str, upto: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE devices_rollupmark SET upto = %s WHERE partition = %s", [upto, name]
        )


def _first_new(name: str, since: int) -> int | None:
    return _number(f"SELECT min(xid) FROM {name} WHERE xid >= %s", since)  # noqa: S608 - ours


def _is_rolled_up(name: str) -> bool:
    mark = _number("SELECT upto FROM devices_rollupmark WHERE partition = %s", name)
    return mark is not None and _first_new(name, mark) is None


def _run(sql: str, name: str, **parameters: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql.format(source=name, most=f"{MOST:g}::float8"), parameters)
        return int(cursor.rowcount)


def _number(sql: str, *parameters: int | str) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        row = cursor.fetchone()
    return None if row is None or row[0] is None else int(row[0])


def _forget_marks() -> None:
    """Marks of partitions that are no more."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM devices_rollupmark WHERE to_regclass(quote_ident(partition)) IS NULL"
        )
