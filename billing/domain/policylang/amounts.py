"""What a rule gives: a tree of typed terms over amounts. Reading only; see `working`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from billing.domain.policylang import conditions, source
from billing.domain.policylang.conditions import Condition
from billing.domain.policylang.nodes import (
    Amount,
    Choose,
    Divide,
    EachFull,
    Fixed,
    Increment,
    Lookup,
    Named,
    OfFact,
    Percent,
    PerUnit,
    RoundDown,
    Several,
    Spend,
    Table,
    Tier,
)
from billing.domain.policylang.source import Notes
from billing.domain.policylang.vocabulary import FactType

MOST_NAMES: Final = 30


@dataclass(frozen=True, slots=True)
class Scope:
    """What an amount may refer to while it is read: facts, and the names before it."""

    types: Mapping[str, FactType]
    notes: Notes
    names: frozenset[str] = frozenset()

    def fact(self, name: object, kinds: tuple[str, ...], path: str) -> str:
        """The name of a fact of one of these kinds."""
        if isinstance(name, str) and name in self.types and self.types[name].kind in kinds:
            return name
        zh, en = "、".join(kinds), " or ".join(kinds)
        self.notes.fault(path, f"应为已声明的{zh}类事实", f"must be a declared fact of kind {en}")
        return ""


def read(data: object, path: str, scope: Scope) -> Amount:
    """One amount; a bare number or text is yuan."""
    if not isinstance(data, Mapping):
        return Fixed(path, source.fen(data, path, scope.notes))
    heads = [head for head in _READERS if head in data]
    if len(heads) != 1:
        source.known(data, _READERS, path, scope.notes)
        zh, en = "、".join(_READERS), ", ".join(_READERS)
        scope.notes.fault(path, f"应恰有一项：{zh}", f"must have exactly one of {en}")
        return Fixed(path, Fraction(0))
    head = heads[0]
    more, reader = _READERS[head]
    source.known(data, (head, *more), path, scope.notes)
    return reader(data, path, scope)


def names(data: object, scope: Scope) -> tuple[tuple[tuple[str, Amount], ...], Scope]:
    """Named amounts in order; each may use those before it, so none can run in a circle."""
    found: list[tuple[str, Amount]] = []
    rows = source.mapping({} if data is None else data, "amounts", scope.notes)
    if len(rows) > MOST_NAMES:
        scope.notes.fault("amounts", f"最多{MOST_NAMES}项", f"at most {MOST_NAMES}")
        return (), scope
    for name, row in rows.items():
        path = f"amounts.{name}"
        source.code(name, path, scope.notes)
        found.append((name, read(row, path, scope)))
        scope = Scope(scope.types, scope.notes, scope.names | {name})
    return tuple(found), scope


def _fixed(row: Mapping[str, Any], path: str, scope: Scope) -> Amount:
    return Fixed(path, source.fen(row["fixed"], f"{path}.fixed", scope.notes))


def _of_fact(row: Mapping[str, Any], path: str, scope: Scope) -> Amount:
    return OfFact(path, scope.fact(row["fact"], ("amount",), f"{path}.fact"))


def _named(row: Mapping[str, Any], path: str, scope: Scope) -> Amount:
    name = row["amount"]
    if not isinstance(name, str) or name not in scope.names:
        scope.notes.fault(
            f"{path}.amount",
            f"“{name}”不在其前：规则不得引用自身或后面的金额（不允许循环）",
            f"{name!r} is not named before: an amount cannot use itself or what comes later, "
            "or it would never end",
        )
        return Fixed(path, Fraction(0))
    return Named(path, name)


def _spend(row: Mapping[str, Any], path: str, scope: Scope) -> Amount:
    notes, at = scope.notes, f"{path}.spend"
    wish = source.mapping(row["spend"], at, notes)
    source.known(wish, ("kinds", "first", "last", "limited"), at, notes)
    kinds = source.codes(wish["kinds"], f"{at}.kinds", notes) if "kinds" in wish else ()
    first = source.day(wish["first"], f"{at}.first", notes) if "first" in wish else None
    last = source.day(wish["last"], f"{at}.last", notes) if "last" in wish else None
    if first and last and last < first:
        notes.fault(f"{at}.last", "早于 first", "is before first")
    if "limited" not in wish:
        return Spend(path, kinds, first, last)
    inner = source.mapping(wish["limited"], f"{at}.limited", notes)
    source.known(inner, ("kind", "percent"), f"{at}.limited", notes)
    kind = source.code(inner.get("kind"), f"{at}.limited.kind", notes)
    most = source.share(inner.get("percent"), f"{at}.limited.percent", notes)
    if most >= 1:
        notes.fault(
            f"{at}.limited.percent",
            "须小于100：否则除以零",
            "must be below 100: the rest of the costs would be divided by zero",
        )
        most = Fraction(0)
    return Spend(path, kinds, first, last, kind, most)


def _increment(row: Mapping[str, Any], path: str, scope: Scope) -> Amount:
    at = f"{path}.increment"
    wish = source.mapping(row["increment"], at, scope.notes)
    source.known(wish, ("now", "before"), at, scope.notes)
    now = scope.fact(wish.get("now"), ("amount",), f"{at}.now")
    return Increment(path, now, scope.fact(wish.get("before"), ("amount",), f"{at}.before"))


def _percent(row: Mapping[str, Any], path: str, scope: Scope) -> Amount:
    share = source.share(row["percent"], f"{path}.percent", scope.notes)
    return Percent(path, (share,), read(row.get("of"), f"{path}.of", scope))


def _percent_by(row: Mapping[str, Any], path: str, scope: Scope) -> Amount:
    at, notes = f"{path}.percent_by", scope.notes
    wish = source.mapping(row["percent_by"], at, notes)
    source.known(wish, ("year", "percents"), at, notes)
    by = scope.fact(wish.get("year"), ("number",), f"{at}.year")
    rows = source.listing(wish.get("percents"), f"{at}.percents", notes, most=10)
    shares = tuple(source.share(r, f"{at}.percents[{i}]", notes) for i, r in enumerate(rows))
    return Percent(path, shares, read(row.get("of"), f"{path}.of", scope), by)


def _per(row: Mapping[str, Any], path: str, scope: Scope) -> Amount:
    def bound(key: str) -> Fraction | None:
        if key not in row:
            return None
        return source.number(row[key], f"{path}.{key}", scope.notes, least=0)

    return PerUnit(
        path,
        scope.fact(row["per"], ("number",), f"{path}.per"),
        read(row.get("rate"), f"{path}.rate", scope),
        bound("up_to"),
        scope.fact(row["times"], ("number",), f"{path}.times") if "times" in row else "",
        bound("times_up_to"),
    )


def _each_full(row: Mapping[str, Any], path: str, scope: Scope) -> Amount:
    return EachFull(
        path,
        read(row.get("of"), f"{path}.of", scope),
        source.divisor(row["each_full"], f"{path}.each_full", scope.notes) * 100,
        read(row.get("give"), f"{path}.give", scope),
    )


def _table(row: Mapping[str, Any], path: str, scope: Scope) -> Amount:
    at, notes = f"{path}.table", scope.notes
    by = scope.fact(row.get("by"), ("number", "amount"), f"{path}.by")
    unit = 100 if by and scope.types[by].kind == "amount" else 1
    tiers: list[Tier] = []
    for i, tier in enumerate(source.listing(row["table"], at, notes)):
        where = f"{at}[{i}]"
        entry = source.mapping(tier, where, notes)
        source.known(entry, ("gt", "ge", "then"), where, notes)
        if ("gt" in entry) == ("ge" in entry):
            notes.fault(where, "应恰有 gt、ge 之一", "must have exactly one of gt, ge")
        strict = "gt" in entry
        op = "gt" if strict else "ge"
        threshold = source.number(entry.get(op), f"{where}.{op}", notes) * unit
        tiers.append(Tier(threshold, strict, read(entry.get("then"), f"{where}.then", scope)))
        if i and (tiers[i - 1].threshold, tiers[i - 1].strict) >= (threshold, strict):
            notes.fault(where, "门槛应逐级升高", "thresholds must rise")
    return Table(path, by, tuple(tiers))


def _lookup(row: Mapping[str, Any], path: str, scope: Scope) -> Amount:
    at, notes = f"{path}.lookup", scope.notes
    asked = source.listing(row.get("by"), f"{path}.by", notes, most=4)
    by = tuple(
        scope.fact(name, ("code", "number"), f"{path}.by[{i}]") for i, name in enumerate(asked)
    )
    rows: dict[tuple[str, ...], Amount] = {}
    for i, one in enumerate(source.listing(row["lookup"], at, notes)):
        where = f"{at}[{i}]"
        entry = source.mapping(one, where, notes)
        source.known(entry, ("key", "then"), where, notes)
        keys = source.listing(entry.get("key"), f"{where}.key", notes, most=4)
        key = tuple(str(part) for part in keys)
        if len(key) != len(by) or key in rows:
            notes.fault(
                f"{where}.key",
                "键与 by 不符或重复",
                "must name each fact of `by` once, and no other row the same",
            )
        rows[key] = read(entry.get("then"), f"{where}.then", scope)
    return Lookup(path, by, rows)


def _choose(row: Mapping[str, Any], path: str, scope: Scope) -> Amount:
    at, notes = f"{path}.choose", scope.notes
    branches: list[tuple[Condition | None, Amount]] = []
    for i, one in enumerate(source.listing(row["choose"], at, notes)):
        where = f"{at}[{i}]"
        entry = source.mapping(one, where, notes)
        source.known(entry, ("when", "then"), where, notes)
        when = (
            conditions.read(entry["when"], f"{where}.when", scope.types, notes)
            if "when" in entry
            else None
        )
        branches.append((when, read(entry.get("then"), f"{where}.then", scope)))
    return Choose(path, tuple(branches))


def _several(op: str) -> "Reader":
    def reader(row: Mapping[str, Any], path: str, scope: Scope) -> Amount:
        parts = source.listing(row[op], f"{path}.{op}", scope.notes, most=20)
        found = (read(part, f"{path}.{op}[{i}]", scope) for i, part in enumerate(parts))
        return Several(path, op, tuple(found))

    return reader


def _round_down(row: Mapping[str, Any], path: str, scope: Scope) -> Amount:
    unit = source.divisor(row["round_down"], f"{path}.round_down", scope.notes) * 100
    return RoundDown(path, read(row.get("of"), f"{path}.of", scope), unit)


def _divide(row: Mapping[str, Any], path: str, scope: Scope) -> Amount:
    by = source.divisor(row.get("by"), f"{path}.by", scope.notes)
    return Divide(path, read(row["divide"], f"{path}.divide", scope), by)


Reader = Callable[[Mapping[str, Any], str, Scope], Amount]
_READERS: Final[Mapping[str, tuple[tuple[str, ...], Reader]]] = {
    "fixed": ((), _fixed),
    "fact": ((), _of_fact),
    "amount": ((), _named),
    "spend": ((), _spend),
    "increment": ((), _increment),
    "percent": (("of",), _percent),
    "percent_by": (("of",), _percent_by),
    "per": (("rate", "up_to", "times", "times_up_to"), _per),
    "each_full": (("of", "give"), _each_full),
    "table": (("by",), _table),
    "lookup": (("by",), _lookup),
    "choose": ((), _choose),
    "sum": ((), _several("sum")),
    "least": ((), _several("least")),
    "greatest": ((), _several("greatest")),
    "round_down": (("of",), _round_down),
    "divide": (("by",), _divide),
}
TERMS: Final = tuple(_READERS)
"""Every term of an amount."""
