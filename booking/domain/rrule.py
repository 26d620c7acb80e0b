"""The grammar of a recurrence rule (RFC 5545, 3.3.10): its text becomes a Rule, or faults."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal

from base_ops.core.errors import FieldFault, Invalid

MAX_TEXT = 500
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_UNTIL = re.compile(r"([0-9]{8})(T[0-9]{6}(Z?))?")
_DAY = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_NUMBER = re.compile(r"[+-]?[0-9]{1,4}")
_COUNTING = re.compile(r"[0-9]{1,6}")


class Freq(StrEnum):
    """How long one period of a rule is."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


@dataclass(frozen=True, slots=True)
class Bounds:
    """The numbers a part may list; with `signed` also their negatives, which count backwards."""

    first: int
    last: int
    signed: bool = False

    def allow(self, number: int) -> bool:
        """Whether the number is one of them."""
        if self.signed:
            return self.first <= abs(number) <= self.last
        return self.first <= number <= self.last


# The second 60 is left out: hardly any calendar knows leap seconds.
NUMBERS: Mapping[str, Bounds] = {
    "BYSECOND": Bounds(0, 59),
    "BYMINUTE": Bounds(0, 59),
    "BYHOUR": Bounds(0, 23),
    "BYMONTH": Bounds(1, 12),
    "BYMONTHDAY": Bounds(1, 31, signed=True),
    "BYYEARDAY": Bounds(1, 366, signed=True),
    "BYWEEKNO": Bounds(1, 53, signed=True),
    "BYSETPOS": Bounds(1, 366, signed=True),
}
# The RFC's table of what a part means per FREQ, where it says "N/A".
_NEEDS: Mapping[str, frozenset[Freq]] = {
    "BYMONTHDAY": frozenset({Freq.DAILY, Freq.MONTHLY, Freq.YEARLY}),
    "BYYEARDAY": frozenset({Freq.YEARLY}),
    "BYWEEKNO": frozenset({Freq.YEARLY}),
}
_KNOWN = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", *NUMBERS})


@dataclass(frozen=True, slots=True)
class Nth:
    """A weekday (0 is Monday): each of the period, or with `n` the n-th, from the end if < 0."""

    weekday: int
    n: int = 0


