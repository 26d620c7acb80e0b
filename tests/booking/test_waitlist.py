"""The waitlist: first come, first served, by a hold made where the slot was freed."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from base_ops.core.models import Notice, Tenant
from booking import services
from booking.models import Booking, WaitlistEntry
from booking.services import Change, series, waiting
from tests import make
from tests.booking import world

pytestmark = pytest.mark.usefixtures("prices")
MIN = timedelta(minutes=1)


def wait(
    booking: Booking, now: datetime, *, tenant: Tenant | None = None, any_of: bool = False,
    **changes: Any,
) -> WaitlistEntry:  # fmt: skip
    renter = tenant or make.tenant()
    wish = services.BookingWish(space=booking.space, tenant=renter, span=booking.span)
    wish = replace(wish, **changes)
    return services.wait(
        wish=wish, any_of=booking.space.type if any_of else None, actor=world.STAFF, now=now
    )


def fresh(entry: WaitlistEntry) -> WaitlistEntry:
    return WaitlistEntry.objects.select_related("offered").get(pk=entry.pk)


def cancel(booking: Booking, now: datetime) -> None:
    services.cancel(booking=booking, actor=world.STAFF, now=now)


def test_who_waits_first_gets_a_hold_in_the_transaction_that_frees_the_slot(now: datetime) -> None:
    booking = world.booked(now=now, start_min=180)
    first, second = wait(booking, now), wait(booking, now + MIN)

    cancel(booking, now + 10 * MIN)

    offered = fresh(first)
    assert offered.offered is not None
    assert (offered.status, fresh(second).status) == ("offered", "waiting")
    assert (offered.offered.status, offered.offered.tenant_id) == ("held", first.tenant_id)
    assert offered.offered.expires_at == now + 40 * MIN
    assert Notice.objects.filter(kind="waitlist.offer").count() == 1
    with pytest.raises(services.SlotTaken):
        world.booked(now=now + 10 * MIN, space=booking.space, start_min=170)


def test_an_offer_that_nobody_takes_goes_to_the_next(now: datetime) -> None:
    booking = world.booked(now=now, start_min=180)
    first, second = wait(booking, now), wait(booking, now)
    cancel(booking, now)

    services.expire_due(now=now + 30 * MIN)

    assert (fresh(first).status, fresh(second).status) == ("lapsed", "offered")
    assert Notice.objects.filter(kind="waitlist.offer_expired").count() == 1


def test_nobody_slips_in_between_an_expired_offer_and_the_next_in_line(now: datetime) -> None:
    booking = world.booked(now=now, start_min=180)
    wait(booking, now)
    second = wait(booking, now)
    cancel(booking, now)

    with pytest.raises(services.SlotTaken):
        world.booked(now=now + 30 * MIN, space=booking.space, start_min=150)
    services.expire_due(now=now + 30 * MIN)

    assert fresh(second).status == "offered"


def test_confirming_the_offer_accepts_it_and_declining_passes_it_on(now: datetime) -> None:
    booking = world.booked(now=now, start_min=180)
    first, second = wait(booking, now), wait(booking, now)
    cancel(booking, now)
    hold = fresh(first).offered
    assert hold is not None

    cancel(hold, now + MIN)
    other = fresh(second).offered
    assert other is not None
    services.confirm(booking=other, actor=world.actor(second.tenant), now=now + 2 * MIN)

    assert (fresh(first).status, fresh(second).status) == ("lapsed", "accepted")


@pytest.mark.parametrize("how", ["reject", "release", "no_show", "move", "early_end", "transfer"])
def test_every_way_of_freeing_a_slot_offers_it(now: datetime, how: str) -> None:
    booking = world.booked(now=now, start_min=60, minutes=120)
    later = now + 61 * MIN
    span = world.span(booking.starts_at + 90 * MIN, 60)
    entry = wait(booking, now, span=span)

    if how == "reject":
        Booking.objects.filter(pk=booking.pk).update(status="pending_approval")
        services.reject(booking=booking, actor=world.STAFF, reason="x", now=now)
    elif how == "release":
        services.release(booking=booking, actor=world.STAFF, reason="x", now=now)
    elif how == "no_show":
        services.release_no_shows(now=booking.starts_at + 20 * MIN)
    elif how == "move":
        start = booking.starts_at + timedelta(days=2)
        services.move(booking=booking, change=Change(starts_at=start), actor=world.STAFF, now=now)
    elif how == "early_end":
        services.check_in(booking=booking, actor=world.STAFF, now=later)
        services.check_out(booking=booking, actor=world.STAFF, now=later + MIN)
    else:
        services.transfer(booking=booking, space=world.studio(), actor=world.STAFF, now=now)

    assert fresh(entry).status == "offered"


def test_any_room_of_the_type_will_do_when_asked_so(now: datetime) -> None:
    one = world.booked(now=now, start_min=180)
    other = world.booked(now=now, start_min=180)
    entry = wait(one, now, any_of=True)

    cancel(other, now)

    found = fresh(entry).offered
    assert found is not None
    assert found.space_id == other.space_id


def test_a_wish_that_is_refused_keeps_its_place_and_frees_the_slot_for_the_next(
    now: datetime,
) -> None:
    booking = world.booked(now=now, start_min=180)
    first, second = wait(booking, now), wait(booking, now)
    Tenant.objects.filter(pk=first.tenant_id).update(compliance_rating="D")

    cancel(booking, now)

    assert (fresh(first).status, fresh(first).refused_why) == ("waiting", "rules_broken")
    assert fresh(second).status == "offered"


def test_there_is_nothing_to_wait_for_when_it_is_free(now: datetime) -> None:
    booking = world.booked(now=now, start_min=180)

    with pytest.raises(waiting.NothingToWaitFor):
        wait(booking, now, span=world.span(now + timedelta(days=1)))


def test_a_part_that_fits_elsewhere_is_not_offered_and_time_ends_the_wait(now: datetime) -> None:
    booking = world.booked(now=now, start_min=180)
    neighbour = world.booked(now=now, space=booking.space, start_min=270)
    entry = wait(booking, now, span=world.span(booking.starts_at, 120))

    cancel(booking, now)
    assert fresh(entry).status == "waiting"  # the neighbour is still in the way
    assert services.expire_waiting(now=entry.starts_at) == 1

    assert fresh(entry).status == "expired"
    cancel(neighbour, now)


def test_leaving_the_line(now: datetime) -> None:
    booking = world.booked(now=now, start_min=180)
    entry = wait(booking, now)

    services.stop_waiting(entry=entry, actor=world.STAFF, now=now)
    with pytest.raises(waiting.NotWaiting):
        services.stop_waiting(entry=entry, actor=world.STAFF, now=now)
    cancel(booking, now)

    assert fresh(entry).status == "cancelled"


def test_a_tenant_waits_for_so_much_at_most(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "MAX_WAITING", 2)
    booking, tenant = world.booked(now=now, start_min=180), make.tenant()
    for _ in range(2):
        wait(booking, now, tenant=tenant)

    with pytest.raises(waiting.WaitingEnough):
        wait(booking, now, tenant=tenant)


def test_cancelling_the_rest_of_a_series_offers_each_date_it_frees(now: datetime) -> None:
    room, tenant = world.studio(), make.tenant()
    first = world.span(now + timedelta(hours=3))
    made = series.create(
        wish=series.SeriesWish(
            services.BookingWish(space=room, tenant=tenant, span=first), "FREQ=DAILY;COUNT=4"
        ),
        mode="atomic",
        actor=world.STAFF,
        now=now,
    )
    third = made.bookings[2]
    entry = wait(third, now)

    series.cancel(
        series=made.series,
        recurrence_id=made.bookings[1].recurrence_id,
        scope="following",
        reason="x",
        actor=world.STAFF,
        now=now,
    )

    offered = fresh(entry).offered
    assert offered is not None
    assert (offered.space_id, offered.starts_at) == (room.pk, third.starts_at)
