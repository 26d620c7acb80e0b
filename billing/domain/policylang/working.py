"""Work an amount out exactly, in fen, and note which tier was reached and what the next asks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from typing import Any, Final

from billing.domain.policylang import conditions
from billing.domain.policylang.conditions import Shortfall
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
)
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
        return _WAYS[type(node)](self, node)

    def fixed(self, node: Fixed) -> Fraction:
        """As it is written."""
        return node.fen

    def of_fact(self, node: OfFact) -> Fraction:
        """As it is declared."""
        return self._number(node.path, node.fact)

    def named(self, node: Named) -> Fraction:
        """As it was worked out before."""
        return self.names[node.name]

    def increment(self, node: Increment) -> Fraction:
        """The growth, or nothing."""
        more = self._number(node.path, node.now) - self._number(node.path, node.before)
        return max(more, ZERO)

    def percent(self, node: Percent) -> Fraction:
        """A share, that of the year where there is one for each."""
        return self._share(node) * self.amount(node.of)

    def several(self, node: Several) -> Fraction:
        """Of all parts the sum, the least or the greatest."""
        parts = [self.amount(part) for part in node.parts]
        if node.op == "sum":
            return sum(parts, ZERO)
        return min(parts) if node.op == "least" else max(parts)

    def round_down(self, node: RoundDown) -> Fraction:
        """Full units only."""
        return floor(self.amount(node.of) / node.unit) * node.unit

    def divide(self, node: Divide) -> Fraction:
        """By a number that is never zero: the reader saw to that."""
        return self.amount(node.of) / node.by

    def lookup(self, node: Lookup) -> Fraction:
        """Nothing when no row names these facts."""
        found = node.rows.get(tuple(self._key(node.path, name) for name in node.by))
        return ZERO if found is None else self.amount(found)

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

    def spent(self, node: Spend) -> Fraction:
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

    def per_unit(self, node: PerUnit) -> Fraction:
        """A rate for each unit, within its bounds."""
        quantity = self._number(node.path, node.quantity)
        if node.up_to is not None:
            quantity = min(quantity, node.up_to)
        times = Fraction(1)
        if node.times:
            times = self._number(node.path, node.times)
            if node.times_up_to is not None:
                times = min(times, node.times_up_to)
        return quantity * times * self.amount(node.rate)

    def each_full(self, node: EachFull) -> Fraction:
        """For full steps only."""
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
        return full * self.amount(node.amount)

    def tier(self, node: Table) -> Fraction:
        """Of the highest tier that is reached."""
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

    def chosen(self, node: Choose) -> Fraction:
        """Of the first branch whose condition holds."""
        for when, then in node.branches:
            if when is None:
                return self.amount(then)
            judged = conditions.judge(when, self.facts, self.case.related, self.meter)
            if judged.holds:
                return self.amount(then)
        return ZERO


_WAYS: Final[Mapping[type, Callable[[Work, Any], Fraction]]] = {
    Fixed: Work.fixed,
    OfFact: Work.of_fact,
    Named: Work.named,
    Spend: Work.spent,
    Increment: Work.increment,
    Percent: Work.percent,
    PerUnit: Work.per_unit,
    EachFull: Work.each_full,
    Table: Work.tier,
    Lookup: Work.lookup,
    Choose: Work.chosen,
    Several: Work.several,
    RoundDown: Work.round_down,
    Divide: Work.divide,
}
