"""Judge one claim by one rule; say in both languages what happened and what would give more."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from math import floor
from typing import Literal

from billing.domain.policylang import conditions, splitting
from billing.domain.policylang.conditions import Shortfall
from billing.domain.policylang.rules import Cap, Rule
from billing.domain.policylang.steps import Meter, TooLong
from billing.domain.policylang.vocabulary import Case, Earlier, Value, derived, plain
from billing.domain.policylang.working import Missing, Work
from billing.domain.texts import Bi

Kind = Literal["applied", "refused", "worked", "cap", "rounded", "budget", "unlock", "identity"]
_PER = {
    "claim": Bi("单次", "one claim"),
    "month": Bi("每月", "a month"),
    "year": Bi("每年", "a year"),
    "tenant": Bi("单户累计", "one tenant, all years"),
    "policy_year": Bi("本项年度总额", "this policy, all tenants, a year"),
    "programme": Bi("整个计划", "the whole programme"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that the evaluation found, and where in the rule."""

    kind: Kind
    path: str
    text: Bi
    amount_fen: int | None = None

    def as_json(self) -> dict[str, object]:
        """The step as the API carries it."""
        return {
            "kind": self.kind,
            "path": self.path,
            "zh": self.text.zh,
            "en": self.text.en,
            "amount_fen": self.amount_fen,
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule gives to a claim, in whole fen >= 0, and every step to it."""

    rule: Rule
    verdict: Literal["applied", "capped", "refused"]
    amount_fen: int
    steps: tuple[Step, ...]
    score: Fraction = Fraction(0)

    @property
    def parts_fen(self) -> tuple[int, ...]:
        """The instalments that it is paid in."""
        return splitting.equal(self.amount_fen, self.rule.instalments)

    @property
    def unlocks(self) -> tuple[Bi, ...]:
        """What would give something, or more."""
        return tuple(step.text for step in self.steps if step.kind == "unlock")

    def limited(self, amount_fen: int, step: Step) -> "Outcome":
        """The same cut to `amount_fen`, which the step explains; nothing left is a refusal."""
        return replace(
            self,
            amount_fen=amount_fen,
            verdict="capped" if amount_fen else "refused",
            steps=(*self.steps, step),
        )


def judge(rule: Rule, case: Case) -> Outcome:
    """What the rule gives to this case.

    A rule that is for bookings gives nothing here: rating applies it to the pieces of a booking.
    """
    if rule.amount is None:
        return _refused(
            rule, "applies_to", Bi("按预订计价时适用", "applies to prices of bookings")
        )
    anchor = _anchor(rule, case)
    facts = derived(case.facts, anchor.started_on if anchor else None)
    steps = _same_as_before(anchor, case)
    try:
        return _judged(rule, case, facts, steps)
    except Missing as exc:
        return _refused(
            rule,
            exc.path,
            Bi(f"未申报{exc.name.zh}", f"{exc.name.en} is not declared"),
            Bi(f"申报{exc.name.zh}", f"declare {exc.name.en}"),
        )
    except TooLong as exc:
        return _refused(rule, exc.path, Bi("计算步数超限", "the evaluation takes too many steps"))


def _refused(
    rule: Rule, path: str, why: Bi, unlock: Bi | None = None, steps: tuple[Step, ...] = ()
) -> Outcome:
    found = [*steps, Step("refused", path, why)]
    if unlock:
        found.append(Step("unlock", path, unlock))
    return Outcome(rule, "refused", 0, tuple(found))


def _anchor(rule: Rule, case: Case) -> Earlier | None:
    """The earliest that the same person or premises had before."""
    if rule.identity is None:
        return None
    same = _same(rule, case)
    return min(same, key=lambda e: (e.started_on, e.key, e.tenant), default=None)


def _same(rule: Rule, case: Case) -> list[Earlier]:
    keys = rule.identity.keys if rule.identity else ()
    return [e for e in case.history if e.key in keys and case.identity.get(e.key) == e.value]


def _same_as_before(anchor: Earlier | None, case: Case) -> list[Step]:
    start = case.facts.get("started_on")
    if anchor is None or not isinstance(start, date) or anchor.started_on >= start:
        return []
    day = anchor.started_on
    text = Bi(
        f"同一主体或场所自{day}起算，更名或转让不重新计年",
        f"counts from {day}, when the same {anchor.key} began: a new name starts no new year",
    )
    return [Step("identity", "identity", text)]


def _judged(rule: Rule, case: Case, facts: Mapping[str, Value], steps: list[Step]) -> Outcome:
    meter = Meter()
    if gone := _once(rule, case):
        return _refused(rule, "identity.once", gone, steps=tuple(steps))
    if short := _short(rule, case, facts, meter):
        return Outcome(rule, "refused", 0, (*steps, *_said(short)))
    if missing := [paper for paper in rule.evidence if paper.key not in case.evidence]:
        zh, en = "、".join(p.name.zh for p in missing), ", ".join(p.name.en for p in missing)
        lacking = Bi(f"缺少材料：{zh}", f"papers are missing: {en}")
        return _refused(rule, "evidence", lacking, Bi(f"提交{zh}", f"hand in {en}"), tuple(steps))
    if rule.approval and not case.approved:
        return _refused(
            rule,
            "approval",
            Bi("尚未通过审批", "not approved yet"),
            Bi("提交申报材料并通过审批", "file the documents and get approval"),
            tuple(steps),
        )
    work = Work(case, facts, rule.types, meter)
    for name, node in rule.named:
        work.names[name] = work.amount(node)
    assert rule.amount is not None
    exact = work.amount(rule.amount)
    steps.append(_worked(exact))
    steps += _hinted(work.hints)
    outcome = Outcome(rule, "applied", _half_up(exact), tuple(steps), _score(rule, facts))
    return _limited(outcome, exact, work)


def _once(rule: Rule, case: Case) -> Bi | None:
    if rule.identity is None or not rule.identity.once:
        return None
    had = [e for e in _same(rule, case) if e.granted_fen > 0]
    if not had:
        return None
    first = min(had, key=lambda e: (e.started_on, e.key, e.tenant))
    return Bi(
        f"同一主体或场所已于{first.started_on}享受过本政策",
        f"the same {first.key} had this policy before, on {first.started_on}",
    )


def _short(
    rule: Rule, case: Case, facts: Mapping[str, Value], meter: Meter
) -> tuple[Shortfall, ...]:
    if rule.when is None:
        return ()
    judged = conditions.judge(rule.when, facts, case.related, meter)
    return () if judged.holds else judged.short


def _said(short: tuple[Shortfall, ...]) -> list[Step]:
    steps = [Step("refused", s.path, s.reason) for s in short]
    return steps + [Step("unlock", s.path, s.unlock) for s in short if s.unlock]


def _hinted(hints: list[Shortfall]) -> list[Step]:
    steps = [Step("worked", h.path, h.reason) for h in hints]
    return steps + [Step("unlock", h.path, h.unlock) for h in hints if h.unlock]


def _score(rule: Rule, facts: Mapping[str, Value]) -> Fraction:
    given = facts.get(rule.quota.by) if rule.quota else None
    return given if isinstance(given, Fraction) else Fraction(0)


def _worked(exact: Fraction) -> Step:
    amount = plain(exact / 100)
    text = Bi(f"按规则计得{amount}元", f"the rule gives CNY {amount}")
    return Step("worked", "benefit", text, _half_up(exact))


def _half_up(exact: Fraction) -> int:
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)


def _limited(outcome: Outcome, exact: Fraction, work: Work) -> Outcome:
    """Caps from the inside out, then the rounding unit, then what is left of the budget."""
    rule, case = outcome.rule, work.case
    for cap in rule.caps:
        left = _left(cap, work)
        if left is not None and exact > left:
            exact = left
            outcome = outcome.limited(_half_up(exact), _capped(cap, left, work))
    if rule.round_down is not None:
        exact = floor(exact / rule.round_down) * rule.round_down
        outcome = _rounded(outcome, exact, rule.round_down)
    whole = _half_up(exact)
    if case.budget_left_fen is not None:
        outcome = _within(replace(outcome, amount_fen=whole), case.budget_left_fen)
    if outcome.amount_fen == 0 and outcome.verdict != "refused":
        nothing = Step("refused", "benefit", Bi("计得金额为零", "there is nothing to give"))
        return outcome.limited(0, nothing)
    if outcome.verdict == "applied":
        text = Bi(f"已适用：{rule.label.zh}", f"applied: {rule.label.en}")
        return replace(
            outcome,
            steps=(*outcome.steps, Step("applied", "benefit", text, outcome.amount_fen)),
        )
    return outcome


def _left(cap: Cap, work: Work) -> Fraction | None:
    """What the cap still holds; None when it is not for this case."""
    if cap.when is not None:
        judged = conditions.judge(cap.when, work.facts, work.case.related, work.meter)
        if not judged.holds:
            return None
    used = 0 if cap.per == "claim" else work.case.used_fen.get(cap.per, 0)
    return max(work.amount(cap.limit) - used, Fraction(0))


def _capped(cap: Cap, left: Fraction, work: Work) -> Step:
    name, used = _PER[cap.per], work.case.used_fen.get(cap.per, 0)
    amount = plain(left / 100)
    if not used or cap.per == "claim":
        text = Bi(f"{name.zh}上限{amount}元", f"limit of {name.en}: CNY {amount}")
    else:
        text = Bi(f"{name.zh}上限仅余{amount}元", f"limit of {name.en}: only CNY {amount} is left")
    return Step("cap", cap.path, text, _half_up(left))


def _rounded(outcome: Outcome, exact: Fraction, unit: Fraction) -> Outcome:
    amount = _half_up(exact)
    if amount == outcome.amount_fen:
        return outcome
    size = plain(unit / 100)
    text = Bi(f"按{size}元取整（舍去尾数）", f"down to full units of CNY {size}")
    step = Step("rounded", "round_down", text, amount)
    return replace(outcome, amount_fen=amount, steps=(*outcome.steps, step))


def _within(outcome: Outcome, left_fen: int) -> Outcome:
    left = plain(Fraction(left_fen, 100))
    if outcome.amount_fen > left_fen:
        text = Bi(f"预算仅余{left}元", f"only CNY {left} of the budget is left")
        return outcome.limited(max(left_fen, 0), Step("budget", "budget", text, left_fen))
    rest = plain(Fraction(left_fen - outcome.amount_fen, 100))
    text = Bi(f"此后预算余额{rest}元", f"CNY {rest} of the budget will be left")
    return replace(
        outcome,
        steps=(*outcome.steps, Step("budget", "budget", text, left_fen - outcome.amount_fen)),
    )
