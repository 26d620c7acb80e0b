"""A series cut in two has the same dates as before; shifted, all of them so much later."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from base_ops.core.errors import DomainError
from booking.domain import splitting
from booking.domain.splitting import Terms

ZONE = ZoneInfo("Asia/Shanghai")
HOUR = timedelta(hours=1)
TUESDAY = datetime(2026, 9, 15, 9, tzinfo=ZONE)
RULES = [
    "FREQ=DAILY;INTERVAL=3;COUNT=12",
    "FREQ=WEEKLY;COUNT=9;INTERVAL=2;BYDAY=TU,FR;WKST=SU",
    "FREQ=WEEKLY;UNTIL=20261231;BYDAY=MO",
    "FREQ=MONTHLY;COUNT=8;BYDAY=-1FR",
    "FREQ=MONTHLY;COUNT=6;BYMONTHDAY=31",
    "FREQ=MONTHLY;UNTIL=20270701T000000Z;INTERVAL=2",
    "FREQ=YEARLY;COUNT=4",
    "FREQ=YEARLY;COUNT=6;BYMONTH=3,9;BYDAY=2TU",
    "FREQ=YEARLY;COUNT=5;BYWEEKNO=38;BYDAY=TU",
]


def test_the_first_part_ends_by_its_rule_and_the_second_counts_what_is_left() -> None:
    terms = Terms("FREQ=WEEKLY;COUNT=5", TUESDAY)

    head, tail = splitting.cut(terms, TUESDAY + timedelta(weeks=2))

    assert head == Terms("FREQ=WEEKLY;UNTIL=20260929T005959Z", TUESDAY, [], [])
    assert tail == Terms("FREQ=WEEKLY;COUNT=3", TUESDAY + timedelta(weeks=2), [], [])


@pytest.mark.parametrize("text", RULES)
@settings(max_examples=40)
@given(
    cut=st.integers(-5, 1500),
    out=st.sets(st.integers(0, 11), max_size=3),
    more=st.sets(st.integers(0, 1000), max_size=3),
)
def test_both_parts_together_are_the_whole(
    text: str, cut: int, out: set[int], more: set[int]
) -> None:
    ruled = Terms(text, TUESDAY).starts()
    exdates = [ruled[n] for n in out if n < len(ruled)]
    terms = Terms(text, TUESDAY, exdates, [TUESDAY + n * 24 * HOUR + HOUR for n in more])
    at = TUESDAY + timedelta(days=cut)
    assume(len(exdates) < len(ruled) or more)

    head, tail = splitting.cut(terms, at)

    whole = terms.starts()
    assert starts(head) == [s for s in whole if s < at]
    assert starts(tail) == [s for s in whole if s >= at]


def starts(part: Terms | None) -> list[datetime]:
    """The dates of a part; leaving out its last date leaves it without any."""
    if part is None:
        return []
    try:
        return part.starts()
    except DomainError as refused:
        assert refused.code == "rrule_empty"  # noqa: PT017 - all its dates are left out
        return []


@pytest.mark.parametrize("text", RULES)
@settings(max_examples=40)
@given(minutes=st.integers(-3 * 1440, 3 * 1440).map(lambda n: n * 15))
def test_shifted_every_date_is_so_much_later(text: str, minutes: int) -> None:
    terms = Terms(text, TUESDAY, rdates=[TUESDAY + HOUR])
    by = timedelta(minutes=minutes)

    moved = splitting.shifted(terms, by)

    assert moved.starts() == [s + by for s in terms.starts()]


def test_a_weekly_rule_turns_its_weekdays_along() -> None:
    terms = Terms("FREQ=WEEKLY;BYDAY=TU,SU;COUNT=4", TUESDAY)

    moved = splitting.shifted(terms, timedelta(days=1))

    assert moved.rrule == "FREQ=WEEKLY;BYDAY=MO,WE;COUNT=4"
    assert moved.start.date() == date(2026, 9, 16)


def test_what_no_rule_says_becomes_dates() -> None:
    terms = Terms("FREQ=MONTHLY;BYDAY=-1TU;COUNT=3", TUESDAY)

    moved = splitting.shifted(terms, timedelta(days=1))

    assert moved.rrule == ""
    assert len(moved.rdates) == 3
