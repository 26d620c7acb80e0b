"""Cut a series in two, or shift it: what rule and dates each part then has (RFC 5545)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from base_ops.core.errors import DomainError
from booking.domain import recurrence, rrule

SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Terms:
    """A rule with its start and dates."""

    rrule: str
    start: datetime
    exdates: Sequence[datetime] = ()
    rdates: Sequence[datetime] = ()

    def starts(self) -> list[datetime]:
        """Every start, those left out excepted."""
        return recurrence.starts(self.rrule, self.start, exdates=self.exdates, rdates=self.rdates)

    def ruled(self) -> list[datetime]:
        """What the rule alone gives."""
        return recurrence.ruled(self.rrule, self.start) if self.rrule else []


def cut(terms: Terms, at: datetime) -> tuple[Terms | None, Terms | None]:
    """The series before `at`, and from `at` on; None for a part without dates.

    The first part's rule ends a second earlier; the second's COUNT is what is left of it.
    """
    ruled = terms.ruled()
    before = [s for s in ruled if s < at]
    after = [s for s in ruled if s >= at]
    head = tail = None
    if before or any(r < at for r in terms.rdates):
        text = rrule.ended(terms.rrule, at - SECOND) if before else ""
        head = _told(text, terms.start, before, terms, lambda d: d < at)
    if after or any(r >= at for r in terms.rdates):
        text = rrule.continued(terms.rrule, after=len(before)) if after else ""
        start = after[0] if after else min(r for r in terms.rdates if r >= at)
        tail = _told(text, start, after, terms, lambda d: d >= at)
    return head, tail


def shifted(terms: Terms, by: timedelta) -> Terms:
    """The same series so much later or earlier: weekly rules turn their weekdays along.

    A rule that cannot say so (the last Friday, a day later) is replaced by its dates.
    """
    ruled = [s + by for s in terms.ruled()]
    local = terms.start.astimezone(recurrence.ZONE)
    days = ((local + by).date() - local.date()).days
    text = rrule.turned(_moved_end(terms.rrule, by), days) if terms.rrule else ""
    moved = Terms(
        text, terms.start + by,
        exdates=[d + by for d in terms.exdates], rdates=[d + by for d in terms.rdates],
    )  # fmt: skip
    return _told(text, moved.start, ruled, moved, lambda _: True)


def _moved_end(text: str, by: timedelta) -> str:
    last = recurrence.last_of(rrule.read(text))
    return text if last is None else rrule.ended(text, last + by)


def _told(
    text: str,
    start: datetime,
    wanted: Sequence[datetime],
    terms: Terms,
    mine: Callable[[datetime], bool],
) -> Terms:
    """By the rule if it gives exactly the wanted dates, else by the dates."""
    exdates = [d for d in terms.exdates if mine(d)]
    rdates = [d for d in terms.rdates if mine(d)]
    if not text:
        return Terms("", min([*rdates, *wanted], default=start), exdates, [*rdates, *wanted])
    try:
        given = recurrence.ruled(text, start)
    except DomainError:
        given = []
    if given == wanted:
        return Terms(text, start, exdates, rdates)
    return Terms("", min([*rdates, *wanted]), exdates, sorted({*rdates, *wanted}))
