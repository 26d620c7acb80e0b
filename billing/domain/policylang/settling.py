"""Several rules for one claim, and several claims on one budget; never in order of arrival.

Groups: only the best of one counts. Ceilings cut the later rules first. Budgets: first come, first
served; in proportion; or the best first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import groupby

from billing.domain.policylang.judging import Outcome, Step, judge
from billing.domain.policylang.rules import Rule
from billing.domain.policylang.splitting import pro_rata
from billing.domain.policylang.vocabulary import Case, plain
from billing.domain.texts import Bi


@dataclass(frozen=True, slots=True)
class Filed:
    """One claim on a budget: an amount in fen, when it was filed, and its score."""

    code: str
    amount_fen: int
    filed_at: datetime
    score: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class Share:
    """What a claim gets of a budget, and why not more."""

    code: str
    paid_fen: int
    step: Step


def combine(
    rules: Sequence[Rule], cases: Mapping[str, Case], *, most_fen: int | None = None
) -> tuple[Outcome, ...]:
    """Judge each rule by its case, keep the best of each group, and hold all under a ceiling.

    Args:
        rules: in any order, each code once.
        cases: what is known, by the code of the rule.
        most_fen: together never more than this, such as what was really paid.
    """
    outcomes = [judge(rule, cases[rule.code]) for rule in sorted(rules, key=lambda r: r.key)]
    kept = _best_of_groups(outcomes)
    return tuple(kept) if most_fen is None else _under(kept, most_fen)


def _best_of_groups(outcomes: Sequence[Outcome]) -> list[Outcome]:
    named = sorted(
        (o for o in outcomes if o.rule.group and o.amount_fen), key=lambda o: o.rule.group or ""
    )
    best = {
        group: min(members, key=lambda o: (-o.amount_fen, o.rule.key))
        for group, members in groupby(named, key=lambda o: o.rule.group)
    }
    kept: list[Outcome] = []
    for outcome in outcomes:
        winner = best.get(outcome.rule.group) if outcome.rule.group else None
        if winner is None or winner is outcome or not outcome.amount_fen:
            kept.append(outcome)
            continue
        name = winner.rule.name
        why = Bi(f"同类优惠中{name.zh}更优", f"{name.en} gives more in the same group")
        kept.append(outcome.limited(0, Step("refused", "group", why)))
    return kept


def _under(outcomes: Sequence[Outcome], most_fen: int) -> tuple[Outcome, ...]:
    """Earlier rules keep theirs; the later are cut."""
    found: list[Outcome] = []
    left = max(most_fen, 0)
    for outcome in outcomes:
        if outcome.amount_fen > left:
            text = Bi(
                f"各项合计以{plain(Fraction(most_fen, 100))}元为上限",
                f"together at most CNY {plain(Fraction(most_fen, 100))}",
            )
            outcome = outcome.limited(left, Step("cap", "ceiling", text, left))
        left -= outcome.amount_fen
        found.append(outcome)
    return tuple(found)


def share_out(rule: Rule, filed: Sequence[Filed], left_fen: int) -> tuple[Share, ...]:
    """Divide what is left of a rule's budget among claims; the answer is in order of filing.

    The sum is never above `left_fen`, and nobody gets more than was claimed. A quota comes first.
    """
    queue = sorted(filed, key=lambda f: (f.filed_at, f.code))
    share = rule.budget.share if rule.budget else "first_come"
    placed = _placed(rule, queue)
    inside = [f for f in queue if f.code in placed]
    if share == "pro_rata":
        cut = pro_rata([f.amount_fen for f in inside], left_fen)
        paid = dict(zip((f.code for f in inside), cut, strict=True))
    else:
        order = inside if share == "first_come" else sorted(inside, key=_by_score)
        paid = _in_turn(order, left_fen)
    return tuple(_shared(f, paid.get(f.code), share) for f in queue)


def _by_score(filed: Filed) -> tuple[Fraction, datetime, str]:
    """The best first; of equals the one that was filed first."""
    return (-filed.score, filed.filed_at, filed.code)


def _placed(rule: Rule, queue: Sequence[Filed]) -> set[str]:
    if rule.quota is None:
        return {f.code for f in queue}
    ranked = sorted((f for f in queue if f.amount_fen), key=_by_score)
    return {f.code for f in ranked[: rule.quota.places]}


def _in_turn(order: Sequence[Filed], left_fen: int) -> dict[str, int]:
    paid: dict[str, int] = {}
    left = max(left_fen, 0)
    for one in order:
        paid[one.code] = min(one.amount_fen, left)
        left -= paid[one.code]
    return paid


def _shared(filed: Filed, paid: int | None, share: str) -> Share:
    if paid is None:
        why = Bi("名额已满，名次靠后", "the places went to those ranked before")
        return Share(filed.code, 0, Step("refused", "quota", why, 0))
    if paid == filed.amount_fen:
        return Share(filed.code, paid, Step("applied", "budget", Bi("全额", "in full"), paid))
    why = (
        Bi("申报总额超出预算，按比例核减", "the claims exceed the budget: cut in proportion")
        if share == "pro_rata"
        else Bi("受预算余额限制", "limited by what is left of the budget")
    )
    return Share(filed.code, paid, Step("budget" if paid else "refused", "budget", why, paid))
