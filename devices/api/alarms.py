"""The alarms of the base: look, acknowledge, comment, silence."""

from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Query, Router, Status

from base_ops.core import auth, clock, pages
from base_ops.core.actors import Actor
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.models import Role
from base_ops.core.pages import Page
from base_ops.core.problems import Problem, codes_4xx
from devices import services
from devices.api import common
from devices.models import Alarm, AlarmSilence
from devices.schemas.alarms import (
    AlarmDetailOut,
    AlarmOut,
    CommentIn,
    SilenceIn,
    SilenceOut,
    alarm_detail_out,
    alarm_out,
    silence_out,
)
from devices.services.answering import NoSuchAlarm

router = Router(tags=["devices"])

State = Literal[
    "",
    "active_unacknowledged",
    "active_acknowledged",
    "cleared_unacknowledged",
    "cleared_acknowledged",
]


@router.get("/alarms", response={200: Page[AlarmOut], codes_4xx: Problem})
def list_alarms(
    request: HttpRequest,
    space: str = "",
    device: str = "",
    code: str = "",
    rule: str = "",
    severity: Literal["", "info", "warning", "critical"] = "",
    state: State = "",
    open: bool = True,  # noqa: A002 - the query's name
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=pages.MAX_LIMIT)] = 100,
) -> Page[AlarmOut]:
    """Alarms of the base, newest first; the active ones by default. `state` overrules `open`."""
    _staff(request)
    rows = Alarm.objects.select_related("device", "space")
    wanted = {
        "space__code": space, "device__code": device, "code": code, "rule": rule,
        "severity": severity,
    }  # fmt: skip
    rows = rows.filter(**{name: value for name, value in wanted.items() if value})
    if state:
        life, answer = state.split("_")
        rows = rows.filter(
            cleared_at__isnull=life == "active",
            acknowledged_at__isnull=answer == "unacknowledged",
        )
    elif open:
        rows = rows.filter(cleared_at=None)
    found, following = pages.cut(rows, by="raised_at", descending=True, cursor=cursor, limit=limit)
    return Page(items=[alarm_out(row) for row in found], next=following)


@router.get("/alarms/{alarm_id}", response={200: AlarmDetailOut, codes_4xx: Problem})
def get_alarm(request: HttpRequest, alarm_id: int) -> AlarmDetailOut:
    """One alarm, and what was said about it."""
    _staff(request)
    row = Alarm.objects.select_related("device", "space").filter(pk=alarm_id).first()
    if row is None:
        raise NoSuchAlarm(f"alarm {alarm_id}")
    return alarm_detail_out(row)


@router.post("/alarms/{alarm_id}/acknowledge", response={200: AlarmOut, codes_4xx: Problem})
@idempotent
def acknowledge_alarm(
    request: HttpRequest, alarm_id: int, idempotency_key: IdempotencyHeader
) -> Status[AlarmOut]:
    """Say that somebody takes care; the first one stays on record."""
    actor = _staff(request)
    row = services.acknowledge_alarm(alarm_id=alarm_id, actor=actor, now=clock.now())
    return Status(200, alarm_out(row))


@router.post("/alarms/{alarm_id}/comments", response={201: AlarmDetailOut, codes_4xx: Problem})
@idempotent
def comment_alarm(
    request: HttpRequest, alarm_id: int, wish: CommentIn, idempotency_key: IdempotencyHeader
) -> Status[AlarmDetailOut]:
    """Say something about an alarm; it stays."""
    actor = _staff(request)
    row = services.comment_alarm(alarm_id=alarm_id, text=wish.text, actor=actor, now=clock.now())
    return Status(201, alarm_detail_out(row))


@router.get("/alarm-silences", response={200: list[SilenceOut], codes_4xx: Problem})
def list_silences(request: HttpRequest) -> list[SilenceOut]:
    """The silences in force, newest first."""
    _staff(request)
    rows = AlarmSilence.objects.filter(ended_at=None, until__gt=clock.now())
    return [silence_out(row) for row in rows.select_related("device", "space")]


@router.post("/alarm-silences", response={201: SilenceOut, codes_4xx: Problem})
@idempotent
def silence_alarms(
    request: HttpRequest, wish: SilenceIn, idempotency_key: IdempotencyHeader
) -> Status[SilenceOut]:
    """Tell nobody of alarms of a device or a space for a while; they are raised all the same."""
    actor, now = _staff(request), clock.now()
    row = services.silence(
        device=common.device_of(request, wish.device, now) if wish.device else None,
        space=common.space_of(request, wish.space, now) if wish.space else None,
        until=wish.until,
        reason=wish.reason,
        actor=actor,
        now=now,
    )
    return Status(201, silence_out(row))


@router.post("/alarm-silences/{silence_id}/end", response={200: SilenceOut, codes_4xx: Problem})
@idempotent
def end_silence(
    request: HttpRequest, silence_id: int, idempotency_key: IdempotencyHeader
) -> Status[SilenceOut]:
    """Let alarms be told again before the silence is over."""
    actor = _staff(request)
    row = services.end_silence(silence_id=silence_id, actor=actor, now=clock.now())
    return Status(200, silence_out(row))


def _staff(request: HttpRequest) -> Actor:
    """The caller, of the staff who answer alarms.

    Raises:
        errors.Forbidden: anybody else.
    """
    auth.check_role(auth.user_of(request), Role.MANAGER, Role.TECHNICIAN)
    return auth.actor_of(request)
