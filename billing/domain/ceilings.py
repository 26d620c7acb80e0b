"""Ceilings on the sum of discounts. A ceiling that bites replaces the lines it cuts by one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from billing.domain.discounts import Taken, limited
from billing.domain.policies import Policy
from billing.domain.rooms import Piece
from billing.domain.texts import Bi, percent_text


@dataclass(frozen=True, slots=True)
class Entry:
    """One discount line to be, `amount_fen` > 0."""

    policy: Policy
    label: Bi
    amount_fen: int
    payer: str


@dataclass(frozen=True, slots=True)
class Capped:
    """Discount lines, what each policy finally gives, and the ceilings that bit."""

    entries: tuple[Entry, ...]
    final: tuple[Taken, ...]
    biting: tuple[Policy, ...]


def apply(taken: Sequence[Taken], ceilings: Sequence[Policy], pieces: Sequence[Piece]) -> Capped:
    """Cut the discounts to the ceilings, in the ceilings' order."""
    if not taken:
        return Capped((), (), ())
    final = list(taken)
    cut_by: dict[int, Policy] = {}
    labels: dict[str, Bi] = {}
    for ceiling in sorted(ceilings, key=lambda p: (p.order, p.code)):
        for i, piece in enumerate(pieces):
            mine = [t for t in final if not _exempt(ceiling, t) and t.per_piece[i]]
            limit = _limit(ceiling, final, piece, i)
            if not _covers(ceiling, piece) or sum(t.per_piece[i] for t in mine) <= limit:
                continue
            labels.setdefault(ceiling.code, _label(ceiling, mine[0]))
            cut_by[i] = ceiling
            kept = dict(
                zip(_codes(mine), limited([t.per_piece[i] for t in mine], limit), strict=True)
            )
            final = [_cut(t, i, kept.get(t.policy.code), ceiling) for t in final]
    return Capped(
        entries=_entries(final, cut_by, labels),
        final=tuple(final),
        biting=tuple({c.code: c for c in cut_by.values()}.values()),
    )


def _codes(taken: Sequence[Taken]) -> list[str]:
    return [t.policy.code for t in taken]


def _covers(ceiling: Policy, piece: Piece) -> bool:
    """Whether the ceiling speaks of that piece."""
    if ceiling.bands is not None and piece.band.code not in ceiling.bands:
        return False
    if ceiling.eligibility.get("surge") and piece.surge <= 1:
        return False
    return bool(ceiling.eligibility.get("band", piece.band.code) == piece.band.code)


def _exempt(ceiling: Policy, taken: Taken) -> bool:
    return taken.policy.group in ceiling.except_groups


def _limit(ceiling: Policy, taken: Sequence[Taken], piece: Piece, i: int) -> int:
    """Fen that may be taken off piece i beside the exempt groups; half up."""
    base = piece.list_fen - sum(t.per_piece[i] for t in taken if _exempt(ceiling, t))
    return (2 * base * (ceiling.ceiling_bp or 0) + 10_000) // 20_000


def _cut(taken: Taken, i: int, kept: int | None, ceiling: Policy) -> Taken:
    """The policy with its amount on piece i reduced to `kept`; earlier policies keep theirs."""
    if kept is None or kept == taken.per_piece[i]:
        return taken
    amounts = (*taken.per_piece[:i], kept, *taken.per_piece[i + 1 :])
    pct = percent_text(ceiling.ceiling_bp or 0)
    why = Bi(f"受{ceiling.label_zh}{pct}%限制", f"limited by the {ceiling.label_en} of {pct} %")
    return replace(taken, per_piece=amounts, capped=why)


def _label(ceiling: Policy, first: Taken) -> Bi:
    """E.g. 珠宝试点30%受大促上限20%限制."""
    pct = percent_text(ceiling.ceiling_bp or 0)
    return Bi(
        f"{first.label.zh}受{ceiling.label_zh}{pct}%限制",
        f"{first.label.en}, limited by the {ceiling.label_en} of {pct} %",
    )


def _entries(
    final: Sequence[Taken], cut_by: dict[int, Policy], labels: dict[str, Bi]
) -> tuple[Entry, ...]:
    """One line per policy for what no ceiling cut; for the rest one per ceiling and payer."""
    entries: list[Entry] = []
    under: dict[tuple[str, str], int] = {}
    for taken in final:
        own = 0
        for i, amount in enumerate(taken.per_piece):
            ceiling = cut_by.get(i)
            if ceiling is None or _exempt(ceiling, taken):
                own += amount
            else:
                key = ceiling.code, taken.policy.payer
                under[key] = under.get(key, 0) + amount
        entries.append(Entry(taken.policy, taken.label, own, taken.policy.payer))
    ceilings = {c.code: c for c in cut_by.values()}
    entries += [Entry(ceilings[c], labels[c], n, payer) for (c, payer), n in under.items()]
    return tuple(e for e in entries if e.amount_fen)
