"""What the deeds on instances of a series share: which ones, locked; the series cut in two."""

import secrets
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Literal

from django.db.models import F

from booking.domain import splitting
from booking.domain.splitting import Terms
from booking.domain.states import OPEN, Status
from booking.models import Booking, Series, SeriesSkip
from booking.selectors.series import instances_of
from booking.services import locking
from booking.services.changing import MovedMeanwhile
from booking.services.series.refusing import InstanceNotFound, TooLate

Scope = Literal["this", "following", "all"]
Check = Callable[[Series], None]
CHANGEABLE = (*OPEN, Status.CONFIRMED)
# Instances move along without passing through each other's place.
_ASIDE = timedelta(days=400 * 365)
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def locked(
    series: Series, *, also_spaces: Collection[int] = (), check: Check = lambda row: None
) -> tuple[Series, list[Booking]]:
    """The series and its live bookings as they stand: what they take is locked, then the rows.

    Raises:
        MovedMeanwhile: a booking got another room or other things between reading and locking.
        what `check` raises: it sees the locked series before anything changes.
    """
    before = instances_of(series).prefetch_related("parts")
    spaces = {series.space_id, *also_spaces}
    pools: set[int] = set()
    for booking in before:
        spaces.add(booking.space_id)
        for part in booking.parts.all():
            spaces |= {part.space_id} - {None}  # type: ignore[arg-type]
            pools |= {part.pool_id} - {None}  # type: ignore[arg-type]
    locking.lock_spaces(spaces)
    locking.lock_pools(pools)
    row = (
        Series.objects.select_for_update(of=("self",))
        .select_related("space__type", "space__floor", "tenant")
        .get(pk=series.pk)
    )
    check(row)
    rows = instances_of(row).select_for_update(of=("self",))
    live = list(rows.prefetch_related("parts__space__type", "parts__space__floor", "parts__pool"))
    if any(not _within(booking, spaces, pools) for booking in live):
        raise MovedMeanwhile
    return row, live


def _within(booking: Booking, spaces: set[int], pools: set[int]) -> bool:
    """Whether all that it takes is among what was locked."""
    parts = booking.parts.all()
    return (
        booking.space_id in spaces
        and {p.space_id for p in parts if p.space_id} <= spaces
        and {p.pool_id for p in parts if p.pool_id} <= pools
    )


def chosen(
    live: Sequence[Booking], scope: Scope, recurrence_id: datetime, *, now: datetime
) -> list[Booking]:
    """The bookings that a deed of this scope changes.

    Instances that have begun, or whose room is being prepared, stay as they are; one that is named
    itself must not be such.

    Raises:
        InstanceNotFound: there is no live booking on this date.
        TooLate: it has begun or is over; for "all": all have.
    """
    pivot = next((b for b in live if b.recurrence_id == recurrence_id), None)
    if pivot is None:
        raise InstanceNotFound(recurrence_id.isoformat())
    if scope != "all" and not changeable(pivot, now=now):
        raise TooLate(pivot.code)
    if scope == "this":
        return [pivot]
    found = [
        b
        for b in live
        if changeable(b, now=now) and (scope == "all" or recurrence_of(b) >= recurrence_id)
    ]
    if not found:
        raise TooLate("all of them")
    return found


def changeable(booking: Booking, *, now: datetime) -> bool:
    """Whether it lies ahead and nothing was done for it yet."""
    ahead = booking.starts_at > now and booking.prepared_at is None
    return ahead and booking.status in CHANGEABLE


def recurrence_of(booking: Booking) -> datetime:
    """Its original start; every instance has one (constraint booking_recurs_in_series)."""
    assert booking.recurrence_id is not None
    return booking.recurrence_id


def terms_of(series: Series) -> Terms:
    """Rule, start and dates of a stored series."""
    return Terms(series.rrule, series.starts_at, tuple(series.exdates), tuple(series.rdates))


def new_series_code() -> str:
    """A code that tells nothing about how many series there are."""
    return "SR" + "".join(secrets.choice(_ALPHABET) for _ in range(8))


def continued_from(series: Series, at: datetime, *, now: datetime, by: str) -> Series:
    """The series that has the dates from `at` on: a new one, or this one if none lie before.

    The new one takes over bookings and skips from `at` on; this one then ends before it.
    """
    head, tail = splitting.cut(terms_of(series), at)
    if head is None or tail is None:
        return series
    follower = Series.objects.get(pk=series.pk)
    follower.pk = None
    follower._state.adding = True  # noqa: SLF001 - how Django says to copy a row
    follower.code = new_series_code()
    follower.split_from, follower.created_at, follower.created_by = series, now, by
    follower.version = 1
    set_terms(follower, tail)
    follower.save(force_insert=True)
    set_terms(series, head)
    series.version += 1
    series.save(update_fields=["rrule", "starts_at", "exdates", "rdates", "version"])
    for model in (Booking, SeriesSkip):
        model.objects.filter(series=series, recurrence_id__gte=at).update(series=follower)
    return follower


def ended_before(series: Series, at: datetime) -> None:
    """Let the series end before `at`; dates from there on are forgotten, bookings are not."""
    head, _ = splitting.cut(terms_of(series), at)
    if head is not None:
        set_terms(series, head)
    SeriesSkip.objects.filter(series=series, recurrence_id__gte=at).delete()


def shift(series: Series, by: timedelta) -> None:
    """Move rule, dates and the original starts of all instances by so much."""
    if not by:
        return
    set_terms(series, splitting.shifted(terms_of(series), by))
    for model in (Booking, SeriesSkip):
        rows = model.objects.filter(series=series)
        rows.update(recurrence_id=F("recurrence_id") + by + _ASIDE)
        rows.update(recurrence_id=F("recurrence_id") - _ASIDE)


def set_terms(series: Series, terms: Terms) -> None:
    """Write rule, start and dates onto the row, unsaved."""
    series.rrule, series.starts_at = terms.rrule, terms.start
    series.exdates, series.rdates = sorted(terms.exdates), sorted(terms.rdates)
