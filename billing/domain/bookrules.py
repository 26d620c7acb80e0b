"""Checks the terms in a price list's document: cancelling, running over, paying late, deposits."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Final

from billing.domain import terms
from billing.domain.bookwords import Row, Words

_RULES = ("cancellation", "no_show", "overtime", "deposit", "late_fee_per_day")
_OVERTIME = ("per_started_min", "grace_min", "multiplier", "if_next_booked", "step_price")
WHERE = "pricing_rules"


def check(words: Words, document: Row) -> None:
    """Note every fault; what is not said is as usual."""
    rules = words.row(document.get(WHERE, {}), WHERE)
    if rules is None:
        return
    before = len(words.faults)
    words.known(rules, WHERE, *_RULES)
    for name, read in _READERS.items():
        if name in rules:
            read(words, rules, f"{WHERE}.{name}")
    if len(words.faults) == before:
        left: list[str] = []
        terms.read(rules, left)
        for text in left:
            words.fault(WHERE, f"条款有误：{text}", text)


def _late(words: Words, rules: Row, where: str) -> None:
    words.share(rules["late_fee_per_day"], where)


def _no_show(words: Words, rules: Row, where: str) -> None:
    row = words.row(rules["no_show"], where)
    if row is not None:
        words.known(row, where, "fee_pct")
        words.percent(row.get("fee_pct"), f"{where}.fee_pct")


def _cancellation(words: Words, rules: Row, _: str) -> None:
    """Tiers from the earliest on; the last one reaches to the start."""
    found: list[tuple[int, bool, int, str]] = []
    for place, row in words.rows(rules, "cancellation"):
        where = f"{WHERE}.{place}"
        words.known(row, where, "hours_before_ge", "hours_before_gt", "fee_pct")
        named = [n for n in ("hours_before_ge", "hours_before_gt") if n in row]
        pct = words.percent(row.get("fee_pct"), f"{where}.fee_pct")
        if len(named) != 1:
            words.fault(where, "须恰有 hours_before_ge 或 hours_before_gt 之一",
                        "either hours_before_ge or hours_before_gt")  # fmt: skip
            continue
        hours = words.whole(row[named[0]], f"{where}.{named[0]}", least=0, most=24 * 366)
        if hours is not None and pct is not None:
            found.append((hours, named[0] == "hours_before_ge", pct, where))
    for early, late in pairwise(found):
        if (early[0], not early[1]) <= (late[0], not late[1]):
            words.fault(late[3], "永远轮不到这一档", "this tier can never count")
        if early[2] > late[2]:
            words.fault(f"{late[3]}.fee_pct", "越晚取消不能越便宜", "later must not be cheaper")
    if found and (found[-1][0], found[-1][1]) != (0, True):
        words.fault(found[-1][3], "最后一档须为 hours_before_ge 0",
                    "the last tier must be hours_before_ge 0")  # fmt: skip


def _overtime(words: Words, rules: Row, where: str) -> None:
    row = words.row(rules["overtime"], where)
    if row is None:
        return
    words.known(row, where, *_OVERTIME)
    words.whole(row.get("per_started_min"), f"{where}.per_started_min", least=1, most=1440)
    if "grace_min" in row:
        words.whole(row["grace_min"], f"{where}.grace_min", least=0, most=1440)
    if ("multiplier" in row) == ("step_price" in row):
        words.fault(
            where, "须恰有 multiplier 或 step_price 之一", "either multiplier or step_price"
        )
    if "step_price" in row:
        words.price(row["step_price"], f"{where}.step_price")
    for name in ("multiplier", "if_next_booked"):
        if name in row:
            words.factor(row[name], f"{where}.{name}", least=Decimal(0))


def _deposit(words: Words, rules: Row, where: str) -> None:
    row = words.row(rules["deposit"], where)
    for name, amount in (row or {}).items():
        if name == "monthly_months":
            words.whole(amount, f"{where}.{name}", least=0, most=36)
        else:
            words.price(amount, f"{where}.{name}"[:120])


_READERS: Final[Mapping[str, Callable[[Words, Row, str], None]]] = {
    "cancellation": _cancellation,
    "overtime": _overtime,
    "late_fee_per_day": _late,
    "no_show": _no_show,
    "deposit": _deposit,
}
