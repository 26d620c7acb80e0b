"""Move, resize, swap, transfer: all of it or nothing, and what it costs is known before."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from base_ops.core import errors
from billing.models import Charge, Reservation
from booking import services
from booking.models import Allocation, Booking
from booking.services import Change, Extra, moving, settling, transferring
from devices.models import Grant
from tests import make
from tests.booking import world
from tests.booking.test_resources import pool

pytestmark = pytest.mark.usefixtures("prices")
MIN = timedelta(minutes=1)
DAY = timedelta(days=1)


def taken(booking: Booking) -> set[tuple[int | None, int | None, int, datetime, datetime]]:
    rows = Allocation.objects.filter(booking=booking, active=True)
    return {(r.space_id, r.pool_id, r.unit, r.span.start, r.span.end) for r in rows}


def move(booking: Booking, now: datetime, **change: Any) -> Booking:
    return services.move(
        booking=booking, change=Change(**change), actor=world.actor(booking.tenant), now=now
    )


def test_a_booking_moves_with_all_that_belongs_to_it(now: datetime) -> None:
    cameras = pool(1)
    booking = world.booked(now=now, start_min=3 * 24 * 60, extras=(Extra(pool=cameras),))
    start = booking.starts_at + 2 * DAY

    moved = move(booking, now, starts_at=start)

    assert (moved.starts_at, moved.ends_at) == (start, start + 60 * MIN)
    assert moved.version == booking.version + 1
    assert taken(moved) == {
        (booking.space_id, None, 0, start - 15 * MIN, start + 75 * MIN),
        (None, cameras.pk, 1, start, start + 60 * MIN),
    }
    again = world.booked(
        now=now, space=booking.space, start_min=3 * 24 * 60, extras=(Extra(pool=cameras),)
    )
    assert again.status == "confirmed"


def test_moving_into_its_own_time_is_no_conflict_and_a_hold_stays_a_hold(now: datetime) -> None:
    hold = world.booked(now=now, hold=True, start_min=120)

    moved = move(hold, now, starts_at=hold.starts_at + 30 * MIN)

    assert (moved.status, moved.expires_at) == ("held", hold.expires_at)
    assert set(moved.allocations.filter(active=True).values_list("expires_at", flat=True)) == {
        hold.expires_at
    }


def test_a_taken_place_leaves_everything_as_it_was(now: datetime) -> None:
    booking = world.booked(now=now, start_min=24 * 60 + 60)
    rival = world.booked(now=now, start_min=24 * 60 + 60)
    before = taken(booking)

    with pytest.raises(services.SlotTaken) as caught:
        move(booking, now, space=rival.space)

    booking.refresh_from_db()
    assert taken(booking) == before
    assert booking.version == 1
    assert rival.code not in str(caught.value.context)


def test_resizing_quotes_again_and_reserves_the_new_price(now: datetime) -> None:
    booking = world.booked(now=now, start_min=24 * 60 + 60)

    longer = move(booking, now, ends_at=booking.ends_at + 60 * MIN)

    assert longer.price_fen == 2 * booking.price_fen
    assert Reservation.objects.get(source=f"booking/{booking.code}").half_hours == 4


def test_a_price_that_the_caller_did_not_see_is_refused(now: datetime) -> None:
    booking = world.booked(now=now, start_min=24 * 60 + 60)
    ends_at = booking.ends_at + 60 * MIN

    with pytest.raises(services.QuoteChanged):
        move(booking, now, ends_at=ends_at, price_fen=booking.price_fen)
    seen = services.preview(booking=booking, change=Change(ends_at=ends_at), now=now)

    moved = move(booking, now, ends_at=ends_at, price_fen=seen.quote.total_fen)
    assert moved.ends_at == ends_at


@pytest.mark.parametrize(
    ("ahead_h", "shift_min", "fee_fen"),
    [
        (24, 24 * 60, 0),  # a day ahead it is free
        (23, 24 * 60, 1800),  # 30 % of 60 yuan, all of the hour is given up
        (23, 30, 900),  # half of the hour is kept
        (3, 24 * 60, 4800),  # 80 %
    ],
)
def test_moving_late_costs_the_time_given_up(
    now: datetime, ahead_h: int, shift_min: int, fee_fen: int
) -> None:
    booking = world.booked(now=now, start_min=48 * 60)
    at = booking.starts_at - timedelta(hours=ahead_h)
    start = booking.starts_at + shift_min * MIN

    seen = services.preview(booking=booking, change=Change(starts_at=start), now=at)
    assert not Charge.objects.exists()  # looking costs nothing
    move(booking, at, starts_at=start)

    assert seen.fee_fen == fee_fen
    charges = list(Charge.objects.values_list("kind", "gross_fen", "booking_code"))
    assert charges == ([("fee", fee_fen, booking.code)] if fee_fen else [])


def test_another_room_at_the_same_time_costs_no_fee(now: datetime) -> None:
    booking = world.booked(now=now, start_min=60)

    moved = move(booking, now, space=world.studio())

    assert moved.space_id != booking.space_id
    assert not Charge.objects.exists()


def test_what_began_does_not_move_but_a_running_stay_may_get_another_end(now: datetime) -> None:
    booking = world.booked(now=now, start_min=30)
    services.check_in(booking=booking, actor=world.STAFF, now=booking.starts_at)
    booking.refresh_from_db()
    during = booking.starts_at + 10 * MIN

    with pytest.raises(moving.TooLateToMove):
        move(booking, during, starts_at=booking.starts_at + 60 * MIN)
    longer = move(booking, during, ends_at=booking.ends_at + 30 * MIN)

    assert Grant.objects.get(booking_code=booking.code).until == longer.ends_at
    with pytest.raises(moving.TooLateToMove):
        move(longer, during, ends_at=during - 5 * MIN)


def test_a_hold_whose_time_is_over_does_not_move(now: datetime) -> None:
    hold = world.booked(now=now, hold=True, start_min=120)

    with pytest.raises(settling.HoldExpired):
        move(hold, now + 10 * MIN, starts_at=hold.starts_at + 60 * MIN)


def test_an_end_before_the_start_names_the_field(now: datetime) -> None:
    booking = world.booked(now=now)

    with pytest.raises(errors.Invalid) as caught:
        move(booking, now, ends_at=booking.starts_at)

    assert [f.name for f in caught.value.fields] == ["ends_at"]


def test_two_bookings_change_places(now: datetime) -> None:
    one = world.booked(now=now, start_min=24 * 60 + 60, minutes=60)
    other = world.booked(now=now, start_min=48 * 60 + 60, minutes=60)

    a, b = services.swap(one=one, other=other, actor=world.STAFF, now=now)

    assert (a.space_id, a.starts_at) == (other.space_id, other.starts_at)
    assert (b.space_id, b.starts_at) == (one.space_id, one.starts_at)
    assert (a.tenant_id, b.tenant_id) == (one.tenant_id, other.tenant_id)


def test_neighbours_of_different_length_swap_only_when_both_fit(now: datetime) -> None:
    room = world.studio()
    one = world.booked(now=now, space=room, start_min=24 * 60, minutes=60)
    other = world.booked(now=now, space=world.studio(), start_min=24 * 60, minutes=180)
    world.booked(now=now, space=room, start_min=24 * 60 + 120, minutes=60)
    before = taken(one), taken(other)

    with pytest.raises(services.SlotTaken), transaction.atomic():
        services.swap(one=one, other=other, actor=world.STAFF, now=now)

    assert (taken(one), taken(other)) == before


def test_neighbours_in_one_room_swap_through_each_other(now: datetime) -> None:
    room = world.studio()
    one = world.booked(now=now, space=room, start_min=24 * 60, minutes=60)
    other = world.booked(now=now, space=room, start_min=24 * 60 + 90, minutes=60)

    a, b = services.swap(one=one, other=other, actor=world.STAFF, now=now)

    assert (a.starts_at, b.starts_at) == (other.starts_at, one.starts_at)


def test_a_booking_does_not_swap_with_itself_nor_with_one_that_is_over(now: datetime) -> None:
    one, other = world.booked(now=now), world.booked(now=now)
    services.cancel(booking=other, actor=world.STAFF, now=now)

    for rival in (one, other):
        with pytest.raises(moving.CannotSwap):
            services.swap(one=one, other=rival, actor=world.STAFF, now=now)


def test_a_red_room_is_left_for_an_equal_one_at_the_same_price(now: datetime) -> None:
    booking = world.booked(now=now, start_min=30)
    tenant = world.actor(booking.tenant)

    with pytest.raises(transferring.NothingProposed):
        services.transfer(booking=booking, space=None, actor=tenant, now=now)
    spare = world.studio()
    Booking.objects.filter(pk=booking.pk).update(
        proposal={"space": spare.code}, ready="red", prepared_at=now
    )
    booking.refresh_from_db()
    moved = services.transfer(booking=booking, space=None, actor=tenant, now=now)

    assert (moved.space_id, moved.price_fen) == (spare.pk, booking.price_fen)
    assert (moved.ready, moved.proposal, moved.prepared_at) == ("", None, None)
    assert {row[0] for row in taken(moved)} == {spare.pk}
    assert not Charge.objects.exists()


def test_a_running_stay_takes_its_control_along(now: datetime) -> None:
    booking = world.booked(now=now, start_min=0)
    services.check_in(booking=booking, actor=world.STAFF, now=now)
    spare = world.studio()
    later = now + 10 * MIN

    moved = services.transfer(
        booking=booking, space=spare, actor=world.STAFF, reason="灯光故障", now=later
    )

    assert moved.in_room_since == later
    grants = Grant.objects.filter(booking_code=booking.code, until__gt=later, revoked_at=None)
    assert [g.space_id for g in grants] == [spare.pk]
    assert taken(moved) == {
        (booking.space_id, None, 0, now - 15 * MIN, later),
        (spare.pk, None, 0, later, booking.ends_at + 15 * MIN),
    }
    done = services.check_out(booking=moved, actor=world.STAFF, now=later + 5 * MIN)
    assert done.status == "completed"


def test_what_is_over_is_not_transferred(now: datetime) -> None:
    booking = world.booked(now=now)

    with pytest.raises(moving.TooLateToMove):
        services.transfer(booking=booking, space=None, actor=world.STAFF, now=booking.ends_at)


def test_nothing_on_air_is_transferred(now: datetime) -> None:
    booking = world.booked(now=now, start_min=0)
    services.check_in(booking=booking, actor=world.STAFF, now=now)
    world.encoder_says(booking.space, run="live", now=now)

    with pytest.raises(transferring.RoomOnAir):
        services.transfer(booking=booking, space=world.studio(), actor=world.STAFF, now=now)


def test_a_transfer_into_a_room_that_is_taken_or_too_small_is_refused(now: datetime) -> None:
    booking = world.booked(now=now, headcount=3)
    busy = world.booked(now=now).space

    with pytest.raises(services.SlotTaken):
        services.transfer(booking=booking, space=busy, actor=world.STAFF, now=now)
    with pytest.raises(errors.Invalid):
        services.transfer(
            booking=booking, space=world.studio(capacity=2), actor=world.STAFF, now=now
        )

    booking.refresh_from_db()
    assert {row[0] for row in taken(booking)} == {booking.space_id}


def test_moving_needs_nobody_else_in_the_tenants_own_name(now: datetime) -> None:
    booking = world.booked(now=now, start_min=24 * 60 + 60)
    stranger = make.tenant()

    found = services.preview(
        booking=booking,
        change=Change(space=world.booked(now=now, tenant=stranger, start_min=24 * 60 + 60).space),
        now=now,
    )

    assert isinstance(found.refusal, services.SlotTaken)
    assert stranger.code not in str(found.refusal.context)
