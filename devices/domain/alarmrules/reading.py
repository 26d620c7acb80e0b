"""Reading a document of alarm rules: all of its faults by path, or the rules.

    {"rules": [{"code", "kind", "severity", "title_zh", "title_en", "runbook_zh", "runbook_en",
                "enabled", "scope", "params", "notify", "escalate", "flapping"}]}

`params` by kind:

    threshold       metric, side (above, below), limit, clear, for_s
    rate            metric, direction (rise, fall, both), per_min, window_s
    load            limit, clear (shares of what the circuit carries), for_s
    lamp_hours      metric, limit
    offline         for_s
    event           names
    uplink, command_failed, told: none (what a bad uplink is also proves credits: alarms.py)
"""

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from devices.domain.alarmrules.rules import TOLD, Escalation, Flapping, Kind, Rule, Scope
from devices.domain.alarms import Code, Severity

MOST_RULES = 200
KEYS = frozenset(Rule.__slots__)
ROLES = frozenset({"technician", "manager", "admin"})
DAY_S = 86_400
_CODE = re.compile(r"(?!(?:check|versions)$)[a-z][a-z0-9_]{1,39}")
_NAME = re.compile(r"[A-Za-z0-9_.:/ -]{1,64}")
_METRIC = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_SCOPE_MOST = 200


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, and where."""

    path: str
    reason_zh: str
    reason_en: str


@dataclass(frozen=True, slots=True)
class Known:
    """The codes there are, by side of a scope; a side that is not named is not checked."""

    codes: Mapping[str, Collection[str]] = field(default_factory=dict)


class _Unfit(ValueError):
    """A value that cannot be used, and why in both languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


@dataclass(slots=True)
class Reading:
    """What was understood, and every fault on the way."""

    rules: list[Rule] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def take(self, path: str, reader: Callable[[Any], Any], raw: Any, default: Any) -> Any:
        """The value as read, or the default and a fault."""
        try:
            return reader(raw)
        except _Unfit as exc:
            self.faults.append(Fault(path, exc.zh, exc.en))
            return default

    def object(self, path: str, raw: Any, keys: Collection[str]) -> Mapping[str, Any]:
        """An object with no other keys than these; {} and a fault for anything else."""
        if not isinstance(raw, dict):
            self.faults.append(Fault(path, "须为 JSON 对象", "A JSON object is expected"))
            return {}
        for key in raw.keys() - set(keys):
            self.faults.append(Fault(f"{path}.{_shown(key)}", "未知字段", "Unknown field"))
        return raw


def _shown(key: object) -> str:
    """A key as an answer can carry it, whatever it holds."""
    return str(key)[:40].encode("ascii", "backslashreplace").decode()


def read(document: Any, *, known: Known | None = None) -> Reading:
    """Read a document, whatever it is."""
    reading = Reading()
    rows = reading.object("$", document, ("rules",)).get("rules")
    if not isinstance(rows, list) or len(rows) > MOST_RULES:
        zh, en = f"须为至多 {MOST_RULES} 条规则的列表", f"A list of at most {MOST_RULES} rules"
        reading.faults.append(Fault("rules", zh, en))
        return reading
    seen: set[str] = set()
    for index, row in enumerate(rows):
        path = f"rules[{index}]"
        rule = _rule(reading, path, row, known or Known())
        if rule is not None and rule.code in seen:
            reading.faults.append(Fault(f"{path}.code", "代码重复", "This code appears twice"))
        if rule is not None:
            seen.add(rule.code)
            reading.rules.append(rule)
    return reading


