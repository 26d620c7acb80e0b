"""Deeds on the alarm rules: the first version, and new ones; each is written once, on record."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from base_ops.core import audit, errors
from base_ops.core.actors import SYSTEM, Actor
from devices import selectors
from devices.domain import alarmrules
from devices.domain.alarmrules import standard
from devices.models import AlarmRules
from devices.selectors import rules

_LOCK = 0x616C726D  # "alrm": one writer at a time
Check = Callable[[int], None]


class BadAlarmRules(errors.Invalid):
    """The document has faults; `fields` names every one by its path."""

    code, title_zh, title_en = "bad_alarm_rules", "告警规则有误", "The alarm rules have faults"


class NoSuchAlarmRule(errors.NotFound):
    """No rule has this code."""

    code, title_zh, title_en = "no_such_alarm_rule", "没有此告警规则", "No such alarm rule"


def ensure_alarm_rules(*, now: datetime) -> None:
    """Write the standard rules as version 1 where there are none yet."""
    if not AlarmRules.objects.exists():
        first = AlarmRules(
            version=standard.VERSION,
            created_at=now,
            created_by=SYSTEM.label,
            note=standard.NOTE,
            document=standard.document(),
        )
        AlarmRules.objects.bulk_create([first], ignore_conflicts=True)


def publish_alarm_rules(
    *, document: Mapping[str, Any], note: str = "", actor: Actor, check: Check, now: datetime
) -> AlarmRules:
    """Write the next version, in force at once.

    `check` sees the newest version before anything is written: it compares versions.

    Raises:
        BadAlarmRules: with every fault.
    """
    check_alarm_rules(document)
    with transaction.atomic():
        newest = _newest(now)
        check(newest.version)
        return _next(newest, document, note, actor, now)


def edit_alarm_rule(
    *,
    code: str,
    rule: Mapping[str, Any],
    note: str = "",
    actor: Actor,
    check: Check,
    now: datetime,
) -> AlarmRules:
    """Write a version in which one rule is as given; it keeps its code and its place.

    Raises:
        NoSuchAlarmRule: there is none of this code.
        BadAlarmRules: with every fault.
    """
    with transaction.atomic():
        newest = _newest(now)
        check(newest.version)
        found = [one["code"] for one in newest.document["rules"]]
        if code not in found:
            raise NoSuchAlarmRule(code[:40])
        draft = [
            {**rule, "code": code} if one["code"] == code else one
            for one in newest.document["rules"]
        ]
        check_alarm_rules({"rules": draft}, within=f"rules[{found.index(code)}].")
        return _next(newest, {"rules": draft}, note, actor, now)


def check_alarm_rules(document: Mapping[str, Any], *, within: str = "") -> None:
    """Let only a document without faults pass; paths are told from `within` on.

    Raises:
        BadAlarmRules: names all of them.
    """
    faults = alarmrules.read(document, known=selectors.known_codes()).faults
    if faults:
        raise BadAlarmRules(
            f"{len(faults)} faults",
            fields=[
                errors.FieldFault(f.path.removeprefix(within), f.reason_zh, f.reason_en)
                for f in faults
            ],
        )


def _newest(now: datetime) -> AlarmRules:
    """The newest version; whoever wants to write the next waits here."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    ensure_alarm_rules(now=now)
    row = rules.newest()
    assert row is not None
    return row


def _next(
    newest: AlarmRules, document: Mapping[str, Any], note: str, actor: Actor, now: datetime
) -> AlarmRules:
    row = AlarmRules.objects.create(
        version=newest.version + 1,
        created_at=now,
        created_by=actor.label,
        note=note,
        document=dict(document),
    )
    audit.record(
        actor=actor,
        action="alarm_rules.publish",
        object_type="alarm_rules",
        object_code=str(row.version),
        before={"version": newest.version},
        after={"version": row.version, "note": note, **_changes(newest.document, document)},
        now=now,
    )
    transaction.on_commit(rules.forget)
    return row


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, list[str]]:
    """Which rules came, went, or changed, by code."""
    before = {rule["code"]: rule for rule in old["rules"]}
    after = {rule["code"]: rule for rule in new["rules"]}
    return {
        "added": sorted(after.keys() - before.keys()),
        "removed": sorted(before.keys() - after.keys()),
        "changed": sorted(c for c in before.keys() & after.keys() if before[c] != after[c]),
    }
