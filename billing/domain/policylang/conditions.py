"""Who a rule is for: trees of `all`, `any` and `not` over typed comparisons.

A fact that is not known never grants anything: a comparison with it is neither true nor false,
and so is its opposite.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any, Final

from billing.domain.policylang import source
from billing.domain.policylang.source import Notes
from billing.domain.policylang.steps import Meter
from billing.domain.policylang.vocabulary import FactType, Value, shown
from billing.domain.texts import Bi

_ORDERED: Final[Mapping[str, Bi]] = {
    "gt": Bi("须大于", "must be more than"),
    "ge": Bi("须不少于", "must be at least"),
    "lt": Bi("须小于", "must be less than"),
    "le": Bi("须不超过", "must be at most"),
}
COMPARISONS: Final = {
    "number": frozenset(_ORDERED) | {"eq"},
    "amount": frozenset(_ORDERED) | {"eq"},
    "day": frozenset(_ORDERED) | {"eq"},
    "code": frozenset({"is", "in"}),
    "codes": frozenset({"any_of", "all_of"}),
    "flag": frozenset({"is"}),
}


@dataclass(frozen=True, slots=True)
class Compare:
    """One fact against what is written down."""

    path: str
    fact: str
    type: FactType
    op: str
    wanted: Fraction | date | bool | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tree:
    """`all` or `any` of several."""

    path: str
    op: str
    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Opposite:
    """What must not hold."""

    path: str
    part: "Condition"


@dataclass(frozen=True, slots=True)
class SomeRelated:
    """A condition that one related party must meet, such as a streamer of an MCN."""

    path: str
    part: "Condition"


Condition = Compare | Tree | Opposite | SomeRelated


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Why a condition does not hold, and what would change that."""

    path: str
    reason: Bi
    unlock: Bi | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """Whether a condition holds; None when a fact is not known."""

    holds: bool | None
    short: tuple[Shortfall, ...] = ()


def read(
    data: object,
    path: str,
    types: Mapping[str, FactType],
    notes: Notes,
    *,
    of_related: bool = False,
) -> Condition:
    """One condition; what cannot be read is noted, and never used."""
    row = source.mapping(data, path, notes)
    heads = [head for head in ("all", "any", "not", "some_related", "fact") if head in row]
    if len(heads) != 1:
        notes.fault(
            path,
            "应恰有 all、any、not、some_related、fact 之一",
            "must have exactly one of all, any, not, some_related, fact",
        )
        return Tree(path, "any", ())
    head = heads[0]
    if head == "fact":
        return _compare(row, path, types, notes)
    source.known(row, (head,), path, notes)
    at = f"{path}.{head}"
    if head in ("all", "any"):
        parts = source.listing(row[head], at, notes)
        read_parts = (
            read(part, f"{at}[{i}]", types, notes, of_related=of_related)
            for i, part in enumerate(parts)
        )
        return Tree(at, head, tuple(read_parts))
    if head == "not":
        return Opposite(at, read(row[head], at, types, notes, of_related=of_related))
    if of_related:
        notes.fault(at, "some_related 不可嵌套", "some_related cannot be inside itself")
        return Tree(at, "any", ())
    return SomeRelated(at, read(row[head], at, types, notes, of_related=True))


def _compare(
    row: Mapping[str, Any], path: str, types: Mapping[str, FactType], notes: Notes
) -> Condition:
    name = row["fact"]
    if not isinstance(name, str) or name not in types:
        notes.fault(f"{path}.fact", f"未声明的事实“{name}”", f"fact {name!r} is not declared")
        return Tree(path, "any", ())
    kind = types[name].kind
    source.known(row, {"fact"} | COMPARISONS[kind], path, notes)
    ops = sorted(COMPARISONS[kind] & set(row))
    if len(ops) != 1:
        allowed = sorted(COMPARISONS[kind])
        notes.fault(
            path,
            f"应恰有一个比较：{'、'.join(allowed)}",
            f"must have exactly one comparison: {', '.join(allowed)}",
        )
        return Tree(path, "any", ())
    op = ops[0]
    wanted = _wanted(kind, op, row[op], f"{path}.{op}", notes)
    return Compare(path, name, types[name], op, wanted)


def _wanted(
    kind: str, op: str, data: object, path: str, notes: Notes
) -> Fraction | date | bool | tuple[str, ...]:
    if kind == "number":
        return source.number(data, path, notes)
    if kind == "amount":
        return source.number(data, path, notes) * 100
    if kind == "day":
        return source.day(data, path, notes)
    if kind == "flag":
        return source.flag(data, path, notes)
    if op == "is":
        return (source.text(data, path, notes, most=64),)
    rows = source.listing(data, path, notes)
    return tuple(source.text(row, f"{path}[{i}]", notes, most=64) for i, row in enumerate(rows))


