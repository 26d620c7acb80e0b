"""How a space is sold to somebody: what the rules ask of any time, whatever is taken.

Search offers what keeps these rules, so that what it offers can be booked. The judge's own checks
(`judging`) have the last word; they look at the same parameters.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from math import ceil, floor
from typing import Any

from base_ops.core.spans import Span
from booking.domain import starting
from booking.domain.rulebook import hours
from booking.domain.rulebook.facts import Place
from booking.domain.rulebook.judging import latest_instant, own
from booking.domain.rulebook.params import Hours
from booking.domain.rulebook.reading import Rule
from booking.domain.starting import Run

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Sale:
    """The rules that meet in one space and renter, as far as they are about time alone.

    Args:
        zone: whose days the rules mean.
        step_min: starts and ends lie on a grid of so many minutes from midnight.
        min_min: the shortest length.
        max_min: the longest length; None: any.
        max_days: how many calendar days a time may touch; None: any.
        notice: how long before its start a time must be booked.
        hours: when the space is open; None: always.
        horizon: the advance window, if there is one.
    """

    zone: tzinfo
    step_min: int
    min_min: int
    max_min: int | None = None
    max_days: int | None = None
    notice: timedelta = timedelta(0)
    hours: Hours | None = None
    horizon: Rule | None = None

    @property
    def any_start(self) -> bool:
        """Whether every start is as good as any other within notice and horizon."""
        return self.hours is None and self.max_days is None

    def length(self, wished_min: int) -> int | None:
        """The length in minutes that is sold to who wishes this one; None if it is too long."""
        sold = -(-max(wished_min, self.min_min) // self.step_min) * self.step_min
        return None if self.max_min is not None and sold > self.max_min else sold

    def sells(self, length: timedelta) -> bool:
        """Whether a time of exactly this length is sold."""
        minutes = ceil(length.total_seconds() / 60)
        return self.length(minutes) == minutes

    def latest(self, length: timedelta, *, now: datetime) -> datetime | None:
        """The last instant at which a time of this length may start; None: any."""
        if self.horizon is None:
            return None
        last = latest_instant(self.horizon, now=now, zone=self.zone)
        if last is None:
            return None
        if self.horizon.params["measured_at"] == "end":
            return last - length
        is_open = self.horizon.params["count"] == "calendar"
        return last - timedelta(microseconds=1) if is_open else last

    def starts(self, window: Span, length: timedelta) -> list[Run]:
        """Where a time of this length that begins in the window may start, in order."""
        reach = window.widened(before=timedelta(0), after=length)
        opened = [reach]
        if self.hours is not None:
            opened = hours.open_spans(self.hours, reach, self.zone)
        found = [_run(o.start, o.end - length) for o in opened if o.length >= length]
        if self.max_days is None:
            return found
        return starting.within(found, list(self._by_day(window, length, self.max_days)))

    def _by_day(self, window: Span, length: timedelta, most: int) -> Iterator[Run]:
        """The starts of each day from which a time ends within as many days as it may touch."""
        second = timedelta(seconds=1)
        for day in hours.days_of(window, self.zone):
            first = hours.midnight(day, self.zone)
            end = hours.midnight(day + timedelta(days=most), self.zone) - length
            if first <= end:
                yield _run(first, min(end, hours.midnight(day + _DAY, self.zone) - second))

    def is_open(self, span: Span) -> bool:
        """Whether the space is open for the whole of a time."""
        return self.hours is None or hours.is_open(self.hours, span, self.zone)

    def stands(self, span: Span) -> bool:
        """Whether a time that began elsewhere may go on here: its grid is not asked for."""
        return self.min_min * _MINUTE <= span.length and self.is_open(span)


def sale(place: Place, one: Mapping[str, Rule], zone: tzinfo) -> Sale:
    """What these rules, one of each kind, say; the space's own figures where they say nothing."""

    def param(kind: str, name: str) -> Any:
        return one[kind].params[name] if kind in one else None

    step = own(param("step", "minutes"), place.slot_min) or place.slot_min
    shortest = place.min_min
    if "min_length" in one:
        shortest = own(param("min_length", "minutes"), place.min_min) or 0
    return Sale(
        zone=zone,
        step_min=step,
        min_min=shortest,
        max_min=param("max_length", "minutes"),
        max_days=param("max_days", "days"),
        notice=timedelta(minutes=param("min_notice", "minutes") or 0),
        hours=_hours(one),
        horizon=one.get("horizon"),
    )


def _hours(one: Mapping[str, Rule]) -> Hours | None:
    if "opening_hours" not in one:
        return None
    params = one["opening_hours"].params
    found = Hours(params["week"], params["dates"])
    return None if found.always else found


def _run(first: datetime, latest: datetime) -> Run:
    """In whole seconds, inwards."""
    return Run(ceil(first.timestamp()), floor(latest.timestamp()))
