"""What people do about alarms: acknowledge, comment, silence. Each is on record."""

from datetime import datetime, timedelta

from django.db import transaction

from base_ops.core import audit
from base_ops.core.actors import Actor
from base_ops.core.errors import FieldFault, Invalid, NotFound
from base_ops.core.models import Space
from devices.models import Alarm, AlarmComment, AlarmSilence, Device
from devices.services import alarming

LONGEST_SILENCE = timedelta(days=31)


class NoSuchAlarm(NotFound):
    """Unknown id."""

    code, title_zh, title_en = "no_such_alarm", "没有此告警", "No such alarm"


class NoSuchSilence(NotFound):
    """Unknown id."""

    code, title_zh, title_en = "no_such_silence", "没有此静默", "No such silence"


class BadSilence(Invalid):
    """It ends before it begins, lasts too long, or is of no one thing."""

    code, title_zh, title_en = "bad_silence", "静默设置有误", "Not a valid silence"


def acknowledge_alarm(*, alarm_id: int, actor: Actor, now: datetime) -> Alarm:
    """Note that somebody took care; the first one stays on record.

    Raises:
        NoSuchAlarm: unknown id.
    """
    with transaction.atomic():
        row = _locked(alarm_id)
        if row.acknowledged_at is not None:
            return row
        row.acknowledged_at, row.acknowledged_by = now, actor.label
        row.save(update_fields=["acknowledged_at", "acknowledged_by"])
        _record(actor, "alarm.acknowledge", "alarm", row.pk, now)
        alarming.tell([row], now)
    return row


def comment_alarm(*, alarm_id: int, text: str, actor: Actor, now: datetime) -> Alarm:
    """Say something about an alarm, open or over.

    Raises:
        NoSuchAlarm: unknown id.
    """
    with transaction.atomic():
        row = _locked(alarm_id)
        AlarmComment.objects.create(alarm=row, at=now, by=actor.label, text=text)
        _record(actor, "alarm.comment", "alarm", row.pk, now)
    return row


def silence(
    *,
    device: Device | None,
    space: Space | None,
    until: datetime,
    reason: str,
    actor: Actor,
    now: datetime,
) -> AlarmSilence:
    """Tell nobody of alarms of a device, or of all in a space, until an instant.

    They are raised and shown all the same; what is still active at the end is told then.

    Raises:
        BadSilence: not of exactly one thing; `until` is over, or too far.
    """
    if (device is None) == (space is None):
        fault = FieldFault("device", "须指定设备或空间之一", "name a device or a space, not both")
        raise BadSilence(fault.reason_en, fields=[fault])
    if not now < until <= now + LONGEST_SILENCE:
        days = LONGEST_SILENCE.days
        fault = FieldFault("until", f"须在未来 {days} 天内", f"within the next {days} days")
        raise BadSilence(fault.reason_en, fields=[fault])
    with transaction.atomic():
        row = AlarmSilence.objects.create(
            device=device,
            space=space,
            until=until,
            reason=reason,
            created_at=now,
            created_by=actor.label,
        )
        of = device.code if device else space.code if space else ""
        _record(actor, "alarm.silence", "alarm_silence", row.pk, now,
                of=of, until=until.isoformat(), reason=reason)  # fmt: skip
    return row


def end_silence(*, silence_id: int, actor: Actor, now: datetime) -> AlarmSilence:
    """Let alarms be told again; the first end stays on record.

    Raises:
        NoSuchSilence: unknown id.
    """
    with transaction.atomic():
        rows = AlarmSilence.objects.select_for_update(of=("self",))
        row = rows.select_related("device", "space").filter(pk=silence_id).first()
        if row is None:
            raise NoSuchSilence(f"silence {silence_id}")
        if row.ended_at is None and now < row.until:
            row.ended_at = now
            row.save(update_fields=["ended_at"])
            _record(actor, "alarm.unsilence", "alarm_silence", row.pk, now)
    return row


def _locked(alarm_id: int) -> Alarm:
    row = Alarm.objects.select_for_update(of=("self",)).filter(pk=alarm_id).first()
    if row is None:
        raise NoSuchAlarm(f"alarm {alarm_id}")
    return row


def _record(actor: Actor, action: str, what: str, pk: int, now: datetime, **after: str) -> None:
    audit.record(
        actor=actor, action=action, object_type=what, object_code=str(pk),
        after=after or None, now=now,
    )  # fmt: skip
