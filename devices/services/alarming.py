"""Alarms are raised once per device and kind, cleared by the facts, acknowledged by people."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from base_ops.core.models import Space
from devices import directory, selectors
from devices.directory import Entry
from devices.domain.alarmrules import Rule
from devices.domain.alarmrules.rules import CODE_OF
from devices.domain.alarms import Code
from devices.models import Alarm
from devices.services import announce


@dataclass(frozen=True, slots=True)
class Raise:
    """An alarm to be raised on a device; `rule` None: the one that the device lives by."""

    device_id: int
    code: str
    detail: Mapping[str, Any]
    rule: Rule | None = None


def raise_all(wanted: Sequence[Raise], *, now: datetime, changes: announce.Changes) -> None:
    """Raise those that are not open yet; devices out of service raise none.

    Failed commands are counted in the one alarm of their device. What nobody wants to hear of, for
    there is no rule for it, is not raised.
    """
    if not wanted:
        return
    known = directory.by_id(now)
    rows = [
        _row(w, entry, rule)
        for w in _once(wanted)
        if (entry := known.get(w.device_id)) is not None
        and entry.is_active
        and (rule := w.rule or rule_for(w, entry, now)) is not None
    ]
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(_RAISE, {"rows": json.dumps(rows), "now": now})
        new = [pk for (pk,) in cursor.fetchall()]
    for row in Alarm.objects.filter(pk__in=new):
        _note(row, now, changes)


def rule_for(wanted: Raise, entry: Entry, now: datetime) -> Rule | None:
    """The rule by which something happens to a device; None: it is no alarm."""
    book, subject = selectors.alarm_rules(now), selectors.subject_of(entry)
    if wanted.code == Code.FAULT:
        return book.event(str(wanted.detail.get("event")), subject)
    kind = next(kind for kind, code in CODE_OF.items() if code == wanted.code)
    return book.first(kind, subject)


def _row(wanted: Raise, entry: Entry, rule: Rule) -> dict[str, Any]:
    return {
        "device_id": wanted.device_id,
        "space_id": entry.space_id,
        "code": str(wanted.code),
        **_words(rule),
        "detail": dict(wanted.detail),
    }


def _words(rule: Rule) -> dict[str, str]:
    return {
        "rule": rule.code,
        "severity": str(rule.severity),
        "title_zh": rule.title_zh,
        "title_en": rule.title_en,
        "runbook_zh": rule.runbook_zh,
        "runbook_en": rule.runbook_en,
    }


_RAISE = """
INSERT INTO devices_alarm (device_id, space_id, code, rule, severity, title_zh, title_en,
  runbook_zh, runbook_en, detail, raised_at, acknowledged_by)
SELECT n.*, %(now)s, '' FROM jsonb_to_recordset(%(rows)s::jsonb) AS n(
  device_id bigint, space_id bigint, code text, rule text, severity text, title_zh text,
  title_en text, runbook_zh text, runbook_en text, detail jsonb) ORDER BY device_id, code
ON CONFLICT (device_id, code) WHERE cleared_at IS NULL AND device_id IS NOT NULL
DO UPDATE SET good_since = NULL, detail = CASE WHEN excluded.code <> 'command_failed'
  THEN devices_alarm.detail
  ELSE devices_alarm.detail || excluded.detail || jsonb_build_object(
    'count', coalesce((devices_alarm.detail->>'count')::int, 1) + (excluded.detail->>'count')::int,
    'wanted', coalesce(devices_alarm.detail->'wanted', '{}') || (excluded.detail->'wanted')) END
  WHERE excluded.code = 'command_failed' OR devices_alarm.good_since IS NOT NULL
