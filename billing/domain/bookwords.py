"""Reads the words of a price list's document; notes each fault by field, in two languages."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from base_ops.core.errors import FieldFault

DAY_MIN: Final = 24 * 60
MOST_ROWS: Final = 300
MOST_YUAN: Final = Decimal(10**9)
CODE: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
_TIME: Final = re.compile(r"(\d\d):([0-5]\d)")
Row = Mapping[str, Any]


class Words:
    """A list of faults, and how to read what is written."""

    def __init__(self) -> None:
        self.faults: list[FieldFault] = []

    def fault(self, where: str, zh: str, en: str) -> None:
        """Note one fault."""
        self.faults.append(FieldFault(where, zh, en))

    def row(self, value: object, where: str) -> Row | None:
        """An object."""
        if isinstance(value, dict):
            return value
        self.fault(where, "须为对象", "must be an object")
        return None

    def rows(self, document: Row, part: str, *, needed: bool = True) -> list[tuple[str, Row]]:
        """The objects of a list, each with its path."""
        value = document.get(part)
        if value is None and not needed:
            return []
        if not isinstance(value, list) or (needed and not value):
            self.fault(part, "缺少内容，须为非空列表", "a list with at least one entry is missing")
            return []
        if len(value) > MOST_ROWS:
            self.fault(part, f"至多 {MOST_ROWS} 项", f"at most {MOST_ROWS} entries")
            return []
        found = [(f"{part}.{n}", self.row(entry, f"{part}.{n}")) for n, entry in enumerate(value)]
        return [(where, entry) for where, entry in found if entry is not None]

    def known(self, row: Row, where: str, *names: str) -> None:
        """No words but these."""
        for name in sorted(set(row) - set(names)):
            self.fault(f"{where}.{name}"[:120], "未知字段", "unknown field")

    def code(self, row: Row, where: str, seen: set[str]) -> str | None:
        """A code that nobody else of its list has."""
        value = row.get("code")
        if not isinstance(value, str) or not CODE.fullmatch(value):
            self.fault(f"{where}.code", "代码须为 1 至 32 个字母、数字、_ 或 -",
                       "a code of 1 to 32 letters, digits, _ or -")  # fmt: skip
            return None
        if value in seen:
            self.fault(f"{where}.code", f"代码 {value} 重复", f"code {value} is given twice")
        seen.add(value)
        return value

    def text(self, row: Row, name: str, where: str, *, most: int, least: int = 1) -> str | None:
        """Words for people."""
        value = row.get(name)
        if value is None and least == 0:
            return ""
        if isinstance(value, str) and least <= len(value.strip()) and len(value) <= most:
            return value
        self.fault(
            f"{where}.{name}", f"须为 {least} 至 {most} 个字", f"{least} to {most} characters"
        )
        return None

    def number(self, value: object, where: str) -> Decimal | None:
        """A finite number, written as text."""
        try:
            found = Decimal(value) if isinstance(value, str) and len(value) < 40 else None
        except InvalidOperation:
            found = None
        if found is None or not found.is_finite() or abs(found.adjusted()) > 15:
            self.fault(where, '须为文本形式的数字，如 "60.00"', 'a number as text, like "60.00"')
            return None
        return found

    def price(self, value: object, where: str) -> Decimal | None:
        """An amount in yuan, not finer than a fen."""
        found = self.number(value, where)
        if found is None:
            return None
        if found < 0:
            self.fault(where, "价格不能为负", "a price cannot be negative")
            return None
        if found > MOST_YUAN or found * 100 != int(found * 100):
            self.fault(where, "须精确到分且不超过十亿元", "whole fen, up to 1,000,000,000 yuan")
            return None
        return found

    def factor(self, value: object, where: str, *, least: Decimal) -> Decimal | None:
        """A multiplier with two places."""
        found = self.number(value, where)
        if found is not None and not (least <= found < 1000 and found * 100 == int(found * 100)):
            self.fault(where, f"须为 {least} 至 999.99，最多两位小数",
                       f"from {least} to 999.99, at most two decimals")  # fmt: skip
            return None
        return found

    def share(self, value: object, where: str) -> Decimal | None:
        """From 0 to below 1, with four places."""
        found = self.number(value, where)
        if found is not None and not (0 <= found < 1 and found * 10**4 == int(found * 10**4)):
            self.fault(
                where, "须为 0 至 1 之间的小数，最多四位", "from 0 to below 1, four decimals"
            )
            return None
        return found

    def percent(self, value: object, where: str) -> int | None:
        """A whole percentage, written as text."""
        found = self.number(value, where)
        if found is not None and not (0 <= found <= 100 and found == int(found)):
            self.fault(where, "须为 0 至 100 的整数百分比", "a whole percentage from 0 to 100")
            return None
        return None if found is None else int(found)

    def whole(self, value: object, where: str, *, least: int, most: int) -> int | None:
        """A whole number."""
        if type(value) is int and least <= value <= most:
            return value
        self.fault(where, f"须为 {least} 至 {most} 的整数", f"a whole number, {least} to {most}")
        return None

    def time(self, value: object, where: str) -> int | None:
        """Minutes after midnight of "HH:MM"; "24:00" ends a day."""
        match = _TIME.fullmatch(value) if isinstance(value, str) else None
        minute = int(match[1]) * 60 + int(match[2]) if match else DAY_MIN + 1
        if minute > DAY_MIN:
            self.fault(where, "须为 00:00 至 24:00 的时刻", "a time from 00:00 to 24:00")
            return None
        return minute

    def month_day(self, value: object, where: str) -> str | None:
        """A day of any year, "MM-DD"."""
        if self._reads(lambda: date.fromisoformat(f"2024-{value}"), value, 5):
            return str(value)
        self.fault(where, "须为 MM-DD 形式的日期", 'a day of the year, "MM-DD"')
        return None

    def day(self, value: object, where: str) -> date | None:
        """A day."""
        if isinstance(value, str) and self._reads(lambda: date.fromisoformat(value), value, 10):
            return date.fromisoformat(value)
        self.fault(where, "须为 YYYY-MM-DD 形式的日期", 'a day, "YYYY-MM-DD"')
        return None

    def names(self, value: object, where: str, known: set[str], zh: str, en: str) -> set[str]:
        """A list of names out of those that are known, each once."""
        if not isinstance(value, list) or not value or not all(isinstance(v, str) for v in value):
            self.fault(where, f"须列出至少一个{zh}", f"name at least one {en}")
            return set()
        for name in sorted({v[:40] for v in value} - known):
            self.fault(where, f"未知的{zh} {name}", f"unknown {en} {name}")
        if len(set(value)) < len(value):
            self.fault(where, f"{zh}重复", f"a {en} is given twice")
        return set(value) & known

    @staticmethod
    def _reads(read: Callable[[], object], value: object, length: int) -> bool:
        if not isinstance(value, str) or len(value) != length:
            return False
        try:
            read()
        except ValueError:
            return False
        return True
