"""Quotas: so much per day, week, month or year; so many at once.

A booking is cut at the local midnights where periods meet, and each part counts in its own
period, so a limit of bookings counts it once in each period that it touches. The wish itself
counts. With `between` or `weekdays` only those hours of a period count; a wish outside them is
free. With counting "shared" only bookings of the wish's own spaces count.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo

from base_ops.core.spans import Span
from booking.domain import peaks
from booking.domain.rulebook.facts import (
    Ask,
    Case,
    Crowd,
    Usage,
    counts,
    seconds_within,
)
from booking.domain.rulebook.hours import days_of, local_instant, midnight
from booking.domain.rulebook.params import WEEKDAYS
from booking.domain.rulebook.reading import Rule

PERIODIC = frozenset({"hours_quota", "count_quota"})
CROWDS = frozenset({"concurrent", "venue_concurrent"})
_MOST_ASKS = 4096
_DAY = timedelta(days=1)


def first_day(period: str, day: date, week_starts_on: str) -> date:
    """The first day of the period that `day` lies in."""
    match period:
        case "week":
            return day - timedelta(days=(day.weekday() - WEEKDAYS.index(week_starts_on)) % 7)
        case "month":
            return day.replace(day=1)
        case "year":
            return day.replace(month=1, day=1)
        case _:
            return day


def day_after(period: str, first: date) -> date:
    """The first day of the next period."""
    match period:
        case "week":
            return first + timedelta(days=7)
        case "month":
            return (first.replace(day=28) + timedelta(days=4)).replace(day=1)
        case "year":
            return first.replace(year=first.year + 1)
        case _:
            return first + _DAY


class Periods:
    """The periods of one book: what its quotas ask about is the same for many cases."""

    def __init__(self, zone: tzinfo, week_starts_on: str) -> None:
        self._zone = zone
        self._week_starts_on = week_starts_on
        self._known: dict[tuple[str, date], Ask] = {}

    def days(self, span: Span) -> Iterator[date]:
        """Every local day that the span touches."""
        return days_of(span, self._zone)

    def asks(self, rule: Rule, case: Case, days: Iterable[date]) -> Iterator[Ask]:
        """What must be known to judge one quota: an ask for each period that the wish touches."""
        params = rule.params
        if params[_LIMIT[rule.kind]] is None:
            return
        starts_on = params["week_starts_on"] or self._week_starts_on
        seen: date | None = None
        for day in days:
            first = first_day(params["period"], day, starts_on)
            if first == seen:
                continue
            seen = first
            asked = self._asked(rule, first)
            if any(window.overlaps(case.span) for window in asked.windows):
                yield _of_case(asked, rule, case)

    def _asked(self, rule: Rule, first: date) -> Ask:
        """The question about the period that begins on that day, whoever asks."""
        if (known := self._known.get((rule.code, first))) is not None:
            return known
        if len(self._known) >= _MOST_ASKS:
            self._known.clear()
        found = self._known[rule.code, first] = Ask(
            rule=rule.code,
            label=first.isoformat(),
            windows=_windows(rule, first, day_after(rule.params["period"], first), self._zone),
            spaces=rule.scope.spaces or None,
            types=rule.scope.space_types or None,
            sites=rule.scope.sites or None,
        )
        return found


def _of_case(asked: Ask, rule: Rule, case: Case) -> Ask:
    if rule.params["counting"] != "shared" and rule.params["past_counts"]:
        return asked
    ended_after = None if rule.params["past_counts"] else case.now
    return replace(asked, spaces=_spaces(rule, case), ended_after=ended_after)


_LIMIT = {"hours_quota": "minutes", "count_quota": "most"}


def crowd(rule: Rule, case: Case) -> Crowd | None:
    """What must be known to judge one limit of simultaneous bookings."""
    if rule.params["most"] is None:
        return None
    return Crowd(
        rule=rule.code,
        window=case.span,
        venue=rule.kind == "venue_concurrent",
        spaces=_spaces(rule, case),
        types=rule.scope.space_types or None,
        sites=rule.scope.sites or None,
    )


def _spaces(rule: Rule, case: Case) -> frozenset[str] | None:
    if rule.params["counting"] == "shared":
        return frozenset(place.code for place in case.places if rule.scope.covers(place))
    return rule.scope.spaces or None


def _windows(rule: Rule, first: date, after: date, zone: tzinfo) -> tuple[Span, ...]:
    """The counted parts of the period [first, after)."""
    parts, weekdays = rule.params["between"], rule.params["weekdays"]
    if parts is None and len(weekdays) == len(WEEKDAYS):
        return (Span(midnight(first, zone), midnight(after, zone)),)
    found: list[Span] = []
    for n in range((after - first).days):
        day = first + n * _DAY
        if WEEKDAYS[day.weekday()] in weekdays:
            found += [
                Span(local_instant(day, start, zone), local_instant(day, end, zone))
                for start, end in parts or ((0, 24 * 60),)
            ]
    return tuple(found)


def left_seconds(rule: Rule, ask: Ask, usage: Usage) -> int:
    """How many seconds of the ask's windows the wish may take; negative when used beyond."""
    used = usage.of(ask)
    if rule.kind == "hours_quota":
        return int(rule.params["minutes"]) * 60 - used.seconds
    more = int(rule.params["most"]) - used.count
    return _ALL_OF_IT if more >= 1 else 0


_ALL_OF_IT = 10**12


def exceeds(rule: Rule, ask: Ask, case: Case, usage: Usage) -> bool:
    """Whether the wish and what is used already are more than the quota."""
    return seconds_within(case.span, ask.windows) > left_seconds(rule, ask, usage)


def latest_end(ask: Ask, span: Span, seconds: int) -> datetime:
    """The latest end at which a booking from the span's start takes no more than `seconds`."""
    left = timedelta(seconds=max(seconds, 0))
    for window in ask.windows:
        common = span.intersect(window)
        if common is None:
            continue
        if common.length > left:
            return common.start + left
        left -= common.length
    return span.end


def period_end(ask: Ask) -> datetime:
    """Where the counted time of the period ends."""
    return ask.windows[-1].end


def own_weight(asked: Crowd, case: Case) -> int:
    """How much the wish adds to the crowd: each of its spaces, or itself once."""
    there = sum(counts(asked, place) for place in case.places)
    return there if asked.venue else min(there, 1)


def without(asked: Crowd, case: Case, usage: Usage) -> Usage:
    """The facts about a crowd without the case, which was counted among the others."""
    others = list(usage.around[asked])
    for _ in range(own_weight(asked, case)):
        others.remove(case.span)
    return replace(usage, around={asked: tuple(others)})


def crowd_levels(asked: Crowd, usage: Usage) -> list[tuple[datetime, int]]:
    """How many are there, from which instant on, within the wish."""
    return list(peaks.levels(asked.window, ((span, 1) for span in usage.around[asked])))


def free_part(asked: Crowd, usage: Usage, *, room: int) -> tuple[datetime, datetime] | None:
    """The first part of the window in which at most `room` others are there; None: nowhere."""
    start: datetime | None = None
    for instant, level in crowd_levels(asked, usage):
        if level <= room and start is None:
            start = instant
        elif level > room and start is not None:
            return start, instant
    return None if start is None else (start, asked.window.end.astimezone(UTC))
