"""Alarms that time brings: offline for so long, changes that are too fast, rules that are no more.

Jobs call these. What an offline device waits for is kept with its outage, rates are found in the
raw measurements; so nothing is lost with a process.
"""

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q

from devices import directory, selectors
from devices.directory import Entry
from devices.domain.alarmrules import Book, Kind, Rule, judging
from devices.domain.alarmrules.book import concerns
from devices.domain.alarms import Code
from devices.domain.outages import Cause
from devices.models import Alarm, AlarmPending, Outage
from devices.services import alarming, announce

_ENDS = """
SELECT device_id, (array_agg(v ORDER BY at))[1], min(at), (array_agg(v ORDER BY at DESC))[1],
       max(at)
FROM (SELECT device_id, at, (m->>%(metric)s)::float8 AS v FROM devices_telemetry
      WHERE device_id = ANY(%(ids)s) AND at > %(since)s AND at <= %(now)s AND m ? %(metric)s) t
GROUP BY device_id
"""


def waits(entry: Entry, now: datetime) -> bool:
    """Whether a device must be offline for a while before that is an alarm."""
    rule = selectors.alarm_rules(now).first(Kind.OFFLINE, selectors.subject_of(entry))
    return rule is not None and rule.params["for_s"] > 0


def go_round(now: datetime) -> None:
    """Raise and clear what time alone brings about; safe to repeat."""
    with transaction.atomic():
        changes = announce.Changes()
        _long_offline(now, changes)
        for rule in selectors.alarm_rules(now).of_kind(Kind.RATE):
            _rate(rule, now, changes)
        _calm(now, changes)
        _ruleless(now, changes)
        announce.tell(changes, now=now)


def _long_offline(now: datetime, changes: announce.Changes) -> None:
    """Devices that went and did not come back in time."""
    known, book = directory.by_id(now), selectors.alarm_rules(now)
    rows = (
        Outage.objects.filter(cause=Cause.OFFLINE, ended_at=None)
        .exclude(device__alarms__code=Code.DEVICE_OFFLINE, device__alarms__cleared_at=None)
        .values_list("device_id", "began_at")
    )
    raised = []
    for pk, began_at in rows:
        if (entry := known.get(pk)) is None:
            continue
        rule = book.first(Kind.OFFLINE, selectors.subject_of(entry))
        if rule is not None and now - began_at >= timedelta(seconds=rule.params["for_s"]):
            detail = {"since": began_at.isoformat()}
            raised.append(alarming.Raise(pk, Code.DEVICE_OFFLINE, detail, rule))
    alarming.raise_all(raised, now=now, changes=changes)


def _rate(rule: Rule, now: datetime, changes: announce.Changes) -> None:
    """Devices of which a metric moved too fast within the window, or no longer."""
    ids = [
        entry.id
        for entry in directory.by_id(now).values()
        if entry.is_active and concerns(rule.scope, selectors.subject_of(entry))
    ]
    if not ids:
        return
    window = timedelta(seconds=rule.params["window_s"])
    with connection.cursor() as cursor:
        cursor.execute(
            _ENDS, {"metric": rule.metric, "ids": ids, "since": now - window, "now": now}
        )
        ends = cursor.fetchall()
    raised, well = [], []
    for pk, first, began, last, ended in ends:
        verdict = judging.is_too_fast(rule, last - first, ended - began)
        if verdict:
            detail = {"metric": rule.metric, "from": first, "value": last,
                      "since": began.isoformat()}  # fmt: skip
            raised.append(alarming.Raise(pk, rule.code, detail, rule))
        elif verdict is False:
            well.append(pk)
    alarming.raise_all(raised, now=now, changes=changes)
    alarming.clear(well, [rule.code], now=now, changes=changes)


def _calm(now: datetime, changes: announce.Changes) -> None:
    """What came and went too often, and has been well for as long as that counts."""
    book = selectors.alarm_rules(now)
    held = Alarm.objects.filter(cleared_at=None, good_since__isnull=False)
    calm = [
        row.pk
        for row in held
        if (rule := book.by_code.get(row.rule)) is None
        or rule.flapping is None
        or (row.good_since is not None and now - row.good_since >= rule.flapping.within)
    ]
    alarming.end(Alarm.objects.filter(pk__in=calm), now=now, changes=changes)


def _ruleless(now: datetime, changes: announce.Changes) -> None:
    """Open alarms and waiting states whose rule is no more, or no longer for their device."""
    known, book = directory.by_id(now), selectors.alarm_rules(now)
    open_ones = Alarm.objects.filter(cleared_at=None, device__isnull=False).exclude(rule="")
    stray = [
        row.pk
        for row in open_ones
        if (entry := known.get(row.device_id or 0)) is not None
        and not book.wants(row.code, row.rule, selectors.subject_of(entry))
    ]
    alarming.end(Alarm.objects.filter(pk__in=stray), now=now, changes=changes)
    _forget_pending(book, now)


def _forget_pending(book: Book, now: datetime) -> None:
    known = directory.by_id(now)
    stray = Q()
    for pk, code in AlarmPending.objects.values_list("device_id", "rule"):
        entry = known.get(pk)
        if entry is not None and not book.wants(code, code, selectors.subject_of(entry)):
            stray |= Q(device_id=pk, rule=code)
    if stray:
        AlarmPending.objects.filter(stray).delete()
