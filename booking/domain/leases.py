"""The life of a lease: its states in one table, its terms by the calendar, its notice."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from base_ops.core.errors import Conflict
from base_ops.core.months import add_months
from base_ops.core.spans import Span

ZONE = ZoneInfo("Asia/Shanghai")
LONGEST_MONTHS = 120
TELL_AHEAD = timedelta(days=60)


class LeaseStatus(StrEnum):
    """Where a lease stands. Only a signed or noticed one takes its space."""

    DRAFT = "draft"
    SIGNED = "signed"
    NOTICED = "noticed"
    ENDED = "ended"
    WITHDRAWN = "withdrawn"


Status = LeaseStatus  # its name in here; the API's description has bookings' too


class Deed(StrEnum):
    """What can be done to a lease; renewing makes another one and leaves this as it is."""

    SIGN = "sign"
    TERMINATE = "terminate"
    WITHDRAW = "withdraw"
    END = "end"


TABLE: dict[tuple[Status, Deed], Status] = {
    (Status.DRAFT, Deed.SIGN): Status.SIGNED,
    (Status.DRAFT, Deed.WITHDRAW): Status.WITHDRAWN,
    (Status.SIGNED, Deed.WITHDRAW): Status.WITHDRAWN,
    (Status.SIGNED, Deed.TERMINATE): Status.NOTICED,
    (Status.NOTICED, Deed.TERMINATE): Status.NOTICED,  # an earlier end still
    (Status.SIGNED, Deed.END): Status.ENDED,
    (Status.NOTICED, Deed.END): Status.ENDED,
}

IN_FORCE = (Status.SIGNED, Status.NOTICED)
BILLED = (*IN_FORCE, Status.ENDED)


class WrongLeaseState(Conflict):
    """The lease is not where this deed starts from."""

    code, title_zh, title_en = (
        "wrong_lease_state",
        "长租当前状态不允许此操作",
        "The lease's state does not allow this",
    )


def after(status: str, deed: Deed) -> Status:
    """The status that `deed` leads to.

    Raises:
        WrongLeaseState: no such transition; names the deeds that would be possible.
    """
    if (target := TABLE.get((Status(status), deed))) is None:
        raise WrongLeaseState(
            f"cannot {deed} a lease that is {status}",
            lease_status=str(status),
            deed=str(deed),
            possible=[str(d) for d in possible(status)],
        )
    return target


def possible(status: str) -> list[Deed]:
    """The deeds that start from `status`."""
    return [deed for (source, deed) in TABLE if source == status]


def midnight(day: date) -> datetime:
    """The instant at which a day begins in the base."""
    return datetime(day.year, day.month, day.day, tzinfo=ZONE)


def block(starts_on: date, ends_on: date) -> Span:
    """The instants of [starts_on, ends_on)."""
    return Span(midnight(starts_on), midnight(ends_on))


def today(now: datetime) -> date:
    """The day in the base."""
    return now.astimezone(ZONE).date()


def renewed_end(*, since: date, ends_on: date, months: int) -> date:
    """The first day after a renewal of so many months.

    Counted from the first day of the first lease, as long as it was let by whole months: one month
    from 31 January, renewed by another, ends on 31 March and not on the 28th.
    """
    so_far = (ends_on.year - since.year) * 12 + ends_on.month - since.month
    if add_months(since, so_far) == ends_on:
        return add_months(since, so_far + months)
    return add_months(ends_on, months)


def earliest_end(*, given_on: date, notice_months: int) -> date:
    """The first day that a notice given on a day can free: so many months later."""
    return add_months(given_on, notice_months) + timedelta(days=1)


def next_to_each_other(free: list[int], count: int) -> list[int]:
    """So many of the free units: a run of neighbours where there is one, else the lowest."""
    return next(_runs(free, count), free[:count])


def _runs(free: list[int], count: int) -> Iterator[list[int]]:
    for start in range(len(free) - count + 1):
        if free[start + count - 1] - free[start] == count - 1:
            yield free[start : start + count]
