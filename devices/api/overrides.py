"""The on-air interlock set aside: asked by one person, granted by another."""

from django.http import HttpRequest
from ninja import Router, Status

from base_ops.core import auth, clock
from base_ops.core.auth import roles
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.models import Role
from base_ops.core.problems import Problem, codes_4xx
from devices.api import common
from devices.models import InterlockOverride
from devices.schemas.overrides import OverrideIn, OverrideOut
from devices.services import overriding

router = Router(tags=["devices"])
STAFF = (Role.MANAGER, Role.TECHNICIAN)


def shown(row: InterlockOverride) -> OverrideOut:
    """As the API shows it."""
    return OverrideOut(
        id=row.pk,
        space=row.space.code,
        device=row.device.code if row.device else None,
        why=row.why,
        status=row.status,
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        until=row.until,
        decided_by=row.decided_by or None,
        decided_at=row.decided_at,
    )


@router.get("/interlock-overrides", response={200: list[OverrideOut], codes_4xx: Problem})
@roles(*STAFF)
def list_overrides(request: HttpRequest) -> list[OverrideOut]:
    """What waits for a second person, and what lasts now."""
    return [shown(row) for row in overriding.lasting(clock.now())[:200]]


@router.post("/spaces/{code}/interlock-overrides", response={201: OverrideOut, codes_4xx: Problem})
@roles(*STAFF)
@idempotent
def ask_override(
    request: HttpRequest, code: str, wish: OverrideIn, idempotency_key: IdempotencyHeader
) -> Status[OverrideOut]:
    """Ask somebody else to let oneself act on gear on air; the request waits five minutes."""
    now = clock.now()
    row = overriding.ask(
        space=common.space_of(request, code, now),
        device=common.device_of(request, wish.device, now) if wish.device else None,
        why=wish.why,
        actor=auth.actor_of(request),
        now=now,
    )
    return Status(201, shown(row))


@router.post(
    "/interlock-overrides/{override_id}/grant", response={200: OverrideOut, codes_4xx: Problem}
)
@roles(*STAFF)
@idempotent
def grant_override(
    request: HttpRequest, override_id: int, idempotency_key: IdempotencyHeader
) -> Status[OverrideOut]:
    """Let whoever asked act for two minutes; never one's own request."""
    row = overriding.grant(override_id=override_id, actor=auth.actor_of(request), now=clock.now())
    return Status(200, shown(row))


@router.post(
    "/interlock-overrides/{override_id}/end", response={200: OverrideOut, codes_4xx: Problem}
)
@roles(*STAFF)
@idempotent
def end_override(
    request: HttpRequest, override_id: int, idempotency_key: IdempotencyHeader
) -> Status[OverrideOut]:
    """Refuse a request, or end an override before its time."""
    row = overriding.end(override_id=override_id, actor=auth.actor_of(request), now=clock.now())
    return Status(200, shown(row))
