"""Read an untrusted JSON document: every fault has a path and a reason, and sizes are bound."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any, Final

from billing.domain.texts import Bi

MOST_DEPTH: Final = 24
MOST_VALUES: Final = 2_000
MOST_TEXT: Final = 400
MOST_FAULTS: Final = 50
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,6})?", re.ASCII)
_CODE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Fault:
    """A place in a document and why it cannot be used."""

    path: str
    reason: Bi


class Refused(ValueError):
    """The document is not a policy; `faults` says where and why."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{f.path}: {f.reason.en}" for f in self.faults))


@dataclass(slots=True)
class Notes:
    """The faults found so far in one document."""

    faults: list[Fault] = field(default_factory=list)

    def fault(self, path: str, zh: str, en: str) -> None:
        """Note one fault; after many, more help nobody."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(path or "policy", Bi(zh, en)))

    def check(self) -> None:
        """Go on only without faults.

        Raises:
            Refused: there are some.
        """
        if self.faults:
            raise Refused(self.faults)


def measure(document: object) -> None:
    """Bound the document before anything looks into it, without recursion.

    Raises:
        Refused: it is too deep or too big, or has a value that JSON does not.
    """
    notes, seen = Notes(), 0
    rest: list[tuple[str, object, int]] = [("", document, 0)]
    while rest:
        path, value, depth = rest.pop()
        seen += 1
        if seen > MOST_VALUES:
            notes.fault(path, f"内容超过{MOST_VALUES}项", f"more than {MOST_VALUES} values")
            break
        if depth > MOST_DEPTH:
            notes.fault(
                path, f"嵌套超过{MOST_DEPTH}层", f"nested more than {MOST_DEPTH} levels deep"
            )
            break
        if isinstance(value, Mapping):
            rest += [(f"{path}.{str(k)[:64]}".lstrip("."), v, depth + 1) for k, v in value.items()]
            for key in value:
                _plain(path, key, notes)
        elif isinstance(value, list):
            rest += [(f"{path}[{i}]", v, depth + 1) for i, v in enumerate(value)]
        else:
            _plain(path, value, notes)
    notes.check()


def _plain(path: str, value: object, notes: Notes) -> None:
    if isinstance(value, float):
        notes.fault(
            path,
            '数字请写成文本,例如"0.5"',
            'write a number with places as text, such as "0.5"',
        )
    elif isinstance(value, str) and (len(value) > MOST_TEXT or "\0" in value):
        notes.fault(path, f"文本超过{MOST_TEXT}字", f"text longer than {MOST_TEXT} characters")
    elif (
        isinstance(value, str)
        and not value.isprintable()
        and any(0xD800 <= ord(letter) < 0xE000 for letter in value)
    ):
        notes.fault(path, "文本含无效字符", "text with a character that does not exist")
    elif not isinstance(value, str | int | bool | None):
        notes.fault(path, "不支持的值", "not a JSON value")


def mapping(value: object, path: str, notes: Notes) -> Mapping[str, Any]:
    """The object; anything else is a fault."""
    if isinstance(value, Mapping):
        return value
    notes.fault(path, "应为对象", "must be an object")
    return {}


def listing(
    value: object, path: str, notes: Notes, *, least: int = 1, most: int = 50
) -> list[Any]:
    """The list, of a sensible length; anything else is a fault."""
    if isinstance(value, list) and least <= len(value) <= most:
        return value
    notes.fault(path, f"应为{least}至{most}项的列表", f"must be a list of {least} to {most}")
    return []


def known(data: Mapping[str, Any], keys: Iterable[str], path: str, notes: Notes) -> None:
    """Note every key outside the language."""
    allowed = sorted(keys)
    for key in sorted(set(map(str, data)) - set(allowed)):
        notes.fault(
            f"{path}.{key}".lstrip("."),
            f"未知的词“{key}”:本语言没有循环、调用或代码,可用:{'、'.join(allowed)}",
            f"unknown term {key!r}: the language has no loops, calls or code; "
            f"known: {', '.join(allowed)}",
        )


def number(value: object, path: str, notes: Notes, *, least: int | None = None) -> Fraction:
    """An exact number of at most 15 digits and 6 places; whole ones may be bare."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _NUMBER.fullmatch(text):
        notes.fault(path, "应为数字(最多15位整数、6位小数)", "must be a number")
        return Fraction(0)
    found = Fraction(text)
    if least is not None and found < least:
        notes.fault(path, f"不得小于{least}", f"must not be below {least}")
        return Fraction(0)
    return found


