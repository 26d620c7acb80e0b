"""Whose money is it, and for what? Suggestions with a score of 100 and the reasons for it."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from billing.domain.allocating import Open, Part, spread

NUMBER, AMOUNT, ALL_OPEN, PAYER, PAYER_PART, CODE = 60, 25, 20, 30, 15, 20
CERTAIN: Final = 85
"""From here on only one reading makes sense: a document's number, and the payer or the amount."""
MOST: Final = 5
_NAMED = 4  # shorter names are found everywhere


@dataclass(frozen=True, slots=True)
class Money:
    """What came in, as the bank tells it."""

    amount_fen: int
    payer: str
    text: str


@dataclass(frozen=True, slots=True)
class Debtor:
    """A tenant with open documents."""

    code: str
    names: tuple[str, ...]
    uscc: str
    items: tuple[Open, ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a suggestion is made, in both languages, and what it counts."""

    points: int
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Whose payment it may be, and for which documents."""

    tenant: str
    score: int
    reasons: tuple[Reason, ...]
    parts: tuple[Part, ...]
    rest_fen: int


def suggest(money: Money, debtors: Iterable[Debtor]) -> list[Suggestion]:
    """The best readings first; the order of the debtors does not matter."""
    found = [s for debtor in debtors if (s := _reading(money, debtor)) is not None]
    return sorted(found, key=lambda s: (-s.score, s.tenant))[:MOST]


def _reading(money: Money, debtor: Debtor) -> Suggestion | None:
    text = f"{money.text} {money.payer}"
    named = [item for item in debtor.items if _mentions(text, item.number)]
    reasons = [
        *_by_number(named),
        *_by_amount(money.amount_fen, debtor.items, named),
        *_by_payer(plain(money.payer), text, debtor),
    ]
    if not reasons:
        return None
    parts, rest = _parts(money.amount_fen, debtor.items, named)
    score = min(sum(r.points for r in reasons), 100)
    return Suggestion(debtor.code, score, tuple(reasons), tuple(parts), rest)


def _parts(amount: int, items: Sequence[Open], named: Sequence[Open]) -> tuple[list[Part], int]:
    """What is named first, then a document of exactly the amount, then the oldest."""
    exact = [item for item in items if item.open_fen == amount][:1]
    chosen = list(named) or exact
    parts, rest = spread(amount, chosen)
    more, rest = spread(rest, [item for item in items if item not in chosen])
    return [*parts, *more], rest


def _by_number(named: Sequence[Open]) -> list[Reason]:
    if not named:
        return []
    numbers = "、".join(item.number for item in named[:3])
    return [Reason(NUMBER, f"附言含账单号 {numbers}", f"the text names {numbers}")]


def _by_amount(amount: int, items: Sequence[Open], named: Sequence[Open]) -> list[Reason]:
    if named and sum(item.open_fen for item in named) == amount:
        return [Reason(AMOUNT, "金额等于所列账单未付额", "the amount is what those ask for")]
    if any(item.open_fen == amount for item in items):
        return [
            Reason(AMOUNT, "金额等于一张账单未付额", "the amount is what one document asks for")
        ]
    if items and sum(item.open_fen for item in items) == amount:
        return [Reason(ALL_OPEN, "金额等于全部未付额", "the amount is all that is open")]
    return []


def _by_payer(payer: str, text: str, debtor: Debtor) -> list[Reason]:
    names = [name for n in debtor.names if len(name := plain(n)) >= _NAMED]
    if payer and payer in names:
        return [Reason(PAYER, "付款人与租户名称一致", "the payer has the tenant's name")]
    if debtor.uscc and plain(debtor.uscc) in plain(text):
        return [Reason(PAYER, "含统一社会信用代码", "it has the tenant's credit code")]
    if any(name in plain(text) for name in names):
        return [Reason(PAYER_PART, "含租户名称", "it mentions the tenant's name")]
    if _mentions(text, debtor.code):
        return [Reason(CODE, "含租户编号", "it mentions the tenant's code")]
    return []


def plain(text: str) -> str:
    """Without width, case, gaps and brackets."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[\s()（）·・.,，。]", "", folded)


def _mentions(text: str, word: str) -> bool:
    """Whether the word stands there by itself, not as a part of a longer number or word."""
    folded, wanted = (unicodedata.normalize("NFKC", t).casefold() for t in (text, word))
    return bool(re.search(rf"(?<![a-z]){re.escape(wanted)}(?![0-9])", folded))


def certain(suggestions: Sequence[Suggestion]) -> Suggestion | None:
    """The one that needs nobody's eyes, if there is one."""
    if not suggestions or suggestions[0].score < CERTAIN:
        return None
    rivals = [s for s in suggestions[1:] if s.score >= CERTAIN]
    return None if rivals else suggestions[0]


def due_first(items: Iterable[tuple[str, date, int]]) -> tuple[Open, ...]:
    """Open documents from rows of (number, due day, open amount)."""
    return tuple(Open(*row) for row in sorted(items, key=lambda row: (row[1], row[0])))
