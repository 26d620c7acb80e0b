"""The on-air interlock set aside by two people: one asks, another grants, both on record.

A request waits five minutes; what is granted lasts two, for whoever asked and nobody else.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from base_ops.core import audit
from base_ops.core.actors import Actor
from base_ops.core.errors import Conflict, FieldFault, Forbidden, Invalid, NotFound
from base_ops.core.models import Space
from devices.models import Device, InterlockOverride
from devices.models.overrides import OverrideStatus

WAITS = timedelta(minutes=5)
LASTS = timedelta(minutes=2)


class NoSuchOverride(NotFound):
    """Unknown id."""

    code, title_zh, title_en = "no_such_override", "没有此联锁解除申请", "No such override"


class OwnOverride(Forbidden):
    """Whoever asks does not grant: it takes a second person."""

    code, title_zh, title_en = "own_override", "不能批准自己的申请", "Not one's own request"


class OverrideOver(Conflict):
    """It was decided, or its time is over."""

    code, title_zh, title_en = "override_over", "该申请已失效", "The request is over"


class NotInSpace(Invalid):
    """The device hangs elsewhere."""

    code, title_zh, title_en = "device_not_in_space", "设备不在该空间", "Not a device of the space"


def ask(
    *, space: Space, device: Device | None, why: str, actor: Actor, now: datetime
) -> InterlockOverride:
    """Ask a second person to let the asker act on gear on air.

    Raises:
        NotInSpace: the device is none of this space.
    """
    if device is not None and device.space_id != space.pk:
        fault = FieldFault("device", NotInSpace.title_zh, NotInSpace.title_en)
        raise NotInSpace(device.code, fields=[fault])
    with transaction.atomic():
        row = InterlockOverride.objects.create(
            space=space, device=device, why=why, asked_by=actor.label, asked_by_id=actor.id,
            asked_at=now, until=now + WAITS,
        )  # fmt: skip
        _record(row, "override.ask", actor, now)
    return row


def grant(*, override_id: int, actor: Actor, now: datetime) -> InterlockOverride:
    """Let whoever asked act, from now on and for two minutes.

    Raises:
        NoSuchOverride, OverrideOver, OwnOverride.
    """
    with transaction.atomic():
        row = _locked(override_id)
        if row.status != OverrideStatus.ASKED or row.until <= now:
            raise OverrideOver(f"it is {row.status}, its time ends at {row.until.isoformat()}")
        if row.asked_by_id == actor.id:
            raise OwnOverride(row.asked_by)
        _decide(row, OverrideStatus.GRANTED, actor, now)
        row.until = now + LASTS
        row.save()
        _record(row, "override.grant", actor, now)
    return row


def end(*, override_id: int, actor: Actor, now: datetime) -> InterlockOverride:
    """Refuse a request, or end what was granted before its time; whoever asked may, too.

    Raises:
        NoSuchOverride; OverrideOver: nothing to end.
    """
    with transaction.atomic():
        row = _locked(override_id)
        asked = row.status == OverrideStatus.ASKED
        if row.until <= now or not (asked or row.status == OverrideStatus.GRANTED):
            raise OverrideOver(f"it is {row.status}, its time ends at {row.until.isoformat()}")
        if asked:
            _decide(row, OverrideStatus.REFUSED, actor, now)
        else:
            row.status = OverrideStatus.ENDED
        row.save()
        _record(row, f"override.{'refuse' if asked else 'end'}", actor, now)
    return row


def lasting(now: datetime) -> QuerySet[InterlockOverride]:
    """Requests that wait and overrides that last."""
    open_ones = Q(status=OverrideStatus.ASKED) | Q(status=OverrideStatus.GRANTED)
    rows = InterlockOverride.objects.filter(open_ones, until__gt=now)
    return rows.select_related("space", "device")


def _locked(override_id: int) -> InterlockOverride:
    rows = InterlockOverride.objects.select_for_update(of=("self",))
    row = rows.select_related("space", "device").filter(pk=override_id).first()
    if row is None:
        raise NoSuchOverride(str(override_id))
    return row


def _decide(row: InterlockOverride, status: OverrideStatus, actor: Actor, now: datetime) -> None:
    row.status, row.decided_at = status, now
    row.decided_by, row.decided_by_id = actor.label, actor.id


def _record(row: InterlockOverride, action: str, actor: Actor, now: datetime) -> None:
    audit.record(
        actor=actor,
        action=action,
        object_type="interlock_override",
        object_code=str(row.pk),
        after={
            "space": row.space.code,
            "device": row.device.code if row.device else None,
            "why": row.why,
            "status": str(row.status),
            "asked_by": row.asked_by,
            "until": row.until.isoformat(),
        },
        now=now,
    )
