"""Opening hours: which instants are open, and when a length next fits."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo

from base_ops.core.spans import Span, merged
from booking.domain.rulebook.params import DAY_MIN, Hours

AHEAD = timedelta(days=14)
_DAY = timedelta(days=1)


def midnight(day: date, zone: tzinfo) -> datetime:
    """The first instant of a local day, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def local_instant(day: date, minutes: int, zone: tzinfo) -> datetime:
    """The instant at which the local clock shows so many minutes after the day's midnight."""
    wall = datetime(day.year, day.month, day.day) + timedelta(minutes=minutes)  # noqa: DTZ001
    return wall.replace(tzinfo=zone).astimezone(UTC)


def days_of(span: Span, zone: tzinfo) -> Iterator[date]:
    """Every local day that the span touches."""
    day = span.start.astimezone(zone).date()
    last = (span.end - timedelta(microseconds=1)).astimezone(zone).date()
    while day <= last:
        yield day
        day += _DAY


def open_spans(hours: Hours, window: Span, zone: tzinfo) -> list[Span]:
    """The open time around `window`, as few spans as possible; openings may pass midnight."""
    found: list[Span] = []
    for day in days_of(window.widened(before=_DAY, after=_DAY), zone):
        openings = hours.dates.get(day, hours.week[day.weekday()])
        for start, end in openings:
            found.append(Span(local_instant(day, start, zone), local_instant(day, end, zone)))
    return merged(found)


def of_day(hours: Hours | None, day: date) -> list[tuple[int, int]]:
    """When the clock of a local day finds the place open, in minutes; None: it is always open.

    What opened on the day before and passes midnight belongs to it too.
    """
    if hours is None:
        return [(0, DAY_MIN)]
    before, today = (
        hours.dates.get(each, hours.week[each.weekday()]) for each in (day - _DAY, day)
    )
    openings = [(0, end - DAY_MIN) for _, end in before if end > DAY_MIN]
    openings += [(start, min(end, DAY_MIN)) for start, end in today]
    found: list[tuple[int, int]] = []
    for start, end in sorted(openings):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def is_open(hours: Hours, span: Span, zone: tzinfo) -> bool:
    """Whether every instant of the span is open."""
    return hours.always or any(o.encloses(span) for o in open_spans(hours, span, zone))


def next_fit(hours: Hours, span: Span, zone: tzinfo) -> datetime | None:
    """The first start from the span's on at which its length fits, within two weeks."""
    ahead = Span(span.start, span.end + AHEAD)
    for opening in open_spans(hours, ahead, zone):
        start = max(opening.start, span.start)
        if start + span.length <= opening.end and start <= span.start + AHEAD:
            return start
    return None


def longest(hours: Hours) -> timedelta:
    """The longest open stretch of an ordinary fortnight, at most two weeks."""
    monday = date(2024, 1, 1)
    plain = Hours(hours.week, {})
    window = Span(midnight(monday, UTC), midnight(monday + AHEAD, UTC))
    return max(span.length for span in open_spans(plain, window, UTC))
