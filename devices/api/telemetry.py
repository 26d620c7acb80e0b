"""What devices measured: tenants see the part of their own right only."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Query, Router

from base_ops.core import auth, clock, errors
from base_ops.core.problems import Problem, codes_4xx
from base_ops.core.spans import Span
from devices import selectors
from devices.api import common
from devices.domain.rollups import ROLLUPS_KEPT, Grain
from devices.models import Device
from devices.schemas import TelemetryOut
from devices.schemas.telemetry import points_out
from devices.selectors import Measured
from devices.selectors.measured import MAX_POINTS

router = Router(tags=["devices"])

HOUR = timedelta(hours=1)
LONGEST = ROLLUPS_KEPT
FIRST_YEAR, LAST_YEAR = 2000, 2100


@router.get("/devices/{code}/telemetry", response={200: TelemetryOut, codes_4xx: Problem})
def get_telemetry(
    request: HttpRequest,
    code: str,
    metric: Annotated[str, Query(max_length=64)],
    from_: Annotated[datetime | None, Query(alias="from")] = None,
    to: datetime | None = None,
    points: Annotated[int, Query(ge=10, le=MAX_POINTS)] = 500,
    grain: Literal["auto", "raw", "minute", "hour"] = "auto",
) -> TelemetryOut:
    """One metric over [from, to), the last hour by default, in at most so many points.

    `auto` answers with every sample where these are few enough (they are kept for 30 days), else
    with bins of minutes or hours (kept for three years). Tenants: nothing before their right.
    """
    now = clock.now()
    device = common.device_of(request, code, now)
    end = _in_range(to or now)
    span = _span(_in_range(from_ or end - HOUR), end)
    seen = _seen_part(request, device, span, now)
    measured = Measured(Grain.RAW, None, ())
    if seen is not None:
        wanted = None if grain == "auto" else Grain(grain)
        measured = selectors.telemetry(
            device=device, metric=metric, span=seen, points=points, grain=wanted, now=now
        )
    return TelemetryOut(
        device=device.code,
        metric=metric,
        grain=str(measured.grain),
        width_s=round(measured.width.total_seconds()) if measured.width else None,
        from_=seen.start if seen else None,
        to=span.end,
        points=points_out(metric, measured),
    )


def _seen_part(request: HttpRequest, device: Device, span: Span, now: datetime) -> Span | None:
    """The part of a time that the caller may see; a tenant's begins with the right they hold."""
    tenant_id = auth.user_of(request).tenant_id
    if tenant_id is None:
        return span
    if device.space_id is None:
        return None
    since = selectors.held_since(device.space_id, tenant_id=tenant_id, now=now)
    if since is None or since >= span.end:
        return None
    return Span(max(span.start, since), span.end)


def _in_range(at: datetime) -> datetime:
    """Raises errors.Invalid outside the years that telemetry can be of."""
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise errors.Invalid(f"years {FIRST_YEAR} to {LAST_YEAR}", fields=[_range_fault()])
    return at


def _span(start: datetime, end: datetime) -> Span:
    """Raises errors.Invalid unless start < end, with zones, and no longer than rollups live."""
    try:
        span = Span(start, end)
    except ValueError as exc:
        raise errors.Invalid(str(exc), fields=[_range_fault()]) from exc
    if span.length > LONGEST:
        raise errors.Invalid(f"at most {LONGEST.days} days", fields=[_range_fault()])
    return span


def _range_fault() -> errors.FieldFault:
    return errors.FieldFault(
        "from", f"时间范围须为 {LONGEST.days} 天以内", f"a range of at most {LONGEST.days} days"
    )
