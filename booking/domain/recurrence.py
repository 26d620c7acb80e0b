"""A recurrence rule with its start becomes instants, always in bounded time, or is refused.

Rules that calendar programs read differently are refused, so that nobody's calendar shows another
series than the one that is booked. Where the RFC leaves room (the parts of `_CONTESTED`), a rule
is read twice, by this module as libical does and by python-dateutil, and taken only if both
readings are the same.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from itertools import islice
from zoneinfo import ZoneInfo

from dateutil import rrule as dateutil

from base_ops.core.errors import FieldFault, Invalid
from booking.domain import rrule
from booking.domain.periods import days_of, filled, periods
from booking.domain.rrule import Fault, Freq, Rule, fields_of

ZONE = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Limits:
    """How many instances a series may have, and over how many years."""

    instances: int = 400
    years: int = 6


class RruleContested(Invalid):
    """Calendar programs disagree on what this rule means."""

    code, title_zh, title_en = (
        "rrule_contested",
        "各日历软件对此重复规则理解不一",
        "Calendar programs disagree on this rule",
    )


class RruleEndless(Invalid):
    """No COUNT and no UNTIL."""

    code, title_zh, title_en = "rrule_endless", "重复规则没有结束", "The rule has no end"


class RruleEmpty(Invalid):
    """The rule has no occurrence at all."""

    code, title_zh, title_en = "rrule_empty", "重复规则没有任何日期", "The rule has no date"


class SeriesTooLong(Invalid):
    """More instances, or more years, than one series may have."""

    code, title_zh, title_en = "series_too_long", "系列过长", "The series is too long"


class StartsUnclear(Invalid):
    """The start, or a date to leave out or add, is not one that can be meant."""

    code, title_zh, title_en = "series_dates_invalid", "系列日期有误", "The dates are not valid"


def starts(
    text: str,
    start: datetime,
    *,
    exdates: Iterable[datetime] = (),
    rdates: Iterable[datetime] = (),
    zone: ZoneInfo = ZONE,
    limits: Limits = Limits(),
) -> list[datetime]:
    """The starts of a series in order, each once, as instants in `zone`.

    The start counts only when the rule itself has it, as libical and dateutil read the RFC.

    Args:
        text: the RRULE; may be "" when `rdates` say it all.
        start: DTSTART with a time zone; the rule repeats its wall time in `zone`.
        exdates: instants left out; COUNT counts them all the same.
        rdates: instants added, whatever the rule says.
        zone: whose wall time it is. A time that a clock skips is an hour later, as the RFC says.
        limits: a refusal beyond them.

    Raises:
        rrule.RruleInvalid, RruleContested, RruleEndless, RruleEmpty, SeriesTooLong,
        StartsUnclear.
    """
    added, left_out = set(rdates), set(exdates)
    _check_instants(start, *added, *left_out)
    if start.microsecond:
        raise StartsUnclear(
            start.isoformat(),
            fields=[FieldFault("starts_at", "须为整秒", "must be a whole second")],
        )
    begin = start.astimezone(zone)
    last = _years_later(begin, limits.years)
    first = _years_later(begin, -limits.years)
    if outside := [at for at in added if not first <= at.astimezone(zone) <= last]:
        raise StartsUnclear(
            outside[0].isoformat(),
            fields=[
                FieldFault(
                    "rdates",
                    f"须在首次开始前后 {limits.years} 年内",
                    f"must lie within {limits.years} years of the start",
                )
            ],
        )
    found = ruled(text, start, zone=zone, limits=limits) if text else []
    kept = {at.astimezone(UTC) for at in (*found, *added)} - {
        at.astimezone(UTC) for at in left_out
    }
    if not kept:
        raise RruleEmpty(
            fields=fields_of(Fault("RRULE", "没有剩下的日期", "every date is left out"))
        )
    if len(kept) > limits.instances:
        raise _too_many(limits)
    return [at.astimezone(zone) for at in sorted(kept)]


def ruled(
    text: str,
    start: datetime,
    *,
    zone: ZoneInfo = ZONE,
    limits: Limits = Limits(),
) -> list[datetime]:
    """What the rule alone gives; arguments and refusals as of `starts`."""
    rule = rrule.read(text)
    begin = start.astimezone(zone).replace(tzinfo=None)
    _check_bounds(rule, begin, zone, limits)
    ended = replace(rule, until=_local_until(rule, zone))
    found = list(islice(_expanded(ended, begin, limits), limits.instances + 1))
    if not found:
        raise RruleEmpty(
            text, fields=fields_of(Fault("RRULE", "没有任何日期", "no date keeps to it"))
        )
    if len(found) > limits.instances:
        raise _too_many(limits)
    _check_complete(ended, begin, found, limits)
    _check_agreed(ended, begin, found)
    return [at.replace(tzinfo=zone).astimezone(UTC).astimezone(zone) for at in found]


def _check_instants(*instants: datetime) -> None:
    if any(at.tzinfo is None for at in instants):
        raise ValueError("instants need a time zone")


def _years_later(at: datetime, years: int) -> datetime:
    try:
        return at.replace(year=at.year + years)
    except ValueError:  # the 29th of February
        return at.replace(year=at.year + years, day=28)


def _check_bounds(rule: Rule, begin: datetime, zone: ZoneInfo, limits: Limits) -> None:
    """The end is given, and not before the start.

    Raises:
        RruleEndless, SeriesTooLong, RruleEmpty.
    """
    if rule.count is None and rule.until is None:
        raise RruleEndless(
            fields=fields_of(
                Fault("COUNT", "须有 COUNT 或 UNTIL", "COUNT or UNTIL must say where it ends")
            )
        )
    if rule.count is not None and rule.count > limits.instances:
        raise _too_many(limits)
    until = _local_until(rule, zone)
    if until is None:
        return
    if until.at > _years_later(begin, limits.years):
        raise _too_far(limits, "UNTIL")
    if until.at < begin and not (until.kind == "date" and until.at.date() == begin.date()):
        raise RruleEmpty(fields=fields_of(Fault("UNTIL", "早于首次开始", "is before the start")))


def _local_until(rule: Rule, zone: ZoneInfo) -> rrule.Until | None:
    """UNTIL as wall time."""
    if rule.until is None or rule.until.kind != "utc":
        return rule.until
    local = rule.until.at.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)
    return rrule.Until(local, "utc")


def last_of(rule: Rule, zone: ZoneInfo = ZONE) -> datetime | None:
    """The instant of UNTIL; a date's last second."""
    until = _local_until(rule, zone)
    if until is None:
        return None
    at = until.at.replace(hour=23, minute=59, second=59) if until.kind == "date" else until.at
    return at.replace(tzinfo=zone)


