"""The alarms of the base: look, acknowledge."""

from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router, Status

from base_ops.core import auth, clock, pages
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.models import Role
from base_ops.core.pages import Page
from base_ops.core.problems import Problem, codes_4xx
from devices import services, shown
from devices.models import Alarm
from devices.schemas import AlarmOut

router = Router(tags=["devices"])


@router.get("/alarms", response={200: Page[AlarmOut], codes_4xx: Problem})
def list_alarms(
    request: HttpRequest,
    space: str = "",
    open: bool = True,  # noqa: A002 - the query's name
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=pages.MAX_LIMIT)] = 100,
) -> Page[AlarmOut]:
    """Alarms of the base, newest first; the open ones by default."""
    auth.check_role(auth.user_of(request), Role.MANAGER, Role.TECHNICIAN)
    rows = Alarm.objects.select_related("device", "space")
    if space:
        rows = rows.filter(space__code=space)
    if open:
        rows = rows.filter(cleared_at=None)
    found, following = pages.cut(rows, by="raised_at", descending=True, cursor=cursor, limit=limit)
    return Page(items=[shown.alarm(row) for row in found], next=following)


@router.post("/alarms/{alarm_id}/acknowledge", response={200: AlarmOut, codes_4xx: Problem})
@idempotent
def acknowledge_alarm(
    request: HttpRequest, alarm_id: int, idempotency_key: IdempotencyHeader
) -> Status[AlarmOut]:
    """Say that somebody takes care; the first one stays on record."""
    auth.check_role(auth.user_of(request), Role.MANAGER, Role.TECHNICIAN)
    row = services.acknowledge_alarm(
        alarm_id=alarm_id, actor=auth.actor_of(request), now=clock.now()
    )
    return Status(200, shown.alarm(row))