def judge(
    condition: Condition,
    facts: Mapping[str, Value],
    related: Sequence[Mapping[str, Value]],
    meter: Meter,
) -> Judged:
    """Whether the condition holds, and everything that is short of it.

    Raises:
        TooLong: the steps of the evaluation are used up.
    """
    meter.step(condition.path)
    match condition:
        case Compare():
            return _compared(condition, facts)
        case Opposite():
            inner = judge(condition.part, facts, related, meter).holds
            if inner is None:
                return Judged(None, (_unknown(condition.path),))
            return Judged(False, (_unwanted(condition),)) if inner else Judged(True)
        case SomeRelated():
            return _some(condition, related, meter)
        case Tree():
            parts = [judge(part, facts, related, meter) for part in condition.parts]
            return _all(parts) if condition.op == "all" else _any(condition.path, parts)


def _all(parts: Sequence[Judged]) -> Judged:
    short = tuple(s for part in parts for s in part.short if part.holds is not True)
    if any(part.holds is False for part in parts):
        return Judged(False, short)
    return Judged(None, short) if any(part.holds is None for part in parts) else Judged(True)


def _any(path: str, parts: Sequence[Judged]) -> Judged:
    if any(part.holds for part in parts):
        return Judged(True)
    short = tuple(s for part in parts for s in part.short)
    hint = Shortfall(path, Bi("以下各项满足其一即可", "one of the following is enough"))
    return Judged(
        None if any(part.holds is None for part in parts) else False,
        (hint, *short) if len(parts) > 1 else short,
    )


def _some(condition: SomeRelated, related: Sequence[Mapping[str, Value]], meter: Meter) -> Judged:
    parts = [judge(condition.part, one, (), meter) for one in related]
    if not parts:
        why = Bi("没有申报关联方", "no related party is declared")
        return Judged(False, (Shortfall(condition.path, why),))
    if any(part.holds for part in parts):
        return Judged(True)
    why = Bi("没有关联方满足条件", "no related party meets the condition")
    unknown = any(part.holds is None for part in parts)
    return Judged(None if unknown else False, (Shortfall(condition.path, why), *parts[0].short))


def _unknown(path: str) -> Shortfall:
    return Shortfall(path, Bi("有未申报的事实", "a fact is not declared"))


def _unwanted(condition: Opposite) -> Shortfall:
    part = condition.part
    if isinstance(part, Compare):
        name = part.type.name
        given = _said(part)
        return Shortfall(
            condition.path, Bi(f"{name.zh}不得为{given}", f"{name.en} must not be {given}")
        )
    return Shortfall(condition.path, Bi("属于排除情形", "is among what is excluded"))


def _compared(condition: Compare, facts: Mapping[str, Value]) -> Judged:
    given, name = facts.get(condition.fact), condition.type.name
    if given is None:
        why = Bi(f"未申报{name.zh}", f"{name.en} is not declared")
        how = Bi(f"申报{name.zh}", f"declare {name.en}")
        return Judged(None, (Shortfall(condition.path, why, how),))
    if _MEETS[condition.op](given, condition.wanted):
        return Judged(True)
    return Judged(False, (_short(condition, given),))


_MEETS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
    "eq": operator.eq,
    "in": lambda given, wanted: given in wanted,
    "any_of": lambda given, wanted: not given.isdisjoint(wanted),
    "all_of": lambda given, wanted: given.issuperset(wanted),
    "is": lambda given, wanted: given in wanted if isinstance(wanted, tuple) else given is wanted,
}


def _short(condition: Compare, given: Any) -> Shortfall:
    """Why, with both figures; what is missing where more of something would do."""
    name, kind, wanted = condition.type.name, condition.type.kind, _said(condition)
    have = shown(given, kind)
    rule = _ORDERED.get(condition.op, Bi("须为", "must be"))
    reason = Bi(
        f"{name.zh}{rule.zh}{wanted}（现为{have}）", f"{name.en} {rule.en} {wanted} (it is {have})"
    )
    if condition.op in ("gt", "ge") and kind in ("number", "amount"):
        assert isinstance(condition.wanted, Fraction)
        missing = shown(condition.wanted - given, kind)
        more = Bi("以上", "at least") if condition.op == "ge" else Bi("以上（不含）", "more than")
        unlock = Bi(f"{name.zh}再增加{missing}{more.zh}", f"{more.en} {missing} more: {name.en}")
        return Shortfall(condition.path, reason, unlock)
    unlock = Bi(f"{name.zh}{rule.zh}{wanted}", f"{name.en} {rule.en} {wanted}")
    return Shortfall(condition.path, reason, unlock)


def _said(condition: Compare) -> str:
    wanted: Any = condition.wanted
    if isinstance(wanted, tuple):
        return "/".join(wanted)
    return shown(wanted, condition.type.kind)


def facts_asked(condition: Condition) -> frozenset[str]:
    """The names of all facts in a condition."""
    match condition:
        case Compare():
            return frozenset({condition.fact})
        case Tree():
            return frozenset().union(*(facts_asked(part) for part in condition.parts))
        case _:
            return facts_asked(condition.part)
