"""What rooms used: energy and live sessions. Tenants see the part of their own right only."""

from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router

from base_ops.core import clock
from base_ops.core.problems import Problem, codes_4xx
from devices import selectors
from devices.api import common, spans
from devices.schemas.usage import EnergyOut, LiveSessionOut, energy_out, session_out

router = Router(tags=["devices"])


@router.get("/devices/{code}/energy", response={200: EnergyOut, codes_4xx: Problem})
def get_device_energy(
    request: HttpRequest,
    code: str,
    from_: Annotated[datetime | None, Query(alias="from")] = None,
    to: datetime | None = None,
) -> EnergyOut:
    """What one meter counted over [from, to), the last hour by default; gaps and resets named."""
    now = clock.now()
    device = common.device_of(request, code, now)
    span = spans.asked(from_, to, now)
    seen = spans.seen_part(request, device.space_id, span, now)
    if seen is None:
        return energy_out(selectors.Energy(span, {}))
    return energy_out(selectors.device_energy(device, seen))


@router.get("/spaces/{code}/energy", response={200: EnergyOut, codes_4xx: Problem})
def get_space_energy(
    request: HttpRequest,
    code: str,
    from_: Annotated[datetime | None, Query(alias="from")] = None,
    to: datetime | None = None,
) -> EnergyOut:
    """What the meters of a room counted over [from, to), the last hour by default."""
    now = clock.now()
    space = common.space_of(request, code, now)
    span = spans.asked(from_, to, now)
    seen = spans.seen_part(request, space.pk, span, now)
    if seen is None:
        return energy_out(selectors.Energy(span, {}))
    return energy_out(selectors.space_energy(space, seen))


@router.get(
    "/spaces/{code}/live-sessions", response={200: list[LiveSessionOut], codes_4xx: Problem}
)
def list_live_sessions(
    request: HttpRequest,
    code: str,
    from_: Annotated[datetime | None, Query(alias="from")] = None,
    to: datetime | None = None,
) -> list[LiveSessionOut]:
    """The shows of a room within [from, to), the last hour by default. Tenants: their own."""
    now = clock.now()
    space = common.space_of(request, code, now)
    span = spans.asked(from_, to, now)
    seen = spans.seen_part(request, space.pk, span, now)
    if seen is None:
        return []
    found = selectors.live_sessions(space, seen, now=now)
    if seen != span:
        found = [session for session in found if seen.contains(session.span.start)]
    return [session_out(session) for session in found]
