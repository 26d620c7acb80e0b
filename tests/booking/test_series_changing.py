"""Instances of a series change and end by scope, and come back."""

from datetime import datetime
from typing import Any

import pytest
from django.db import transaction

from base_ops.core.actors import Actor
from base_ops.core.errors import DomainError
from base_ops.core.models import Space, Tenant
from base_ops.core.models.records import AuditEntry
from base_ops.core.spans import Span
from billing.models import Charge, Reservation
from booking.models import Allocation, Booking, Series, SeriesSkip
from booking.services import ending
from booking.services import series as services
from booking.services.series import Choice, Edit, SeriesConflicts, SeriesRulesBroken
from tests import make
from tests.booking import world
from tests.booking.series_world import (
    DAY,
    HOUR,
    WEEK,
    active,
    create,
    dated,
    dates_of,
    starts,
    taken_by_another,
    wish,
)

pytestmark = pytest.mark.usefixtures("prices")


@pytest.fixture
def space() -> Space:
    return world.studio()


@pytest.fixture
def tenant() -> Tenant:
    return make.tenant()


@pytest.fixture
def actor(tenant: Tenant) -> Actor:
    return world.actor(tenant)


@pytest.fixture
def start(now: datetime) -> datetime:
    return now + 2 * DAY


# --- edit -------------------------------------------------------------------------------------


def edit(
    series: Series, at: datetime, scope: Any, now: datetime, actor: Actor, **change: Any
) -> Series:
    return services.edit(
        series=series, recurrence_id=at, scope=scope, change=Edit(**change), actor=actor, now=now
    )


def test_this_instance_moves_alone_and_keeps_its_name(
    space: Space, tenant: Tenant, start: datetime, now: datetime, actor: Actor
) -> None:
    series = create(wish(space, tenant, start), now).series
    later = Span(start + WEEK + 2 * HOUR, start + WEEK + 4 * HOUR)

    edited = edit(series, start + WEEK, "this", now, actor, span=later, title="加播")

    row = Booking.objects.get(series=series, recurrence_id=start + WEEK)
    assert edited == series
    assert (row.span, row.title) == (later, "加播")
    taken = Allocation.objects.get(booking=row, active=True).span
    assert taken == Span(later.start - HOUR / 4, later.end + HOUR / 4)
    assert Booking.objects.filter(series=series, title="").count() == 4
    assert row.price_fen > Booking.objects.get(series=series, recurrence_id=start).price_fen


def test_this_and_following_cuts_the_series_in_two(
    space: Space, tenant: Tenant, start: datetime, now: datetime, actor: Actor
) -> None:
    series = create(wish(space, tenant, start), now).series
    pivot = start + 2 * WEEK

    tail = edit(
        series, pivot, "following", now, actor, span=Span(pivot + DAY, pivot + DAY + 2 * HOUR)
    )

    series.refresh_from_db()
    assert starts(series) == [start, start + WEEK]
    assert starts(tail) == [pivot + DAY + n * WEEK for n in range(3)]
    assert tail.split_from == series
    assert tail.rrule == "FREQ=WEEKLY;COUNT=3"
    assert tail.length == 2 * HOUR
    rows = Booking.objects.filter(series=tail)
    assert all(row.recurrence_id == row.starts_at for row in rows)
    assert all(row.ends_at - row.starts_at == 2 * HOUR for row in rows)
    assert active(list(rows)) == 3
    assert dates_of(series) == starts(series)


def test_all_changes_in_place_while_none_has_begun(
    space: Space, tenant: Tenant, start: datetime, now: datetime, actor: Actor
) -> None:
    series = create(wish(space, tenant, start, rrule="FREQ=DAILY;COUNT=5"), now).series
    other = world.studio()

    edited = edit(
        series, start, "all", now, actor, span=Span(start + DAY, start + DAY + HOUR), space=other
    )

    assert edited == series
    assert starts(series) == [start + DAY * n for n in range(1, 6)]
    assert set(Booking.objects.values_list("space", flat=True)) == {other.pk}
    series.refresh_from_db()
    assert (series.starts_at, series.space) == (start + DAY, other)
    assert dates_of(series) == starts(series)
    assert Allocation.objects.filter(active=True, space=space).count() == 0


def test_all_leaves_what_has_begun_as_it_was(
    space: Space, tenant: Tenant, start: datetime, now: datetime, actor: Actor
) -> None:
    series = create(wish(space, tenant, start), now).series
    midway = start + WEEK + HOUR

    tail = edit(series, start + 3 * WEEK, "all", midway, actor, title="新标题")

    assert tail != series
    assert set(Booking.objects.filter(series=series).values_list("title", flat=True)) == {""}
    assert Booking.objects.filter(series=tail, title="新标题").count() == 3


def test_a_move_that_meets_another_booking_changes_nothing(
    space: Space, tenant: Tenant, start: datetime, now: datetime, actor: Actor
) -> None:
    series = create(wish(space, tenant, start), now).series
    taken_by_another(space, start + 3 * WEEK + 3 * HOUR, now)
    span = Span(start + WEEK + 3 * HOUR, start + WEEK + 4 * HOUR)

    with pytest.raises(SeriesConflicts) as caught, transaction.atomic():
        edit(series, start + WEEK, "following", now, actor, span=span)

    instances: Any = caught.value.context["instances"]
    assert [dated(i) for i in instances] == [start + 3 * WEEK]
    assert starts(series) == [start + n * WEEK for n in range(5)]
    assert Series.objects.count() == 1


