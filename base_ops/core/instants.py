"""Instants that callers may name: with a time zone, and in the life of the base."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime

FIRST = datetime(2000, 1, 1, tzinfo=UTC)
END = datetime(2101, 1, 1, tzinfo=UTC)


def _in_our_time(instant: datetime) -> datetime:
    """The same instant; far from both ends of the calendar, so that sums with it never overflow.

    Raises:
        ValueError: it is outside the years 2000 to 2100.
    """
    if not FIRST <= instant < END:
        raise ValueError("must be in the years 2000 to 2100")
    return instant


Instant = Annotated[AwareDatetime, AfterValidator(_in_our_time)]
