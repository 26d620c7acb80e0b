"""One metric of a device over time, from the grain that fits the question."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db import connection

from base_ops.core import errors
from base_ops.core.spans import Span
from devices.domain import rollups
from devices.domain.rollups import Bucket, Grain
from devices.models import Device

MAX_POINTS = 5000
_decode = msgspec.json.Decoder(list[float]).decode


class TooManyPoints(errors.Invalid):
    """Raw measurements were asked for of a time that holds too many of them."""

    code, title_zh, title_en = "too_many_points", "原始数据点过多", "Too many raw measurements"


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found: samples as buckets of one, or bins of a rollup.

    Args:
        width: of a bin; None: single samples.
    """

    grain: Grain
    width: timedelta | None
    points: Sequence[tuple[datetime, Bucket]]


def telemetry(
    *,
    device: Device,
    metric: str,
    span: Span,
    points: int,
    grain: Grain | None = None,
    now: datetime,
) -> Measured:
    """One metric over a time: every sample where these are few enough, else joined into bins.

    Bins hold the buckets that begin within the span, so nothing from before its start is in them.

    Args:
        points: at most so many come back.
        grain: from this one only; None: the finest that fits.

    Raises:
        TooManyPoints: all samples were asked for, and they are too many.
    """
    if grain is Grain.RAW or (grain is None and span.start >= now - rollups.RAW_KEPT):
        most = MAX_POINTS if grain is Grain.RAW else points
        samples = _samples(device, metric, span, most + 1)
        if len(samples) <= most:
            return Measured(Grain.RAW, None, samples)
        if grain is Grain.RAW:
            raise TooManyPoints(f"more than {MAX_POINTS}", fields=[_fault()])
    fit = rollups.fitting(span.length, points=points, grain=grain)
    buckets = _buckets(fit.grain, device, metric, span)
    return Measured(fit.grain, fit.width, rollups.binned(buckets, fit.width))


def _fault() -> errors.FieldFault:
    return errors.FieldFault(
        "grain",
        f"原始数据最多返回 {MAX_POINTS} 点,请缩短时间范围或改用 minute、hour",
        f"at most {MAX_POINTS} raw points: ask for less time, or for minute or hour",
    )


def _samples(device: Device, metric: str, span: Span, limit: int) -> list[tuple[datetime, Bucket]]:
    rows = _rows(
        "SELECT DISTINCT at, (m->>%s)::float8 AS value FROM devices_telemetry"
        " WHERE device_id = %s AND at >= %s AND at < %s AND m ? %s ORDER BY at, value LIMIT %s",
        [metric, device.pk, span.start, span.end, metric, limit],
    )
    return [(at, rollups.bucket([value])) for at, value in rows]


_OF_GRAIN = {
    Grain.MINUTE: "SELECT at, (m->%s)::text FROM devices_telemetryminute",
    Grain.HOUR: "SELECT at, (m->%s)::text FROM devices_telemetryhour",
}
_WITHIN = " WHERE device_id = %s AND at >= %s AND at < %s AND m ? %s ORDER BY at"


def _buckets(
    grain: Grain, device: Device, metric: str, span: Span
) -> list[tuple[datetime, Bucket]]:
    rows = _rows(_OF_GRAIN[grain] + _WITHIN, [metric, device.pk, span.start, span.end, metric])
    return [(at, _bucket(_decode(found))) for at, found in rows]


def _bucket(found: Sequence[float]) -> Bucket:
    count, low, high, total, first, last, grown, resets = found
    return Bucket(int(count), low, high, total, first, last, grown, int(resets))


def _rows(sql: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