RETURNING id
"""


def _once(wanted: Sequence[Raise]) -> list[Raise]:
    """One per device and kind, the latest; what it counts is summed up."""
    found: dict[tuple[int, str], Raise] = {}
    for each in wanted:
        key = each.device_id, each.code
        if (before := found.get(key)) is not None and "count" in each.detail:
            detail = {
                **before.detail,
                **each.detail,
                "count": before.detail["count"] + each.detail["count"],
                "wanted": {**before.detail["wanted"], **each.detail["wanted"]},
            }
            each = replace(each, detail=detail)
        found[key] = each
    return list(found.values())


def _note(row: Alarm, now: datetime, changes: announce.Changes) -> None:
    entry = directory.by_id(now).get(row.device_id) if row.device_id is not None else None
    space_code = entry.space_code if entry else None
    if row.device_id is None and row.space is not None:
        space_code = row.space.code
    changes.alarm(row, device_code=entry.code if entry else None, space_code=space_code)


def clear(
    device_ids: Collection[int],
    codes: Iterable[str],
    *,
    now: datetime,
    changes: announce.Changes,
) -> None:
    """Clear the open alarms of these kinds on these devices."""
    if not device_ids:
        return
    rows = Alarm.objects.filter(device_id__in=device_ids, code__in=[str(c) for c in codes])
    end(rows.filter(good_since=None), now=now, changes=changes)


def end(rows: QuerySet[Alarm], *, now: datetime, changes: announce.Changes) -> int:
    """Clear open alarms; one that comes and goes too often is only noted to be well. How many."""
    found = list(rows.filter(cleared_at=None).select_for_update(of=("self",)).order_by("pk"))
    if not found:
        return 0
    restless = _restless(found, now)
    for row in found:
        if row.pk in restless:
            row.good_since, row.detail = now, {**row.detail, "flapping": restless[row.pk]}
        else:
            row.cleared_at = now
        _note(row, now, changes)
    Alarm.objects.bulk_update(found, ["good_since", "cleared_at", "detail"])
    return len(found)


def _restless(rows: Sequence[Alarm], now: datetime) -> dict[int, int]:
    """Those that were raised too often of late, and how often."""
    book = selectors.alarm_rules(now)
    found: dict[int, int] = {}
    for row in rows:
        rule = book.by_code.get(row.rule)
        if rule is None or rule.flapping is None or row.device_id is None or row.good_since:
            continue
        lately = Alarm.objects.filter(device_id=row.device_id, code=row.code)
        times = lately.filter(raised_at__gt=now - rule.flapping.within).count()
        if times >= rule.flapping.times:
            found[row.pk] = times
    return found


def raise_space_alarm(space: Space, code: str, detail: Mapping[str, Any], now: datetime) -> None:
    """Raise an alarm on a space as a whole, or renew what an open one says."""
    wanted = Code(code)
    rule = selectors.alarm_rules(now).told(wanted)
    if rule is None:
        return
    with transaction.atomic():
        row, is_new = Alarm.objects.select_for_update(of=("self",)).get_or_create(
            space=space,
            device=None,
            code=wanted,
            cleared_at=None,
            defaults={
                **_words(rule),
                "detail": dict(detail),
                "raised_at": now,
            },
        )
        if not is_new and row.detail == detail:
            return
        row.detail = dict(detail)
        row.save(update_fields=["detail"])
        tell([row], now)


def clear_space_alarm(space: Space, code: str, now: datetime) -> None:
    """Clear the open alarm of that kind on a space, if there is one."""
    _clear_on_spaces(Alarm.objects.filter(space=space), Code(code), now)


def clear_space_alarms_but(space_ids: Collection[int], code: str, now: datetime) -> None:
    """Clear the open alarms of that kind on all other spaces."""
    _clear_on_spaces(Alarm.objects.exclude(space_id__in=space_ids), Code(code), now)


def _clear_on_spaces(found: QuerySet[Alarm], code: Code, now: datetime) -> None:
    with transaction.atomic():
        still = found.filter(device=None, code=code, cleared_at=None)
        rows = list(still.select_for_update(of=("self",)).select_related("space").order_by("pk"))
        if not rows:
            return
        for row in rows:
            row.cleared_at = now
        Alarm.objects.bulk_update(rows, ["cleared_at"])
        tell(rows, now)


def tell(rows: Iterable[Alarm], now: datetime) -> None:
    """Show alarms that changed to those who watch; last in a transaction."""
    changes = announce.Changes()
    for row in rows:
        _note(row, now, changes)
    announce.tell(changes, now=now)
