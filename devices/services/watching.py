"""Judges measurements by the rules that look at them: limits with hysteresis and duration.

What is beyond a limit is remembered in a row per device and rule, until it is well again; so a
duration goes on counting whoever takes in the next measurement. Where nothing is beyond a limit,
one look at a small table is all that a batch costs.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from devices import selectors
from devices.directory import Entry
from devices.domain import alarmrules
from devices.domain.alarmrules import Kind, Pending, Rule, Verdict
from devices.domain.messages import Tele
from devices.services import alarming, announce, measuring

Key = tuple[int, str]
Sample = tuple[datetime, float]
_Pair = tuple[selectors.Watched, Tele]

_READ = """
SELECT device_id, rule, since, at, raised FROM devices_alarmpending
WHERE device_id = ANY(%s::bigint[])
"""
_SAVE = """
INSERT INTO devices_alarmpending (device_id, rule, since, at, raised)
SELECT * FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::bool[])
ON CONFLICT (device_id, rule)
DO UPDATE SET since = excluded.since, at = excluded.at, raised = excluded.raised
"""
_DROP = """
DELETE FROM devices_alarmpending p USING unnest(%s::bigint[], %s::text[]) AS n(device_id, rule)
WHERE p.device_id = n.device_id AND p.rule = n.rule
"""


def watch(
    measured: Iterable[tuple[Entry, Tele]], *, now: datetime, changes: announce.Changes
) -> None:
    """Raise and clear what the measurements of a batch say; their shadows are locked."""
    found = _watched(measured, now)
    before = _read({watched.entry.id for watched, _ in found})
    suspects = _suspects(found) | {device_id for device_id, _ in before}
    if suspects:
        samples, rules = _by_rule([p for p in found if p[0].entry.id in suspects], now)
        _conclude(samples, rules, before, now, changes)


def _conclude(
    samples: Mapping[Key, Sequence[Sample]],
    rules: Mapping[Key, Rule],
    before: Mapping[Key, Pending],
    now: datetime,
    changes: announce.Changes,
) -> None:
    """Judge each value in order of time; keep what is pending, raise and clear."""
    after: dict[Key, Pending | None] = {}
    raised: dict[Key, alarming.Raise] = {}
    well: set[Key] = set()
    for key, values in samples.items():
        state, rule = before.get(key), rules[key]
        for at, value in values:
            state, verdict = alarmrules.judge(rule, state, value, at)
            if verdict is Verdict.RAISE:
                raised[key] = _raise(key, rule, state, value)
            elif verdict is Verdict.CLEAR and raised.pop(key, None) is None:
                well.add(key)
        if state != before.get(key):
            after[key] = state
    _save(after)
    alarming.raise_all(list(raised.values()), now=now, changes=changes)
    for code in sorted({code for _, code in well - raised.keys()}):
        gone = [pk for pk, of in well - raised.keys() if of == code]
        alarming.clear(gone, [code], now=now, changes=changes)


def _watched(measured: Iterable[tuple[Entry, Tele]], now: datetime) -> list[_Pair]:
    """The measurements of devices that some rule looks at."""
    book = selectors.alarm_rules(now)
    pairs = ((selectors.watched(entry, book), message) for entry, message in measured)
    return [pair for pair in pairs if pair[0].limits]


def _suspects(found: Sequence[_Pair]) -> set[int]:
    """Devices with a value beyond some limit."""
    suspects: set[int] = set()
    for watched, message in found:
        metrics = message.metrics
        for metric, low, high in watched.limits:
            value = metrics.get(metric)
            if value is not None and not low < value < high:
                suspects.add(watched.entry.id)
    return suspects


def _by_rule(
    found: Iterable[_Pair], now: datetime
) -> tuple[dict[Key, list[Sample]], dict[Key, Rule]]:
    """The values that some rule looks at, by device and rule, in order of time; and the rules."""
    samples: dict[Key, list[Sample]] = {}
    rules: dict[Key, Rule] = {}
    for watched, message in found:
        entry, wanted = watched.entry, watched.by_metric
        for metric in wanted.keys() & message.metrics.keys():
            for rule in wanted[metric]:
                value = _value(rule, entry, float(message.metrics[metric]))
                if value is not None:
                    at = measuring.taken_at(message.ts, now)
                    key = (entry.id, rule.code)
                    samples.setdefault(key, []).append((at, value))
                    rules[key] = rule
    for values in samples.values():
        values.sort()
    return samples, rules


def _value(rule: Rule, entry: Entry, value: float) -> float | None:
    """The measurement; a load is the share of what the circuit carries, where that is known."""
    if rule.kind is not Kind.LOAD:
        return value
    return value / entry.circuit_w if entry.circuit_w else None


def _raise(key: Key, rule: Rule, state: Pending | None, value: float) -> alarming.Raise:
    detail: dict[str, Any] = {
        "metric": rule.metric or "load",
        "value": round(value, 4),
        "limit": rule.params["limit"],
        "since": state.since.isoformat() if state else None,
    }
    return alarming.Raise(key[0], rule.code, detail, rule)


def _read(device_ids: set[int]) -> dict[Key, Pending]:
    if not device_ids:
        return {}
    ids = f"{{{','.join(map(str, device_ids))}}}"
    with connection.cursor() as cursor:
        cursor.execute(_READ, [ids])
        return {
            (pk, rule): Pending(since, at, raised)
            for pk, rule, since, at, raised in cursor.fetchall()
        }


def _save(after: Mapping[Key, Pending | None]) -> None:
    kept = {key: state for key, state in sorted(after.items()) if state is not None}
    gone = sorted(after.keys() - kept.keys())
    with connection.cursor() as cursor:
        if kept:
            states = kept.values()
            cursor.execute(
                _SAVE,
                [
                    [pk for pk, _ in kept],
                    [rule for _, rule in kept],
                    [s.since for s in states],
                    [s.at for s in states],
                    [s.raised for s in states],
                ],
            )
        if gone:
            cursor.execute(_DROP, [[pk for pk, _ in gone], [rule for _, rule in gone]])
