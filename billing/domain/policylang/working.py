"""Work an amount out exactly, in fen, and note which tier was reached and what the next asks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor

from billing.domain.policylang import conditions
from billing.domain.policylang.amounts import (
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
)
from billing.domain.policylang.conditions import Shortfall
from billing.domain.policylang.steps import Meter
from billing.domain.policylang.vocabulary import Case, FactType, Value, plain, shown
from billing.domain.texts import Bi

ZERO = Fraction(0)


class Missing(ValueError):
    """A fact that the amount needs is not known."""

    def __init__(self, path: str, name: Bi) -> None:
        super().__init__(f"{path}: {name.en}")
        self.path, self.name = path, name


@dataclass(slots=True)
class Work:
    """One working out: the facts, the names so far, and what would give more."""

    case: Case
    facts: Mapping[str, Value]
    types: Mapping[str, FactType]
    meter: Meter
    names: dict[str, Fraction] = field(default_factory=dict)
    hints: list[Shortfall] = field(default_factory=list)

    def amount(self, node: Amount) -> Fraction:
        """Exact fen, never below zero.

        Raises:
            Missing: a fact is not known.
            TooLong: the steps are used up.
        """
        self.meter.step(node.path)
        match node:
            case Fixed():
                return node.fen
            case OfFact():
                return self._number(node.path, node.fact)
            case Named():
                return self.names[node.name]
            case Increment():
                more = self._number(node.path, node.now) - self._number(node.path, node.before)
                return max(more, ZERO)
            case Percent():
                return self._share(node) * self.amount(node.of)
            case Several():
                pick = {"sum": sum, "least": min, "greatest": max}[node.op]
                return Fraction(pick([self.amount(part) for part in node.parts]))
            case RoundDown():
                return floor(self.amount(node.of) / node.unit) * node.unit
            case Divide():
                return self.amount(node.of) / node.by
            case _:
                return self._looked_up(node)

    def _looked_up(self, node: "Spend | PerUnit | EachFull | Table | Lookup | Choose") -> Fraction:
        match node:
            case Spend():
                return self._spent(node)
            case PerUnit():
                return self._per(node)
            case EachFull():
                return self._each_full(node)
            case Table():
                return self._tier(node)
            case Lookup():
                found = node.rows.get(tuple(self._key(node.path, name) for name in node.by))
                return ZERO if found is None else self.amount(found)
            case Choose():
                return self._chosen(node)

    def _value(self, path: str, fact: str) -> Value:
        given = self.facts.get(fact)
        if given is None:
            raise Missing(path, self.types[fact].name)
        return given

    def _number(self, path: str, fact: str) -> Fraction:
        """A number or an amount that is not below zero; a rule never takes from anybody."""
        given = self._value(path, fact)
        return max(given, ZERO) if isinstance(given, Fraction) else ZERO

    def _key(self, path: str, fact: str) -> str:
        return shown(self._value(path, fact), self.types[fact].kind)

    def _share(self, node: Percent) -> Fraction:
        if not node.by:
            return node.shares[0]
        year = self._number(node.path, node.by)
        whole = year.denominator == 1 and 1 <= year <= len(node.shares)
        return node.shares[int(year) - 1] if whole else ZERO

    def _spent(self, node: Spend) -> Fraction:
        """What counts; the limited class is at most its share of everything that counts."""
        counted = [
            cost
            for cost in self.case.spent
            if (not node.kinds or cost.kind in node.kinds)
            and (node.first is None or node.first <= cost.on)
            and (node.last is None or cost.on <= node.last)
        ]
        rest = sum(max(cost.fen, 0) for cost in counted if cost.kind != node.limited)
        inner = Fraction(sum(max(cost.fen, 0) for cost in counted if cost.kind == node.limited))
        if not node.limited:
            return Fraction(rest)
        allowed = rest * node.most / (1 - node.most)
        if inner > allowed:
            self.hints.append(
                Shortfall(
                    node.path,
                    Bi(
                        f"{node.limited}只计入{plain(allowed / 100)}元",
                        f"of {node.limited} only CNY {plain(allowed / 100)} counts",
                    ),
                )
            )
        return rest + min(inner, allowed)

    def _per(self, node: PerUnit) -> Fraction:
        quantity = self._number(node.path, node.quantity)
        if node.up_to is not None:
            quantity = min(quantity, node.up_to)
        times = Fraction(1)
        if node.times:
            times = self._number(node.path, node.times)
            if node.times_up_to is not None:
                times = min(times, node.times_up_to)
        return quantity * times * self.amount(node.rate)

    def _each_full(self, node: EachFull) -> Fraction:
        base = self.amount(node.of)
        full = floor(base / node.step)
        missing = plain(((full + 1) * node.step - base) / 100)
        self.hints.append(
            Shortfall(
                node.path,
                Bi(f"已满{full}档", f"{full} full steps"),
                Bi(f"再增加{missing}元进入下一档", f"CNY {missing} more reaches the next step"),
            )
        )
        return full * self.amount(node.give)

    def _tier(self, node: Table) -> Fraction:
        given, kind = self._number(node.path, node.by), self.types[node.by].kind
        reached = [tier for tier in node.tiers if tier.reached(given)]
        following = next((tier for tier in node.tiers if not tier.reached(given)), None)
        if following is not None:
            name = self.types[node.by].name
            gap = shown(following.threshold - given, kind)
            zh, en = ("超过", "more than") if following.strict else ("达到", "at least")
            self.hints.append(
                Shortfall(
                    node.path,
                    Bi(f"已达第{len(reached)}档", f"tier {len(reached)} is reached"),
                    Bi(
                        f"{name.zh}再增加{gap}并{zh}{shown(following.threshold, kind)}进入下一档",
                        f"{gap} more of {name.en} ({en} {shown(following.threshold, kind)}) "
                        "reaches the next tier",
                    ),
                )
            )
        return self.amount(reached[-1].then) if reached else ZERO

    def _chosen(self, node: Choose) -> Fraction:
        for when, then in node.branches:
            if when is None:
                return self.amount(then)
            judged = conditions.judge(when, self.facts, self.case.related, self.meter)
            if judged.holds:
                return self.amount(then)
        return ZERO
