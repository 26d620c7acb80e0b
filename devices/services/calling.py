"""Tells people of alarms: new ones, and again others when nobody acknowledges. A job calls this.

What is silenced, or in a maintenance window, waits and is told when that is over, if it is still
active. Alarms of one rule that come together are one notice: a switch that dies takes a hundred
devices with it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from base_ops.core import notifications
from devices import selectors
from devices.domain.alarmrules import Rule
from devices.domain.alarms import Severity
from devices.models import Alarm, AlarmSilence
from devices.selectors import registry

MOST = 500  # at a time; the next round takes the others


def call(now: datetime) -> int:
    """Tell what is new and what nobody answered; returns how many notices were left."""
    with transaction.atomic():
        rows = list(
            Alarm.objects.select_for_update(of=("self",), skip_locked=True)
            .filter(cleared_at=None, good_since=None)
            .filter(Q(notified_at=None) | Q(acknowledged_at=None))
            .exclude(_silenced(now))
            .select_related("device", "space")
            .order_by("raised_at", "pk")[:MOST]
        )
        book = selectors.alarm_rules(now)
        known = [(row, rule) for row in rows if (rule := book.by_code.get(row.rule)) is not None]
        told = _news(known, now) + _escalations(known, now)
        ruleless = [row.pk for row in rows if row.notified_at is None]
        Alarm.objects.filter(pk__in=ruleless).update(notified_at=now)
    return told


def _silenced(now: datetime) -> Q:
    of = AlarmSilence.objects.filter(ended_at=None, until__gt=now)
    devices = of.filter(device__isnull=False).values("device_id")
    spaces = of.filter(space__isnull=False).values("space_id")
    worked_on, units = registry.in_window(now)
    return (
        Q(device_id__in=devices, device__isnull=False)
        | Q(space_id__in=spaces, space__isnull=False)
        | Q(device_id__in=units, device__isnull=False)
        | Q(space_id__in=worked_on, space__isnull=False)
    )


Known = Iterable[tuple[Alarm, Rule]]


def _news(known: Known, now: datetime) -> int:
    groups: dict[str, list[Alarm]] = defaultdict(list)
    rules: dict[str, Rule] = {}
    for row, rule in known:
        if row.notified_at is None and rule.notify:
            groups[rule.code].append(row)
            rules[rule.code] = rule
    for code, rows in groups.items():
        rule = rules[code]
        dedup = f"alarm.raised:{rows[0].pk}"
        _tell("alarm.raised", rule, rows, rule.notify, dedup, now)
    return len(groups)


def _escalations(known: Known, now: datetime) -> int:
    groups: dict[tuple[str, int], list[Alarm]] = defaultdict(list)
    rules: dict[str, Rule] = {}
    for row, rule in known:
        step = row.escalated
        if row.acknowledged_at is not None or step >= len(rule.escalate):
            continue
        if row.raised_at + rule.escalate[step].after <= now:
            groups[rule.code, step].append(row)
            rules[rule.code] = rule
    for (code, step), rows in groups.items():
        rule = rules[code]
        dedup = f"alarm.escalated:{rows[0].pk}:{step}"
        _tell("alarm.escalated", rule, rows, rule.escalate[step].to, dedup, now)
        Alarm.objects.filter(pk__in=[row.pk for row in rows]).update(escalated=step + 1)
    return len(groups)


def _tell(
    kind: str,
    rule: Rule,
    rows: list[Alarm],
    roles: Iterable[str],
    dedup: str,
    now: datetime,
) -> None:
    first = rows[0]
    notifications.tell(
        kind=kind,
        audience=notifications.roles(*roles),
        params={
            "title": {"zh": first.title_zh, "en": first.title_en},
            "where": _where(first),
            "count": len(rows),
            "at": first.raised_at,
            "todo": _todo(rule),
        },
        dedup=dedup,
        urgent=rule.severity is Severity.CRITICAL,
        now=now,
    )


def _todo(rule: Rule) -> Mapping[str, str]:
    return {"zh": rule.runbook_zh or "—", "en": rule.runbook_en or rule.runbook_zh or "—"}


def _where(row: Alarm) -> str:
    names = [row.space.code if row.space else "", row.device.code if row.device else ""]
    return " · ".join(name for name in names if name) or "—"
