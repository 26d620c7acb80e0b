"""The days that a rule chooses in each of its periods: a day, a week, a month or a year."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from booking.domain.rrule import Freq, Nth, Rule

DAY = timedelta(days=1)
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Period:
    """Some days on end, [first, end); for BYWEEKNO the year of weeks, which begins on a week."""

    first: date
    end: date

    def days(self) -> Iterator[date]:
        """Each day of it."""
        return (self.first + n * DAY for n in range((self.end - self.first).days))


def periods(rule: Rule, start: date, last: date) -> Iterator[Period]:
    """Every INTERVAL-th period of a filled rule, from that of `start` to that of `last`."""
    for first, end in _stepped(rule, start):
        if first > last:
            return
        yield Period(first, end)


def _stepped(rule: Rule, start: date) -> Iterator[tuple[date, date]]:
    match rule.freq:
        case Freq.DAILY:
            return _fixed(start, rule.interval, DAY)
        case Freq.WEEKLY:
            return _fixed(week_start(start, rule.wkst), rule.interval, WEEK)
        case Freq.MONTHLY:
            return _months(start, rule.interval)
        case Freq.YEARLY:
            return _years(rule, start)


def _fixed(first: date, interval: int, length: timedelta) -> Iterator[tuple[date, date]]:
    while (date.max - first) > max(length, interval * length):
        yield first, first + length
        first += interval * length


def _months(start: date, interval: int) -> Iterator[tuple[date, date]]:
    month = start.year * 12 + start.month - 1
    while month < date.max.year * 12:
        yield _first_of(month), _first_of(month + 1)
        month += interval


def _first_of(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)


def _years(rule: Rule, start: date) -> Iterator[tuple[date, date]]:
    year = _week_year(rule, start) if rule.weeks else start.year
    while year < date.max.year - 1:
        if rule.weeks:
            yield first_week(year, rule.wkst), first_week(year + 1, rule.wkst)
        else:
            yield date(year, 1, 1), date(year + 1, 1, 1)
        year += rule.interval


def _week_year(rule: Rule, start: date) -> int:
    """The year of weeks with the start; a start outside the rule counts by calendar."""
    near = (start.year + 1, start.year, start.year - 1)
    year = next(y for y in near if first_week(y, rule.wkst) <= start)
    own = Period(first_week(year, rule.wkst), first_week(year + 1, rule.wkst))
    return year if rule.interval == 1 or start in days_of(rule, own) else start.year


def week_start(day: date, wkst: int) -> date:
    """The first day of the week that has the day."""
    return day - (day.weekday() - wkst) % 7 * DAY


def first_week(year: int, wkst: int) -> date:
    """Where week 1 begins: the first week with at least four days in the year."""
    return week_start(date(year, 1, 4), wkst)


def days_of(rule: Rule, period: Period) -> list[date]:
    """The days of the period that every part of a rule, `filled` before, allows; in order."""
    numbered = _numbered(rule, period)
    return [day for day in _listed(rule, period) if _allows(rule, day, period, numbered)]


def _listed(rule: Rule, period: Period) -> Iterator[date]:
    """The days to look at: those of the months only, where the rule names some."""
    if rule.freq is Freq.MONTHLY and rule.months and period.first.month not in rule.months:
        return iter(())
    if rule.freq is not Freq.YEARLY or rule.weeks or not rule.months:
        return period.days()
    year = period.first.year
    return (
        day
        for month in rule.months
        for day in Period(
            date(year, month, 1), _first_of(year * 12 + month)
        ).days()
    )  # fmt: skip


def filled(rule: Rule, start: date) -> Rule:
    """The rule with what it leaves open taken from the start: weekday, day of the month, month."""
    if rule.freq is Freq.YEARLY:
        return _filled_year(rule, start)
    if rule.freq is Freq.WEEKLY and not rule.days:
        return replace(rule, days=(Nth(start.weekday()),))
    if rule.freq is Freq.MONTHLY and not (rule.days or rule.month_days):
        return replace(rule, month_days=(start.day,))
    return rule


def _filled_year(rule: Rule, start: date) -> Rule:
    chosen = bool(rule.days or rule.month_days or rule.year_days)
    if rule.weeks:
        return rule if chosen else replace(rule, days=(Nth(start.weekday()),))
    if rule.month_days and not rule.months and not rule.year_days:
        return replace(rule, months=(start.month,))
    if chosen:
        return rule
    return replace(rule, month_days=(start.day,), months=rule.months or (start.month,))


def _allows(rule: Rule, day: date, period: Period, numbered: frozenset[date]) -> bool:
    if rule.months and day.month not in rule.months:
        return False
    if rule.month_days and not _counted(
        rule.month_days, day.day, (_first_of(day.year * 12 + day.month) - day).days
    ):
        return False
    if rule.year_days:
        place = day.timetuple().tm_yday
        if not _counted(rule.year_days, place, (date(day.year + 1, 1, 1) - day).days):
            return False
    if rule.weeks:
        week = (day - period.first).days // 7
        if not _counted(rule.weeks, week + 1, (period.end - period.first).days // 7 - week):
            return False
    if not rule.days:
        return True
    return day in numbered or Nth(day.weekday()) in rule.days


def _counted(wanted: tuple[int, ...], place: int, from_end: int) -> bool:
    """Whether a list names the place, counted from the start or (as -1 …) from the end."""
    return place in wanted or -from_end in wanted


def _numbered(rule: Rule, period: Period) -> frozenset[date]:
    """The days of 2MO, -1FR …: within each month, or the year where no month is named."""
    wanted = [day for day in rule.days if day.n]
    if not wanted:
        return frozenset()
    within = [period]
    if rule.freq is Freq.YEARLY and rule.months:
        year = period.first.year * 12
        within = [Period(_first_of(year + m - 1), _first_of(year + m)) for m in rule.months]
    found = (_nth(day, span) for day in wanted for span in within)
    return frozenset(day for day in found if day is not None)


def _nth(day: Nth, span: Period) -> date | None:
    if day.n > 0:
        first = span.first + (day.weekday - span.first.weekday()) % 7 * DAY
        found = first + (day.n - 1) * WEEK
    else:
        final = span.end - DAY
        last = final - (final.weekday() - day.weekday) % 7 * DAY
        found = last + (day.n + 1) * WEEK
    return found if span.first <= found < span.end else None
