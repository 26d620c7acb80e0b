"""Months by the calendar: the 31st exists in seven of them."""

from calendar import monthrange
from datetime import date


def add_months(day: date, months: int) -> date:
    """The same day of another month, or the last one of a shorter month.

    So 31 January + 1 month is 28 or 29 February. Adding twice may differ from adding the sum:
    count every date of a series from its first day.
    """
    year, index = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, index + 1, min(day.day, monthrange(year, index + 1)[1]))


def first_of(day: date) -> date:
    """The first day of the month of `day`."""
    return day.replace(day=1)


def months_of(first: date, last: date) -> list[date]:
    """The first day of each month from that of `first` to that of `last`, both included."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return [add_months(first_of(first), n) for n in range(max(count, 0))]