@dataclass(frozen=True, slots=True)
class Until:
    """The last instant that may be an occurrence, as it was written."""

    at: datetime
    kind: Literal["utc", "local", "date"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that keeps to the grammar; lists are sorted and without duplicates."""

    freq: Freq
    interval: int = 1
    count: int | None = None
    until: Until | None = None
    wkst: int = 0
    days: tuple[Nth, ...] = ()
    seconds: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    hours: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    year_days: tuple[int, ...] = ()
    weeks: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()


class RruleInvalid(Invalid):
    """Not a rule of RFC 5545, or of a frequency that rooms are not booked by."""

    code, title_zh, title_en = "rrule_invalid", "重复规则有误", "Not a valid recurrence rule"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one part."""

    part: str
    zh: str
    en: str


def fields_of(*faults: Fault) -> list[FieldFault]:
    """The faults as fields of an answer: all of them lie in the rule's text."""
    return [FieldFault("rrule", f"{f.part}:{f.zh}", f"{f.part}: {f.en}") for f in faults]


def read(text: str) -> Rule:
    """The rule that the text means.

    Raises:
        RruleInvalid: names every part at fault, and why.
    """
    if len(text) > MAX_TEXT:
        _refuse([Fault("RRULE", f"最长 {MAX_TEXT} 字符", f"at most {MAX_TEXT} characters")])
    parts, faults = _split(text)
    faults += list(_faults(parts))
    if faults:
        _refuse(faults)
    rule = _rule(parts)
    if unfit := list(_unfit(rule, parts)):
        _refuse(unfit)
    return rule


def ended(text: str, last: datetime) -> str:
    """The same rule with its last possible instant, instead of what ended it."""
    return ";".join([*_but_end(text), f"UNTIL={last.astimezone(UTC):%Y%m%dT%H%M%SZ}"])


def continued(text: str, *, after: int) -> str:
    """The same rule for what is left when `after` of its instances are taken off its start."""
    count = read(text).count
    if count is None:
        return text
    return ";".join([*_but_end(text), f"COUNT={count - after}"])


def turned(text: str, days: int) -> str:
    """A weekly rule with its weekdays so many days later; any other rule as it is."""
    rule = read(text)
    if rule.freq is not Freq.WEEKLY or not rule.days or not days % 7:
        return text
    names = ",".join(DAYS[d] for d in sorted((day.weekday + days) % 7 for day in rule.days))
    return ";".join(
        f"BYDAY={names}" if part.upper().startswith("BYDAY=") else part
        for part in text.split(";")
    )  # fmt: skip


def _but_end(text: str) -> list[str]:
    return [p for p in text.split(";") if not p.upper().startswith(("COUNT=", "UNTIL="))]


def _refuse(faults: list[Fault]) -> None:
    parts = sorted({f.part for f in faults})
    raise RruleInvalid(", ".join(parts), fields=fields_of(*faults), parts=parts)


def _split(text: str) -> tuple[dict[str, str], list[Fault]]:
    parts: dict[str, str] = {}
    faults: list[Fault] = []
    for piece in text.strip().upper().removeprefix("RRULE:").split(";"):
        name, _, value = piece.partition("=")
        shown = name[:20] or "RRULE"
        if name not in _KNOWN:
            faults.append(Fault(shown, "不支持的部分", "not a part that is supported"))
        elif name in parts:
            faults.append(Fault(shown, "重复出现", "given twice"))
        else:
            parts[name] = value
    return parts, faults


def _faults(parts: Mapping[str, str]) -> Iterator[Fault]:
    """What is wrong with single values."""
    yield from _freq_faults(parts.get("FREQ"))
    for name in ("INTERVAL", "COUNT"):
        if name in parts and not _counts(parts[name]):
            yield Fault(name, "须为正整数", "must be a whole number from 1")
    yield from _end_faults(parts)
    if "WKST" in parts and parts["WKST"] not in DAYS:
        yield Fault("WKST", "须为 MO 至 SU", "must be MO to SU")
    if "BYDAY" in parts and not all(map(_is_day, parts["BYDAY"].split(","))):
        yield Fault("BYDAY", "须为如 MO 或 -1FR 的列表", "must list days such as MO or -1FR")
    for name, bounds in NUMBERS.items():
        if name in parts and not all(_in(n, bounds) for n in parts[name].split(",")):
            yield _out_of(name, bounds)


def _end_faults(parts: Mapping[str, str]) -> Iterator[Fault]:
    if "COUNT" in parts and "UNTIL" in parts:
        yield Fault("COUNT", "不可与 UNTIL 同时使用", "not together with UNTIL")
    if "UNTIL" in parts and _until(parts["UNTIL"]) is None:
        yield Fault(
            "UNTIL", "须为日期或时间,如 20261231T155959Z",
            "must be a date or an instant such as 20261231T155959Z",
        )  # fmt: skip


def _freq_faults(value: str | None) -> Iterator[Fault]:
    if value in ("HOURLY", "MINUTELY", "SECONDLY"):
        yield Fault(
            "FREQ", "不支持一天多次的频率,请用 DAILY 加 BYHOUR",
            "more than once a day is not booked this way: use DAILY with BYHOUR",
        )  # fmt: skip
    elif value is None or value not in list(Freq):
        yield Fault(
            "FREQ", "须为 DAILY、WEEKLY、MONTHLY 或 YEARLY",
            "must be DAILY, WEEKLY, MONTHLY or YEARLY",
        )  # fmt: skip


def _out_of(name: str, bounds: Bounds) -> Fault:
    either = f"{bounds.first}..{bounds.last}"
    if bounds.signed:
        either += f", -{bounds.last}..-{bounds.first}"
    return Fault(name, f"须为 {either} 的列表", f"must list numbers in {either}")


def _counts(text: str) -> bool:
    return bool(_COUNTING.fullmatch(text)) and int(text) > 0


def _in(text: str, bounds: Bounds) -> bool:
    return bool(_NUMBER.fullmatch(text)) and bounds.allow(int(text))


def _is_day(text: str) -> bool:
    found = _DAY.fullmatch(text)
    return found is not None and (found[1] is None or 1 <= abs(int(found[1])) <= 53)


def _until(text: str) -> Until | None:
    if (found := _UNTIL.fullmatch(text)) is None:
        return None
    try:
        at = datetime.strptime(found[1] + (found[2] or "T000000")[:7], "%Y%m%dT%H%M%S")  # noqa: DTZ007
    except ValueError:
        return None
    if found[2] is None:
        return Until(at, "date")
    return Until(at, "utc" if found[3] else "local")


def _rule(parts: Mapping[str, str]) -> Rule:
    def numbers(name: str) -> tuple[int, ...]:
        return tuple(sorted({int(n) for n in parts[name].split(",")})) if name in parts else ()

    return Rule(
        freq=Freq(parts["FREQ"]),
        interval=int(parts.get("INTERVAL", "1")),
        count=int(parts["COUNT"]) if "COUNT" in parts else None,
        until=_until(parts["UNTIL"]) if "UNTIL" in parts else None,
        wkst=DAYS.index(parts.get("WKST", "MO")),
        days=_days(parts["BYDAY"]) if "BYDAY" in parts else (),
        seconds=numbers("BYSECOND"),
        minutes=numbers("BYMINUTE"),
        hours=numbers("BYHOUR"),
        months=numbers("BYMONTH"),
        month_days=numbers("BYMONTHDAY"),
        year_days=numbers("BYYEARDAY"),
        weeks=numbers("BYWEEKNO"),
        positions=numbers("BYSETPOS"),
    )


def _days(text: str) -> tuple[Nth, ...]:
    found = {
        Nth(DAYS.index(match[2]), int(match[1] or 0))
        for match in map(_DAY.fullmatch, text.split(","))
        if match is not None
    }
    return tuple(sorted(found, key=lambda day: (day.weekday, day.n)))


def _unfit(rule: Rule, parts: Mapping[str, str]) -> Iterator[Fault]:
    """Parts that mean nothing beside the others; the RFC forbids them."""
    for name, allowed in _NEEDS.items():
        if name in parts and rule.freq not in allowed:
            yield Fault(name, f"不可用于 FREQ={rule.freq}", f"means nothing with FREQ={rule.freq}")
    if any(day.n for day in rule.days):
        if rule.freq not in (Freq.MONTHLY, Freq.YEARLY):
            yield Fault(
                "BYDAY", "序号只用于 MONTHLY 和 YEARLY", "numbered only with MONTHLY and YEARLY"
            )
        elif rule.weeks:
            yield Fault("BYDAY", "序号不可与 BYWEEKNO 同用", "not numbered beside BYWEEKNO")
    if rule.positions and not any(p for p in parts if p.startswith("BY") and p != "BYSETPOS"):
        yield Fault("BYSETPOS", "须与另一 BY 部分同用", "needs another BY part beside it")
