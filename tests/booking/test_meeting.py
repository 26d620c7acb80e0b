"""What happens when two deeds meet: each as if it had come first or second, nothing in between."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from base_ops.core import db
from base_ops.core.models import Tenant
from booking import services
from booking.domain import rulebook
from booking.domain.rulebook import standard
from booking.domain.states import Status
from booking.models import Allocation, Booking, WaitlistEntry
from booking.services import Extra, locking, transferring, waiting
from booking.services.changing import MovedMeanwhile
from booking.services.locking import Place
from booking.services.moving import TooLateToMove
from booking.services.settling import HoldExpired
from booking.services.taking import SlotTaken
from booking.services.waiting import NothingToWaitFor
from tests import make
from tests.booking import world
from tests.booking.meeting import Rival
from tests.booking.test_resources import pool

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("prices"),
]
MIN = timedelta(minutes=1)


def wish(now: datetime, tenant: Tenant | None = None, **changes: object) -> services.BookingWish:
    plain = {"tenant": tenant or make.tenant(), "span": world.span(now + 60 * MIN)}
    return services.BookingWish(**plain | changes)  # type: ignore[arg-type]


def live(booking: Booking) -> set[tuple[int | None, int | None]]:
    rows = Allocation.objects.filter(booking=booking, active=True)
    return set(rows.values_list("space_id", "pool_id"))


def test_who_comes_second_is_told_what_is_in_the_way(now: datetime) -> None:
    space = world.studio()
    asked = wish(now, space=space)
    with transaction.atomic():
        world.booked(now=now, space=space)
        rival = Rival(
            lambda: services.book(wish=asked, actor=world.STAFF, now=now)
        ).until_it_waits()

    assert rival.outcome() is None

    assert isinstance(rival.refusal, SlotTaken)
    assert [conflict["space"] for conflict in rival.refusal.conflicts] == [space.code]
    lacking: Any = rival.refusal.context["lacking"]
    assert [lack["free"] for lack in lacking] == [0]


def test_who_comes_second_gets_the_other_camera(now: datetime) -> None:
    """The constraint alone would refuse: both would have picked the first of the two."""
    extras = (Extra(pool=pool(2)),)
    asked = wish(now, space=world.studio(), extras=extras)
    with transaction.atomic():
        world.booked(now=now, extras=extras)
        rival = Rival(
            lambda: services.book(wish=asked, actor=world.STAFF, now=now)
        ).until_it_waits()

    rival.outcome()

    assert rival.refusal is None
    assert sorted(Allocation.objects.filter(pool__isnull=False).values_list("unit")) == [
        (1,), (2,),
    ]  # fmt: skip


@pytest.mark.parametrize("of", ["space", "pool"])
def test_one_thing_is_not_taken_twice_even_by_who_did_not_look(now: datetime, of: str) -> None:
    first, second = world.booked(now=now), world.booked(now=now, hold=True)
    cameras = pool(1)
    block = world.span(now + 480 * MIN)
    place = Place(
        first.space_id if of == "space" else None, cameras.pk if of == "pool" else None,
        0 if of == "space" else 1, block,
    )  # fmt: skip

    assert locking.allocate(first, [place])
    assert not locking.allocate(second, [place])


def test_a_deadlocks_victim_tries_again_and_nobody_notices() -> None:
    one, other = sorted((make.tenant(), make.tenant()), key=lambda t: t.pk)
    rivals: list[Rival] = []
    attempts = []

    def against_the_order() -> str:
        attempts.append("against")
        locking.lock_tenants([other.pk])
        if not rivals:
            rivals.append(Rival(lambda: db.in_transaction(in_order)).until_it_waits())
        locking.lock_tenants([one.pk])
        return "done"

    def in_order() -> str:
        attempts.append("in order")
        locking.lock_tenants([one.pk])
        locking.lock_tenants([other.pk])
        return "done"

    assert db.in_transaction(against_the_order) == "done"
    assert rivals[0].outcome() == "done"
    assert len(attempts) == 3


def test_who_waits_while_the_slot_is_freed_is_told_that_it_is_free(now: datetime) -> None:
    """Otherwise the entry would wait for good: nobody frees the slot a second time."""
    taken = world.booked(now=now)
    asked = wish(now, space=taken.space)
    with transaction.atomic():
        services.cancel(booking=taken, actor=world.STAFF, now=now)
        rival = Rival(
            lambda: waiting.wait(wish=asked, any_of=None, actor=world.STAFF, now=now)
        ).until_it_waits()

    assert rival.outcome() is None

    assert isinstance(rival.refusal, NothingToWaitFor)
    assert not WaitlistEntry.objects.exists()


@pytest.mark.parametrize("kind", ["concurrent", "venue_concurrent"])
def test_a_quota_holds_for_bookings_of_different_rooms_at_once(now: datetime, kind: str) -> None:
    document = standard.document()
    document["rules"].append(
        {"code": "one", "kind": kind, "scope": {}, "params": {"most": 1}, "overridable_by": []}
    )
    services.publish_rules(document=document, actor=world.STAFF, now=now)
    tenant = make.tenant()
    one, other = world.studio(), world.studio()
    asked = wish(now, tenant if kind == "concurrent" else make.tenant(), space=other)
    with transaction.atomic():
        world.booked(now=now, space=one, tenant=tenant)
        rival = Rival(
            lambda: services.book(wish=asked, actor=world.STAFF, now=now)
        ).until_it_waits()

    assert rival.outcome() is None

    assert isinstance(rival.refusal, rulebook.RulesBroken)
    assert Booking.objects.count() == 1


def test_a_hold_that_was_given_away_meanwhile_is_not_confirmed(now: datetime) -> None:
    """Each reads the clock before waiting for the lock, so the later request may go first."""
    held = world.booked(now=now, hold=True)
    winner = world.booked(now=now + 11 * MIN, space=held.space, start_min=49)

    with pytest.raises(HoldExpired):
        services.confirm(booking=held, actor=world.STAFF, now=now + 9 * MIN)

    held.refresh_from_db()
    assert (held.status, winner.status) == (Status.HELD, Status.CONFIRMED)
    assert (live(held), live(winner)) == (set(), {(held.space_id, None)})


def test_a_hold_of_which_a_part_was_given_away_is_not_confirmed(now: datetime) -> None:
    cameras = pool(2)
    held = world.booked(now=now, hold=True, extras=(Extra(pool=cameras, quantity=2),))
    world.booked(now=now + 11 * MIN, start_min=49, extras=(Extra(pool=cameras),))

    with pytest.raises(HoldExpired):
        services.confirm(booking=held, actor=world.STAFF, now=now + 9 * MIN)


def test_a_booking_that_is_just_moved_is_cancelled_where_it_is_now(now: datetime) -> None:
    booking, target = world.booked(now=now), world.studio()
    as_read = Booking.objects.get(pk=booking.pk)
    with transaction.atomic():
        services.move(
            booking=booking, change=services.Change(space=target), actor=world.STAFF, now=now
        )
        rival = Rival(
            lambda: services.cancel(booking=as_read, actor=world.STAFF, now=now)
        ).until_it_waits()

    row = rival.outcome()

    assert rival.refusal is None
    assert (row.status, row.space_id, row.version) == (Status.CANCELLED, target.pk, 3)
    assert live(booking) == set()


def test_a_booking_that_just_got_other_things_gives_all_of_them_back(now: datetime) -> None:
    booking, cameras = world.booked(now=now), pool(1)
    as_read = Booking.objects.get(pk=booking.pk)
    with transaction.atomic():
        change = services.Change(extras=[Extra(pool=cameras)])
        services.move(booking=booking, change=change, actor=world.STAFF, now=now)
        rival = Rival(
            lambda: services.cancel(booking=as_read, actor=world.STAFF, now=now)
        ).until_it_waits()

    assert rival.outcome().status == Status.CANCELLED
    assert live(booking) == set()


def test_inside_a_transaction_it_is_said_that_the_booking_moved(now: datetime) -> None:
    """Whoever opened it must begin again: what it read before is too old."""
    booking, target = world.booked(now=now), world.studio()
    as_read = Booking.objects.get(pk=booking.pk)
    services.move(
        booking=booking, change=services.Change(space=target), actor=world.STAFF, now=now
    )

    with pytest.raises(MovedMeanwhile), transaction.atomic():
        services.cancel(booking=as_read, actor=world.STAFF, now=now)


def test_two_swaps_of_the_same_two_at_once_bring_them_back(now: datetime) -> None:
    one, other = world.booked(now=now), world.booked(now=now, start_min=240)
    was = {(b.pk, b.space_id, b.starts_at) for b in (one, other)}
    read = [Booking.objects.get(pk=b.pk) for b in (other, one)]
    with transaction.atomic():
        services.swap(one=one, other=other, actor=world.STAFF, now=now)
        rival = Rival(
            lambda: services.swap(one=read[0], other=read[1], actor=world.STAFF, now=now)
        ).until_it_waits()

    rival.outcome()

    assert rival.refusal is None
    assert set(Booking.objects.values_list("pk", "space_id", "starts_at")) == was
    assert set(Booking.objects.values_list("version", flat=True)) == {3}
    assert all(len(live(b)) == 1 for b in (one, other))


def test_two_who_move_into_each_others_place_are_both_told_that_it_is_taken(now: datetime) -> None:
    one, other = world.booked(now=now), world.booked(now=now)
    with transaction.atomic():
        there = services.Change(space=other.space)
        with pytest.raises(SlotTaken), transaction.atomic():
            services.move(booking=one, change=there, actor=world.STAFF, now=now)
        back = services.Change(space=one.space)
        rival = Rival(
            lambda: services.move(booking=other, change=back, actor=world.STAFF, now=now)
        ).until_it_waits()

    assert rival.outcome() is None
    assert isinstance(rival.refusal, SlotTaken)
    assert all(len(live(b)) == 1 for b in (one, other))


def test_nobody_moves_into_an_expired_hold_past_who_waits_for_it(now: datetime) -> None:
    held = world.booked(now=now, hold=True, start_min=240)
    mine, first = world.booked(now=now, start_min=480), make.tenant()
    span = held.span
    asked = wish(now, first, space=held.space, span=span)
    entry = waiting.wait(wish=asked, any_of=None, actor=world.STAFF, now=now)
    later = now + 11 * MIN

    change = services.Change(space=held.space, starts_at=span.start)
    with pytest.raises(SlotTaken):
        services.move(booking=mine, change=change, actor=world.STAFF, now=later)
    services.expire_due(now=later)

    entry.refresh_from_db()
    assert entry.offered is not None
    assert live(entry.offered) == {(held.space_id, None)}


def test_a_stay_that_just_ended_is_not_transferred(now: datetime) -> None:
    booking, target = world.booked(now=now, start_min=30), world.studio()
    began = now + 30 * MIN
    services.check_in(booking=booking, actor=world.STAFF, token=None, pin=None, now=began)
    as_read = Booking.objects.get(pk=booking.pk)
    with transaction.atomic():
        services.check_out(booking=booking, actor=world.actor(booking.tenant), now=began + 9 * MIN)
        rival = Rival(
            lambda: transferring.transfer(
                booking=as_read, space=target, actor=world.STAFF, reason="red", now=began + 9 * MIN
            )
        ).until_it_waits()

    assert rival.outcome() is None
    assert isinstance(rival.refusal, TooLateToMove)
    assert not Allocation.objects.filter(space=target, active=True).exists()