def _rule(reading: Reading, path: str, raw: Any, known: Known) -> Rule | None:
    before = len(reading.faults)
    row = reading.object(path, raw, KEYS)
    take = reading.take
    code = take(f"{path}.code", _matching(_CODE), row.get("code"), "")
    kind = take(f"{path}.kind", _choice(*Kind), row.get("kind"), None)
    severity = take(f"{path}.severity", _choice(*Severity), row.get("severity"), "info")
    words = {
        name: take(f"{path}.{name}", _text(least, most), row.get(name, ""), "")
        for name, least, most in (
            ("title_zh", 1, 80), ("title_en", 1, 120), ("runbook_zh", 0, 400),
            ("runbook_en", 0, 600),
        )
    }  # fmt: skip
    enabled = take(f"{path}.enabled", _boolean, row.get("enabled", True), default=True)
    scope = _scope(reading, f"{path}.scope", row.get("scope", {}), known)
    notify = take(f"{path}.notify", _roles(0), row.get("notify", []), ())
    escalate = _escalation(reading, f"{path}.escalate", row.get("escalate", []))
    flapping = _flapping(reading, f"{path}.flapping", row.get("flapping"))
    params = {} if kind is None else _params(reading, path, row, Kind(kind))
    _fits(reading, path, code, kind)
    if kind is None or len(reading.faults) > before:
        return None
    return Rule(
        code=code, kind=Kind(kind), severity=Severity(severity), **words, enabled=enabled,
        scope=scope, params=params, notify=notify, escalate=escalate, flapping=flapping,
    )  # fmt: skip


def _fits(reading: Reading, path: str, code: str, kind: str | None) -> None:
    """What those above raise has fixed codes, which no other rule may bear."""
    if (code in TOLD) != (kind == Kind.TOLD) or (code in set(Code) and kind in _FREE):
        names = ", ".join(sorted(TOLD))
        reading.faults.append(
            Fault(
                f"{path}.code",
                f"told 规则的代码须为:{names};其他规则不得使用内置代码",
                f"A told rule is one of {names}; no other rule bears a built-in code",
            )
        )


_FREE = frozenset({Kind.THRESHOLD, Kind.RATE, Kind.LOAD, Kind.LAMP_HOURS})


def _scope(reading: Reading, path: str, raw: Any, known: Known) -> Scope:
    row = reading.object(path, raw, Scope.__slots__)
    sides: dict[str, frozenset[str]] = {}
    for name in Scope.__slots__:
        found = reading.take(f"{path}.{name}", _codes, row.get(name, []), ())
        codes = known.codes.get(name)
        if codes is not None:
            for code in (c for c in found if c not in codes):
                reading.faults.append(
                    Fault(f"{path}.{name}", f"不存在:{code}", f"There is no {code}")
                )
        sides[name] = frozenset(found)
    return Scope(**sides)


def _escalation(reading: Reading, path: str, raw: Any) -> tuple[Escalation, ...]:
    if not isinstance(raw, list) or len(raw) > 5:
        reading.faults.append(Fault(path, "须为至多 5 级的列表", "A list of at most 5 steps"))
        return ()
    steps = []
    for index, one in enumerate(raw):
        row = reading.object(f"{path}[{index}]", one, ("after_min", "to"))
        after = reading.take(
            f"{path}[{index}].after_min", _number(1, 10_080), row.get("after_min"), 1
        )
        to = reading.take(f"{path}[{index}].to", _roles(1), row.get("to"), ())
        steps.append(Escalation(timedelta(minutes=after), to))
    if [s.after for s in steps] != sorted({s.after for s in steps}):
        reading.faults.append(
            Fault(path, "各级时间须递增", "Each step comes after the one before")
        )
    return tuple(steps)


def _flapping(reading: Reading, path: str, raw: Any) -> Flapping | None:
    if raw is None:
        return None
    row = reading.object(path, raw, ("times", "within_min"))
    times = reading.take(f"{path}.times", _whole(2, 100), row.get("times"), 2)
    within = reading.take(f"{path}.within_min", _number(1, 1440), row.get("within_min"), 1)
    return Flapping(times, timedelta(minutes=within))


