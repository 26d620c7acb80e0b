"""A hearing: one case before the rules that meet in its spaces and its renter."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from booking.domain.rulebook import quotas, using
from booking.domain.rulebook.facts import UNUSED, Ask, Case, Crowd, Needs, Usage
from booking.domain.rulebook.judging import BESIDE, CHECKS, Bench, Check
from booking.domain.rulebook.reading import Rule
from booking.domain.rulebook.verdict import Broken, Verdict


@dataclass(frozen=True, slots=True)
class Terms:
    """The rules that meet in one space and renter: one of each kind, and all of the others."""

    one: Mapping[str, Rule]
    every: tuple[Rule, ...]
    checks: tuple[tuple[Check, Rule], ...]


@dataclass(slots=True)
class Hearing:
    """One case before one book: `needs` says what to look up, `verdict` judges with it."""

    case: Case
    terms: list[Terms]
    every: list[Rule]
    bench: Bench
    periods: quotas.Periods
    needs: Needs = field(init=False)
    _asks: list[tuple[Rule, Ask]] = field(init=False)
    _crowds: list[tuple[Rule, Crowd]] = field(init=False)
    _money: list[Rule] = field(init=False)

    def __post_init__(self) -> None:
        """Find out what must be looked up before the verdict; mostly little."""
        self._asks = list(self._asked())
        self._crowds = [
            (rule, asked)
            for rule in self.every
            if rule.kind in quotas.CROWDS and (asked := quotas.crowd(rule, self.case)) is not None
        ]
        self._money = list(self._limits_of_money())
        self.needs = Needs(
            asks=tuple(ask for _, ask in self._asks),
            crowds=tuple(asked for _, asked in self._crowds),
            exposure=any(using.money_limit(rule, self.case) is not None for rule in self._money),
            documents=tuple(sorted(self._documents())),
        )

    def _asked(self) -> Iterator[tuple[Rule, Ask]]:
        rules = [rule for rule in self.every if rule.kind in quotas.PERIODIC]
        if rules:
            days = list(self.periods.days(self.case.span))
            for rule in rules:
                for ask in self.periods.asks(rule, self.case, days):
                    yield rule, ask

    def _documents(self) -> set[str]:
        """Required documents that the renter's own evidence does not already prove."""
        rules = [rule for rule in self.every if rule.kind == "required_documents"]
        last = using.last_day(self.case, self.bench) if rules else None
        return {
            name
            for rule in rules
            for name in rule.params["documents"]
            if last is None or not using.good_until(self.case.renter.evidence, name, last)
        }

    @property
    def needs_price(self) -> bool:
        """Whether some rule limits what this renter may owe."""
        return self.needs.exposure

    def priced(self, price_fen: int) -> None:
        """Say what the case would cost: what may be owed is judged with it."""
        self.case = replace(self.case, price_fen=price_fen)

    def verdict(self, usage: Usage = UNUSED) -> Verdict:
        """Everything that is broken: time, room and renter first, then quotas and money.

        Raises:
            KeyError: `usage` lacks the answer to one of the `needs`.
        """
        broken = {(b.code, b.field, b.reason_en): b for b in self._broken(usage)}
        return Verdict(self.bench.version, tuple(broken.values()), tuple(self._approvals()))

    def _broken(self, usage: Usage) -> Iterator[Broken]:
        case, bench = self.case, self.bench
        yield from self._limits()
        for rule, ask in self._asks:
            yield from using.quota(rule, ask, case, usage, bench)
        for rule, asked in self._crowds:
            yield from using.crowd(rule, asked, case, usage, bench)
        for rule in self.every:
            if rule.kind == "required_documents":
                yield from using.documents(rule, case, usage, bench)
        for rule in self._money:
            yield from using.money(rule, case, usage, bench)

    def crowded(self, usage: Usage, crowds: Sequence[Crowd]) -> Iterator[Broken]:
        """What is broken by too many at once, of these crowds."""
        for rule, asked in self._crowds:
            if asked in crowds:
                yield from using.crowd(rule, asked, self.case, usage, self.bench)

    def crowded_with_it(self, usage: Usage, crowds: Sequence[Crowd]) -> Iterator[Broken]:
        """The same, when the case itself is among those counted."""
        for rule, asked in self._crowds:
            if asked in crowds and len(usage.around[asked]) > rule.params["most"]:
                others = quotas.without(asked, self.case, usage)
                yield from using.crowd(rule, asked, self.case, others, self.bench)

    def beside(self) -> Iterator[Broken]:
        """What is broken when the case only stands beside another."""
        return (broken for broken in self._limits() if broken.kind in BESIDE)

    def _limits(self) -> Iterator[Broken]:
        """Kind by kind, in each space the most specific rule."""
        if len(self.terms) == 1:
            for check_one, rule in self.terms[0].checks:
                yield from check_one(rule, self.case, self.case.main, self.bench)
            return
        for kind, check_one in CHECKS.items():
            for terms, place in zip(self.terms, self.case.places, strict=True):
                if found := terms.one.get(kind):
                    yield from check_one(found, self.case, place, self.bench)

    def _limits_of_money(self) -> Iterator[Rule]:
        seen: set[str] = set()
        for terms in self.terms:
            for kind in ("prepaid", "credit_limit"):
                rule = terms.one.get(kind)
                if rule is not None and rule.code not in seen:
                    seen.add(rule.code)
                    yield rule

    def _approvals(self) -> Iterator[str]:
        """Who may approve needs nobody's approval."""
        if not self.case.approver:
            for rule in self.every:
                if rule.kind == "approval" and using.asks_approval(rule, self.case):
                    yield rule.code