def divisor(value: object, path: str, notes: Notes) -> Fraction:
    """A number that something is divided by: written down, and above zero."""
    if isinstance(value, Mapping):
        notes.fault(
            path,
            "除数必须是写明的数字:事实可能为零",
            "a divisor must be a number written down: a fact could be zero",
        )
        return Fraction(1)
    before = len(notes.faults)
    found = number(value, path, notes)
    if found <= 0 and len(notes.faults) == before:
        notes.fault(path, "除数必须大于零", "must be above zero: a rule cannot divide by zero")
    return max(found, Fraction(1, 10**6))


def fen(value: object, path: str, notes: Notes) -> Fraction:
    """Fen of an amount in yuan, not negative."""
    return number(value, path, notes, least=0) * 100


def share(value: object, path: str, notes: Notes, *, most: int = 100) -> Fraction:
    """A percentage as a share."""
    found = number(value, path, notes, least=0)
    if found > most:
        notes.fault(path, f"百分比不得超过{most}", f"must not be above {most} percent")
        return Fraction(0)
    return found / 100


def code(value: object, path: str, notes: Notes) -> str:
    """A short name of letters, digits, dots, dashes and underscores."""
    if isinstance(value, str) and _CODE.fullmatch(value):
        return value
    notes.fault(path, "应为代码(字母、数字、._-)", "must be a code of letters, digits and ._-")
    return ""


def codes(value: object, path: str, notes: Notes) -> tuple[str, ...]:
    """Codes in their own order, each once."""
    rows = listing(value, path, notes)
    found = tuple(code(row, f"{path}[{i}]", notes) for i, row in enumerate(rows))
    if len(set(found)) != len(found):
        notes.fault(path, "有重复项", "says something twice")
    return found


def text(value: object, path: str, notes: Notes, *, most: int = 120) -> str:
    """Words that people read."""
    if isinstance(value, str) and len(value.strip()) > 0 and len(value) <= most:
        return value
    notes.fault(path, f"应为1至{most}字的文本", f"must be a text of 1 to {most} characters")
    return ""


def whole(value: object, path: str, notes: Notes, *, least: int = 0, most: int = 10_000) -> int:
    """A bare whole number."""
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
        return value
    notes.fault(
        path, f"应为{least}至{most}的整数", f"must be a whole number from {least} to {most}"
    )
    return least


def flag(value: object, path: str, notes: Notes) -> bool:
    """True or false."""
    if isinstance(value, bool):
        return value
    notes.fault(path, "应为 true 或 false", "must be true or false")
    return False


def day(value: object, path: str, notes: Notes) -> date:
    """A calendar day, YYYY-MM-DD."""
    try:
        if isinstance(value, str) and len(value) == 10:
            return date.fromisoformat(value)
    except ValueError:
        pass
    notes.fault(path, "应为日期 YYYY-MM-DD", "must be a day as YYYY-MM-DD")
    return date(2000, 1, 1)


def one_of(value: object, choices: Iterable[str], path: str, notes: Notes) -> str:
    """One word of a closed set."""
    allowed = tuple(choices)
    if isinstance(value, str) and value in allowed:
        return value
    notes.fault(path, f"应为{'、'.join(allowed)}之一", f"must be one of {', '.join(allowed)}")
    return allowed[0]
