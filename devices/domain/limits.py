"""Capabilities as data: what a model or a foreign device can be told, written as JSON.

The JSON is what `capabilities.describe` shows. A model's limits change the built-in table of its
kind: a key with a rule replaces or adds, a key with null takes away.
"""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from base_ops.core.errors import FieldFault, Invalid
from devices.domain import capabilities
from devices.domain.capabilities import Choice, Flag, Focus, Number, Rgb, Rule, Table, Text
from devices.domain.conventions.plain import is_clean

MAX_KEYS = 64
MAX_KEY = 48
MAX_WORDS = 64
MAX_WORD = 64
MAX_TEXT = 255
MAX_UNIT = 16


class BadLimits(Invalid):
    """A table of capabilities that means nothing; names each key and why."""

    code, title_zh, title_en = "bad_limits", "能力表无效", "Not a valid table of capabilities"


def check(limits: Mapping[str, Any]) -> None:
    """Refuse limits with any fault.

    Raises:
        BadLimits: with every faulty key.
    """
    faults = []
    if len(limits) > MAX_KEYS:
        faults.append(FieldFault("limits", f"最多 {MAX_KEYS} 项", f"at most {MAX_KEYS} keys"))
    for key, said in limits.items():
        if not _is_key(key):
            shown = key[:MAX_KEY].encode("utf-8", "replace").decode()
            faults.append(FieldFault(shown, "名称无效", "not a valid name"))
        elif said is not None and (fault := _fault(key, said)):
            faults.append(fault)
    if faults:
        raise BadLimits(fields=faults)


def _is_key(key: str) -> bool:
    return 0 < len(key) <= MAX_KEY and key.isascii() and key.replace("_", "a").isalnum()


def _fault(key: str, said: object) -> FieldFault | None:
    try:
        _rule(said)
    except (KeyError, TypeError, ValueError) as exc:
        return FieldFault(key, f"规则无效:{exc}", f"not a rule: {exc}")
    return None


def table(*, kind: str, model: str = "", limits: Mapping[str, Any] | None = None) -> Table:
    """What a device of our own convention can be told: its kind's table, changed by its model's.

    Limits that were checked before are taken as they are; a rule that later versions of this code
    no longer know is left out.
    """
    base = capabilities.table(kind=kind, model=model)
    return changed(base, limits) if limits else base


def changed(base: Table, limits: Mapping[str, Any]) -> Table:
    """A table with some rules replaced, added or, where null, taken away."""
    kept = {key: rule for key, rule in base.items() if key not in limits}
    return kept | parse(limits)


def parse(described: Mapping[str, Any]) -> dict[str, Rule]:
    """Rules from their descriptions; what is null or no rule is left out."""
    found: dict[str, Rule] = {}
    for key, said in described.items():
        if said is not None and _fault(key, said) is None:
            found[key] = _rule(said)
    return found


def describe(rules: Table) -> dict[str, dict[str, Any]]:
    """A table as JSON."""
    return {key: rule.describe() for key, rule in rules.items()}


def fit(state: Mapping[str, Any], rules: Table) -> dict[str, Any]:
    """The part of a wished state that a device can take, numbers drawn into its limits."""
    drawn = {key: _drawn(value, rules[key]) for key, value in state.items() if key in rules}
    return {key: value for key, value in drawn.items() if rules[key].fault(value) is None}


def _drawn(value: Any, rule: Rule) -> Any:
    if not isinstance(rule, Number) or isinstance(value, bool):
        return value
    if not isinstance(value, int | float):
        return value
    drawn = min(max(value, rule.low), rule.high)
    return int(drawn) if rule.whole or float(drawn).is_integer() else drawn


def _rule(said: Any) -> Rule:
    """Raises KeyError, TypeError or ValueError for what is no rule."""
    match said:
        case {"type": "flag"}:
            return Flag()
        case {"type": "rgb"}:
            return Rgb()
        case {"type": "focus"}:
            return Focus()
        case {"type": "number"}:
            return _number(said)
        case {"type": "choice", "of": list(words)}:
            return Choice(_words(words))
        case {"type": "text", "max_length": int(longest)} if 0 < longest <= MAX_TEXT:
            return Text(longest, nullable=said.get("nullable") is True)
        case _:
            raise ValueError("type must be flag, number, choice, text, rgb or focus")


def _number(said: Mapping[str, Any]) -> Number:
    low, high, unit = said["min"], said["max"], said.get("unit", "")
    for end in (low, high):
        if isinstance(end, bool) or not isinstance(end, int | float) or not isfinite(end):
            raise ValueError("min and max must be finite numbers")
    if not low < high or max(abs(low), abs(high)) > capabilities.FAR_FUTURE_MS:
        raise ValueError("min must be below max")
    if not isinstance(unit, str) or len(unit) > MAX_UNIT or not is_clean(unit):
        raise ValueError("unit must be a short text")
    return Number(low, high, unit, whole=said.get("whole") is True)


def _words(words: list[object]) -> tuple[str, ...]:
    good = [w for w in words if isinstance(w, str) and 0 < len(w) <= MAX_WORD and is_clean(w)]
    if not words or len(good) != len(words) or len(words) > MAX_WORDS:
        raise ValueError(f"of must be 1 to {MAX_WORDS} short texts")
    return tuple(good)