def _expanded(rule: Rule, begin: datetime, limits: Limits) -> Iterator[datetime]:
    """Every occurrence up to the end, COUNT or the last year that is allowed."""
    last = _last(rule, begin, limits)
    count = 0
    for day, clock in _candidates(rule, begin, last):
        at = datetime.combine(day, clock)
        if at < begin:
            continue
        if at > last or count == rule.count:
            return
        count += 1
        yield at


def _last(rule: Rule, begin: datetime, limits: Limits) -> datetime:
    if rule.until is None:
        return _years_later(begin, limits.years)
    if rule.until.kind == "date":
        return datetime.combine(rule.until.at, time.max)
    return rule.until.at


def _candidates(rule: Rule, begin: datetime, last: datetime) -> Iterator[tuple[date, time]]:
    """The sets of the periods one after another, in order; some may lie before the start."""
    clocks = _clocks(rule, begin.time())
    full = filled(rule, begin.date())
    for period in periods(full, begin.date(), last.date()):
        days = days_of(full, period)
        if not rule.positions:
            yield from ((day, clock) for day in days for clock in clocks)
            continue
        size = len(days) * len(clocks)
        chosen = {p - 1 if p > 0 else size + p for p in rule.positions if abs(p) <= size}
        for place in sorted(chosen):
            yield days[place // len(clocks)], clocks[place % len(clocks)]


def _clocks(rule: Rule, start: time) -> list[time]:
    """The times of day; what the rule does not say is the start's."""
    return [
        time(hour, minute, second)
        for hour in rule.hours or (start.hour,)
        for minute in rule.minutes or (start.minute,)
        for second in rule.seconds or (start.second,)
    ]


def _check_complete(rule: Rule, begin: datetime, found: list[datetime], limits: Limits) -> None:
    """A COUNT that the years did not suffice for, and an UNTIL that is not exact.

    Raises:
        SeriesTooLong, RruleContested.
    """
    if rule.count is not None and len(found) < rule.count:
        raise _too_far(limits, "COUNT")
    until = rule.until
    if until is None or until.kind != "date":
        return
    if any(at > until.at for at in found if at.date() == until.at.date()):
        day = f"{until.at:%Y%m%d}"
        raise _contested(
            Fault(
                "UNTIL",
                f"{day} 当天有一次,日历软件对是否包含当天理解不一,请写时间,如 {day}T235959",
                f"programs disagree whether {day} itself still counts: say {day}T235959",
            )
        )


def _check_agreed(rule: Rule, begin: datetime, found: list[datetime]) -> None:
    """Both readings are the same, as far as the parts leave room for another one.

    Raises:
        RruleContested: they are not.
    """
    parts = _contested_parts(rule)
    if not parts:
        return
    if found[0] != begin and (rule.year_days or len(rule.weeks) > 1):
        raise _contested(*(Fault(
            part, "首次开始不符合规则时,日历软件理解不一",
            "programs disagree when the start itself is not one of its dates",
        ) for part in parts))  # fmt: skip
    other = _second_reading(rule, begin, len(found))
    if other == found:
        return
    differing = next((min(a, b) for a, b in zip(found, other) if a != b), found[-1])  # noqa: B905
    raise _contested(*(Fault(
        part, f"自 {differing:%Y-%m-%d} 起日历软件理解不一,请用 BYMONTH、BYMONTHDAY 或 BYDAY 写明",
        f"programs disagree from {differing:%Y-%m-%d} on: use BYMONTH, BYMONTHDAY or BYDAY",
    ) for part in parts))  # fmt: skip


def _contested_parts(rule: Rule) -> list[str]:
    """The parts that programs are known to read differently beside this FREQ."""
    yearly = rule.freq is Freq.YEARLY
    suspects = {
        "BYWEEKNO": bool(rule.weeks),
        "BYYEARDAY": bool(rule.year_days),
        "BYSETPOS": bool(rule.positions) and rule.freq in (Freq.WEEKLY, Freq.YEARLY),
        "BYMONTHDAY": yearly and bool(rule.month_days) and not rule.months,
    }
    return [part for part, suspect in suspects.items() if suspect]


def _second_reading(rule: Rule, begin: datetime, limit: int) -> list[datetime]:
    """The same by python-dateutil, one occurrence more if it finds more.

    The first reading found some date. The calendar repeats every 400 years, so dateutil finds
    its next one, if any, after at most 400 periods of YEARLY, or 20871 of WEEKLY.
    """
    until = _last(rule, begin, Limits()) if rule.until else None
    reading = dateutil.rrule(
        getattr(dateutil, rule.freq),
        dtstart=begin,
        interval=rule.interval,
        count=rule.count,
        until=until,
        wkst=rule.wkst,
        bysetpos=rule.positions or None,
        bymonth=rule.months or None,
        bymonthday=rule.month_days or None,
        byyearday=rule.year_days or None,
        byweekno=rule.weeks or None,
        byweekday=[dateutil.weekday(d.weekday, d.n or None) for d in rule.days] or None,
        byhour=rule.hours or None,
        byminute=rule.minutes or None,
        bysecond=rule.seconds or None,
    )
    ends = rule.count is not None or rule.until is not None
    return list(islice(reading, limit + 1 if ends else limit))


def _contested(*faults: Fault) -> RruleContested:
    parts = [f.part for f in faults]
    return RruleContested(", ".join(parts), fields=fields_of(*faults), parts=parts)


def _too_many(limits: Limits) -> SeriesTooLong:
    most = limits.instances
    return SeriesTooLong(
        f"more than {most} instances",
        fields=fields_of(Fault("COUNT", f"最多 {most} 次", f"at most {most} instances")),
        limit=most,
    )


def _too_far(limits: Limits, part: str) -> SeriesTooLong:
    return SeriesTooLong(
        f"longer than {limits.years} years",
        fields=fields_of(
            Fault(part, f"最长 {limits.years} 年", f"within {limits.years} years of the start")
        ),
        limit_years=limits.years,
    )
