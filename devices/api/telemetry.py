"""What devices measured: tenants see the part of their own right only."""

from datetime import datetime
from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Query, Router

from base_ops.core import clock
from base_ops.core.problems import Problem, codes_4xx
from devices import selectors
from devices.api import common, spans
from devices.domain.rollups import Grain
from devices.schemas import TelemetryOut
from devices.schemas.telemetry import points_out
from devices.selectors import Measured
from devices.selectors.measured import MAX_POINTS

router = Router(tags=["devices"])


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
    span = spans.asked(from_, to, now)
    seen = spans.seen_part(request, device.space_id, span, now)
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