def _params(reading: Reading, path: str, row: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    wanted = _PARAMS[kind]
    path = f"{path}.params"
    before = len(reading.faults)
    raw = reading.object(path, row.get("params", {}), wanted)
    found = {
        name: reading.take(f"{path}.{name}", reader, raw.get(name, default), None)
        for name, (reader, default) in wanted.items()
    }
    if len(reading.faults) == before and kind is Kind.LAMP_HOURS:
        found["clear"] = found["limit"]
    if len(reading.faults) == before and "clear" in wanted:
        floor = found.get("side") == "below"
        if (found["clear"] < found["limit"]) if floor else (found["clear"] > found["limit"]):
            zh = "须不低于 limit" if floor else "须不高于 limit"
            en = "not below the limit" if floor else "not above the limit"
            reading.faults.append(Fault(f"{path}.clear", zh, en))
    return found


def _matching(pattern: re.Pattern[str]) -> Callable[[Any], str]:
    def reader(value: Any) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise _Unfit(f"须符合 {pattern.pattern}", f"It must match {pattern.pattern}")
        return value

    return reader


def _choice(*options: str) -> Callable[[Any], str]:
    def reader(value: Any) -> str:
        if not isinstance(value, str) or value not in options:
            names = ", ".join(map(str, options))
            raise _Unfit(f"可用:{names}", f"One of {names}")
        return value

    return reader


def _text(least: int, most: int) -> Callable[[Any], str]:
    def reader(value: Any) -> str:
        if not isinstance(value, str) or not least <= len(value.strip()) <= most:
            raise _Unfit(
                f"须为 {least} 至 {most} 字的文本", f"A text of {least} to {most} characters"
            )
        if "\x00" in value or any("\ud800" <= c <= "\udfff" for c in value):
            raise _Unfit("含非法字符", "It holds characters that are no text")
        return value.strip()

    return reader


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Unfit("须为 true 或 false", "true or false")
    return value


def _number(least: float, most: float) -> Callable[[Any], float]:
    def reader(value: Any) -> float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value) or not least <= value <= most:
            raise _Unfit(
                f"须为 {least:g} 至 {most:g} 的数", f"A number from {least:g} to {most:g}"
            )
        return float(value)

    return reader


def _whole(least: int, most: int) -> Callable[[Any], int]:
    def reader(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise _Unfit(
                f"须为 {least} 至 {most} 的整数", f"A whole number from {least} to {most}"
            )
        return value

    return reader


def _codes(value: Any) -> tuple[str, ...]:
    fits = isinstance(value, list) and len(value) <= _SCOPE_MOST
    if not fits or not all(isinstance(v, str) and _NAME.fullmatch(v) for v in value):
        raise _Unfit("须为代码列表", "A list of codes")
    return tuple(value)


def _names(value: Any) -> tuple[str, ...]:
    found = _codes(value)
    if not found:
        raise _Unfit("至少一个名称", "At least one name")
    return found


def _roles(least: int) -> Callable[[Any], tuple[str, ...]]:
    def reader(value: Any) -> tuple[str, ...]:
        fits = isinstance(value, list) and len(value) >= least
        if not fits or not all(isinstance(v, str) and v in ROLES for v in value):
            names = ", ".join(sorted(ROLES))
            raise _Unfit(f"可用角色:{names}", f"Roles among {names}")
        return tuple(dict.fromkeys(value))

    return reader


_ANY = _number(-1e12, 1e12)
_FOR = (_number(0, DAY_S), 0)
_Params = Mapping[str, tuple[Callable[[Any], Any], Any]]
_PARAMS: Mapping[Kind, _Params] = {
    Kind.THRESHOLD: {
        "metric": (_matching(_METRIC), None),
        "side": (_choice("above", "below"), "above"),
        "limit": (_ANY, None),
        "clear": (_ANY, None),
        "for_s": _FOR,
    },
    Kind.RATE: {
        "metric": (_matching(_METRIC), None),
        "direction": (_choice("rise", "fall", "both"), "rise"),
        "per_min": (_number(1e-9, 1e12), None),
        "window_s": (_number(30, 3600), 300),
    },
    Kind.LOAD: {
        "limit": (_number(0.05, 5), 0.95),
        "clear": (_number(0.05, 5), 0.8),
        "for_s": _FOR,
    },
    Kind.LAMP_HOURS: {
        "metric": (_matching(_METRIC), "lamp_hours"),
        "limit": (_number(1, 1e6), None),
    },
    Kind.OFFLINE: {"for_s": _FOR},
    Kind.UPLINK: {},
    Kind.EVENT: {"names": (_names, None)},
    Kind.COMMAND_FAILED: {},
    Kind.TOLD: {},
}


def faults_as_text(faults: Sequence[Fault]) -> str:
    """For logs and exceptions."""
    return "; ".join(f"{f.path}: {f.reason_en}" for f in faults[:10])