def test_headcount_beyond_the_room_is_refused_for_all(
    space: Space, tenant: Tenant, start: datetime, now: datetime, actor: Actor
) -> None:
    series = create(wish(space, tenant, start), now).series

    with pytest.raises(SeriesRulesBroken), transaction.atomic():
        edit(series, start, "all", now, actor, headcount=9)
    edit(series, start, "all", now, actor, headcount=3)

    assert set(Booking.objects.values_list("headcount", flat=True)) == {3}


@pytest.mark.parametrize("scope", ["this", "following", "all"])
def test_what_is_not_there_or_over_is_not_changed(
    space: Space, tenant: Tenant, start: datetime, now: datetime, actor: Actor, scope: Any
) -> None:
    series = create(wish(space, tenant, start), now).series
    after = start + 10 * WEEK

    refused = []
    for at, when in ((start + DAY, now), (start, after)):
        with pytest.raises(DomainError) as caught:
            edit(series, at, scope, when, actor, title="x")
        refused.append(caught.value.code)

    assert refused == ["instance_not_found", "instance_too_late"]


def test_an_edit_of_nothing_is_refused(
    space: Space, tenant: Tenant, start: datetime, now: datetime, actor: Actor
) -> None:
    series = create(wish(space, tenant, start), now).series

    with pytest.raises(services.NothingToChange):
        edit(series, start, "this", now, actor)


# --- end, and add again -----------------------------------------------------------------------


def cancel(series: Series, at: datetime | None, scope: Any, now: datetime, actor: Actor) -> Series:
    return services.cancel(
        series=series, recurrence_id=at, scope=scope, reason="改期", actor=actor, now=now
    )


def test_a_cancelled_date_is_remembered_and_added_again(
    space: Space, tenant: Tenant, start: datetime, now: datetime, actor: Actor
) -> None:
    series = create(wish(space, tenant, start), now).series

    cancel(series, start + WEEK, "this", now, actor)
    gone = starts(series)
    skip = SeriesSkip.objects.get(series=series)
    row = services.add_again(
        series=series, recurrence_id=start + WEEK, choice=Choice(), actor=actor, now=now
    )

    assert start + WEEK not in gone
    assert (skip.recurrence_id, skip.reason) == (start + WEEK, "cancelled")
    assert row.span == Span(start + WEEK, start + WEEK + HOUR)
    assert SeriesSkip.objects.count() == 0
    assert starts(series) == [start + n * WEEK for n in range(5)]


def test_a_date_cancelled_as_a_single_booking_can_be_added_again(
    space: Space, tenant: Tenant, start: datetime, now: datetime, actor: Actor
) -> None:
    made = create(wish(space, tenant, start), now)
    ending.cancel(booking=made.bookings[1], actor=actor, now=now)

    services.add_again(
        series=made.series, recurrence_id=start + WEEK, choice=Choice(), actor=actor, now=now
    )

    assert starts(made.series) == [start + n * WEEK for n in range(5)]


def test_a_skipped_date_stays_refused_while_taken_and_may_go_elsewhere(
    space: Space, tenant: Tenant, start: datetime, now: datetime, actor: Actor
) -> None:
    rival = taken_by_another(space, start + WEEK, now)
    series = create(wish(space, tenant, start), now, "skip").series
    other = world.studio()

    def again(**choice: Any) -> Booking:
        return services.add_again(
            series=series, recurrence_id=start + WEEK, choice=Choice(**choice), actor=actor,
            now=now,
        )  # fmt: skip

    with pytest.raises(SeriesConflicts):
        again()
    assert SeriesSkip.objects.count() == 1
    assert again(space=other).space == other
    with pytest.raises(DomainError) as caught:
        again()
    assert caught.value.code == "instance_not_skipped"
    assert rival.status == "confirmed"


def test_following_ends_the_series_before_the_date(
    space: Space, tenant: Tenant, start: datetime, now: datetime, actor: Actor
) -> None:
    series = create(wish(space, tenant, start), now).series

    cancel(series, start + 3 * WEEK, "following", now, actor)

    series.refresh_from_db()
    assert starts(series) == dates_of(series) == [start + n * WEEK for n in range(3)]
    assert series.cancelled_at is None
    assert Allocation.objects.filter(active=True).count() == 3
    with pytest.raises(DomainError) as caught:
        services.add_again(
            series=series, recurrence_id=start + 3 * WEEK, choice=Choice(), actor=actor, now=now
        )
    assert caught.value.code == "instance_not_found"


def test_cancelling_all_gives_back_what_lies_ahead_with_fees_only_where_due(
    space: Space, tenant: Tenant, start: datetime, now: datetime, actor: Actor
) -> None:
    series = create(wish(space, tenant, start), now).series

    cancel(series, None, "all", start + HOUR, actor)  # the first has begun; next week is free

    series.refresh_from_db()
    states = Booking.objects.filter(series=series).order_by("starts_at")
    assert [b.status for b in states] == ["confirmed", *["cancelled"] * 4]
    assert {b.cancel_reason for b in states[1:]} == {"改期"}
    assert Reservation.objects.filter(tenant=tenant, state="reserved").count() == 1
    assert Charge.objects.count() == 0
    assert AuditEntry.objects.filter(action="series.cancel").count() == 1


def test_a_late_cancellation_costs_its_fee(
    space: Space, tenant: Tenant, start: datetime, now: datetime, actor: Actor
) -> None:
    series = create(wish(space, tenant, start, rrule="FREQ=DAILY;COUNT=9"), now).series

    cancel(series, None, "all", start - 2 * HOUR, actor)

    codes = set(Charge.objects.values_list("booking_code", flat=True))
    first = Booking.objects.get(series=series, recurrence_id=start)
    assert first.code in codes
    assert len(codes) < 9
    series.refresh_from_db()
    assert series.cancelled_at == start - 2 * HOUR
