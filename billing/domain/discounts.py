"""What each policy takes off, in the one order in which they stack.

Each percentage applies to what the earlier steps left; of a group only the best counts; volume
never together with pilot; ceilings last. Source: pricing_rules.stacking of the demo data.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from math import lcm

from billing.domain.eligibility import Refusal, more_hours, refusal
from billing.domain.policies import Policy
from billing.domain.rooms import Piece
from billing.domain.situation import Situation
from billing.domain.texts import Bi, hours_text, percent_text
from billing.domain.words import BANDS, listed

NEVER_WITH = {"volume": "pilot"}
DISCOUNTS = frozenset(["free_hours", "discount_pct", "tier_pct"])


@dataclass(frozen=True, slots=True)
class Taken:
    """What one policy takes off each piece, in fen >= 0, and the half-hours it used."""

    policy: Policy
    label: Bi
    per_piece: tuple[int, ...]
    half_hours: int = 0
    capped: Bi | None = None

    @property
    def total_fen(self) -> int:
        """Sum over the pieces."""
        return sum(self.per_piece)


@dataclass(frozen=True, slots=True)
class Stacked:
    """The outcome of all policies over one booking."""

    taken: tuple[Taken, ...]
    refused: tuple[tuple[Policy, Refusal], ...]


def stack(pieces: Sequence[Piece], policies: Sequence[Policy], situation: Situation) -> Stacked:
    """Apply the discounts to the pieces; ceilings are not yet in.

    Args:
        pieces: room time at list price.
        policies: those in force, in any order.
        situation: facts about tenant and wish.
    """
    left = [p.list_fen for p in pieces]
    taken: list[Taken] = []
    refused: list[tuple[Policy, Refusal]] = []
    for group, members in _steps(tuple(policies)):
        if why := _excluded(group, taken):
            refused += [(policy, why) for policy in members]
            continue
        offers: list[Taken] = []
        for policy in members:
            offer = _offer(policy, pieces, left, situation)
            if isinstance(offer, Taken):
                offers.append(offer)
            else:
                refused.append((policy, offer))
        if not offers:
            continue
        best = min(offers, key=lambda o: (-o.total_fen, o.policy.order, o.policy.code))
        taken.append(best)
        left = [rest - off for rest, off in zip(left, best.per_piece, strict=True)]
        refused += [(o.policy, _outdone(best.policy)) for o in offers if o is not best]
    return Stacked(tuple(taken), tuple(refused))


@lru_cache(maxsize=64)
def _steps(policies: tuple[Policy, ...]) -> list[tuple[str, list[Policy]]]:
    """Groups in the order of their first policy; a policy without a group is its own."""
    mine = [p for p in policies if p.kind in DISCOUNTS]
    first: dict[str, tuple[int, str]] = {}
    for policy in mine:
        name = policy.group or policy.code
        first[name] = min(
            first.get(name, (policy.order, policy.code)), (policy.order, policy.code)
        )
    ordered = sorted(mine, key=lambda p: (first[p.group or p.code], p.order, p.code))
    groups = groupby(ordered, key=lambda p: p.group or p.code)
    return [(name, list(members)) for name, members in groups]


def _excluded(group: str, taken: Sequence[Taken]) -> Refusal | None:
    """Why a whole group is out, because of what applied before."""
    rival = next((t for t in taken if t.policy.group == NEVER_WITH.get(group, "-")), None)
    if rival is None:
        return None
    name = rival.policy
    return Refusal(
        Bi(f"已享{name.name_zh}，两类优惠不可同享", f"not together with {name.name_en}"),
    )


@lru_cache(maxsize=1024)
def _outdone(best: Policy) -> Refusal:
    return Refusal(
        Bi(f"同类优惠中{best.name_zh}更优", f"{best.name_en} saves more in the same group")
    )


def _offer(
    policy: Policy, pieces: Sequence[Piece], left: Sequence[int], situation: Situation
) -> Taken | Refusal:
    """What the policy would take off now, or why nothing."""
    if why := refusal(policy, situation):
        return why
    rate = _rate(policy, situation)
    if isinstance(rate, Refusal):
        return rate
    covered = [p.half_hours if _covers(policy, p) else 0 for p in pieces]
    if not any(covered):
        return _no_such_time(policy)
    allowed = _hours_left(policy, situation)
    if allowed is not None and allowed <= 0:
        return Refusal(Bi("本期时数已用完", "the hours of this period are used up"))
    granted = _first(covered, allowed)
    per_piece = _shares(pieces, left, granted, rate)
    if not sum(per_piece):
        return Refusal(Bi("已无可优惠金额", "nothing left to take off"))
    capped = None
    if sum(granted) < sum(covered):
        hours = hours_text(sum(granted))
        capped = Bi(f"本期仅余{hours}小时", f"only {hours} h left in this period")
    offer = Taken(policy, _label(policy, rate, sum(granted)), per_piece, sum(granted), capped)
    return _within_budget(offer, situation.budget_left_fen)


def _rate(policy: Policy, situation: Situation) -> int | Refusal:
    """Basis points off."""
    if policy.kind == "free_hours":
        return 10_000
    if policy.kind == "discount_pct" and policy.pct_bp is not None:
        return policy.pct_bp
    if policy.kind == "tier_pct":
        reached = [bp for floor, bp in policy.tiers if situation.month_half_hours >= floor]
        if reached:
            return max(reached)
        floor = policy.tiers[0][0]
        hours = hours_text(floor)
        return Refusal(
            Bi(f"本月用量不足{hours}小时", f"less than {hours} h used this month"),
            more_hours(floor - situation.month_half_hours),
        )
    return Refusal(Bi("不适用于按小时预订", "not for hourly bookings"))


def _covers(policy: Policy, piece: Piece) -> bool:
    """Whether the policy speaks of that piece of time."""
    if policy.bands is not None and piece.band.code not in policy.bands:
        return False
    if policy.eligibility.get("band", piece.band.code) != piece.band.code:
        return False
    return not policy.eligibility.get("surge") or piece.surge > 1


@lru_cache(maxsize=1024)
def _no_such_time(policy: Policy) -> Refusal:
    bands = policy.bands or {str(policy.eligibility.get("band", ""))}
    names = listed(bands, BANDS)
    return Refusal(
        Bi(f"仅限{names.zh}", f"only in {names.en} hours"),
        Bi(f"改在{names.zh}使用", f"book {names.en} hours"),
    )


def _hours_left(policy: Policy, situation: Situation) -> int | None:
    """Half-hours the policy still gives this tenant; None means without limit."""
    used_month = situation.used_month.get(policy.code, 0)
    limits = [
        limit - used_month
        for limit in (policy.free_half_hours_month, policy.cap_half_hours_month)
        if limit is not None
    ]
    if policy.cap_half_hours_total is not None:
        limits.append(policy.cap_half_hours_total - situation.used_total.get(policy.code, 0))
    return min(limits, default=None)


def _first(covered: Sequence[int], allowed: int | None) -> list[int]:
    """The covered half-hours in order of time, up to what is allowed."""
    if allowed is None:
        return list(covered)
    granted: list[int] = []
    for half_hours in covered:
        granted.append(min(half_hours, allowed))
        allowed -= granted[-1]
    return granted


def _shares(
    pieces: Sequence[Piece], left: Sequence[int], granted: Sequence[int], rate_bp: int
) -> tuple[int, ...]:
    """Split the discount over the pieces so that their sum is rounded once, half up."""
    base = lcm(*(p.half_hours for p in pieces)) * 10_000
    shares: list[int] = []
    exact = before = 0
    for piece, rest, half_hours in zip(pieces, left, granted, strict=True):
        exact += rest * rate_bp * half_hours * (base // 10_000 // piece.half_hours)
        rounded = (2 * exact + base) // (2 * base)
        shares.append(rounded - before)
        before = rounded
    return tuple(shares)


def _within_budget(offer: Taken, budgets: Mapping[str, int]) -> Taken | Refusal:
    """Cut the offer to what the year's budget still holds: first come, first served."""
    left = budgets.get(offer.policy.code)
    if left is None or offer.total_fen <= left:
        return offer
    if left <= 0:
        return Refusal(Bi("本年度预算已用完", "this year's budget is used up"))
    reason = Bi("受年度预算余额限制", "limited by what is left of this year's budget")
    return replace(offer, per_piece=limited(offer.per_piece, left), capped=reason)


def limited(per_piece: Sequence[int], total: int) -> tuple[int, ...]:
    """The first `total` fen of the amounts, in order."""
    result: list[int] = []
    for amount in per_piece:
        result.append(min(amount, total))
        total -= result[-1]
    return tuple(result)


def _label(policy: Policy, rate_bp: int, half_hours: int) -> Bi:
    """What the line says."""
    if policy.kind == "free_hours":
        hours = hours_text(half_hours)
        return Bi(f"{policy.label_zh}{hours}小时", f"{policy.label_en}, {hours} h")
    pct = percent_text(rate_bp)
    return Bi(f"{policy.label_zh}{pct}%", f"{policy.label_en} {pct} %")
