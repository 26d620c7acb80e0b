"""Bookings of several resources: all of it or nothing, and a lack says exactly what."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from base_ops.core.models import Space
from booking import services
from booking.domain.rules import RulesBroken
from booking.models import Allocation, Booking, EquipmentPool, EquipmentUnit
from booking.services import Extra
from tests import make
from tests.booking import world

pytestmark = pytest.mark.usefixtures("prices")
MIN = timedelta(minutes=1)


def pool(units: int = 2, **changes: Any) -> EquipmentPool:
    number = EquipmentPool.objects.count() + 1
    fields: dict[str, Any] = {"code": f"CAM-{number}", "name_zh": "摄像机", "name_en": "Camera"}
    fields["service_code"] = "SV-CAM"
    row = EquipmentPool.objects.create(**fields | changes)
    EquipmentUnit.objects.bulk_create(
        EquipmentUnit(pool=row, number=n) for n in range(1, units + 1)
    )
    return row


def makeup(seats: int = 3) -> Space:
    kind = make.space_type(tariff_code="TF-MAKEUP", setup_min=5, teardown_min=5, group="support")
    return make.space(type=kind, unit_count=seats, capacity=seats, booking_mode="slot")


def control_room() -> Space:
    kind = make.space_type(tariff_code="", group="support", setup_min=0, teardown_min=0)
    return make.space(type=kind, bookable=False, booking_mode="attached")


def lacking(caught: Any) -> list[tuple[str, int, int]]:
    return [(x["code"], x["wanted"], x["free"]) for x in caught.value.context["lacking"]]


def test_a_studio_with_seats_a_control_room_and_cameras_is_one_booking(now: datetime) -> None:
    seats, control, cameras = makeup(), control_room(), pool(3)

    booking = world.booked(
        now=now,
        extras=(
            Extra(space=seats, quantity=2),
            Extra(space=control),
            Extra(pool=cameras, quantity=2),
        ),
    )

    rows = Allocation.objects.filter(booking=booking, active=True)
    taken = sorted((r.space_id or 0, r.pool_id or 0, r.unit) for r in rows)
    assert taken == sorted(
        [
            (booking.space_id, 0, 0),
            (seats.pk, 0, 1),
            (seats.pk, 0, 2),
            (control.pk, 0, 0),
            (0, cameras.pk, 1),
            (0, cameras.pk, 2),
        ]
    )
    # Each with buffers of its own: 15 minutes around the studio, 5 around the seats, none else.
    lengths = {(r.space_id, r.pool_id): r.span.length // MIN for r in rows}
    assert lengths[booking.space_id, None] == 90
    assert lengths[seats.pk, None] == 70
    assert lengths[control.pk, None] == lengths[None, cameras.pk] == 60


def test_everything_beside_the_room_is_on_the_quote(now: datetime) -> None:
    plain = world.booked(now=now)

    booking = world.booked(
        now=now, extras=(Extra(space=makeup(), quantity=2), Extra(pool=pool(), quantity=2))
    )

    # Two seats at 20 yuan an hour in the afternoon, two cameras at 50 yuan an hour.
    assert booking.price_fen - plain.price_fen == 2 * 2000 + 2 * 5000
    assert sum(line["gross_fen"] for line in booking.quote["lines"]) == booking.price_fen


def test_a_lack_names_exactly_what_is_missing_and_offers_equal_ones(now: datetime) -> None:
    cameras, others = pool(2), pool(4)
    world.booked(now=now, extras=(Extra(pool=cameras, quantity=1),))
    seats = makeup()
    studio = world.studio()

    with pytest.raises(services.SlotTaken) as caught:
        world.booked(
            now=now, space=studio,
            extras=(Extra(space=seats, quantity=1), Extra(pool=cameras, quantity=2)),
        )  # fmt: skip

    assert lacking(caught) == [(cameras.code, 2, 1)]
    context: Any = caught.value.context
    assert [o["code"] for o in context["lacking"][0]["offers"]] == [others.code]
    assert context["alternatives"] == []  # the room itself was free
    assert not Allocation.objects.filter(space__in=[studio, seats]).exists()


def test_others_are_only_busy_in_a_lack(now: datetime) -> None:
    cameras = pool(1)
    first = world.booked(now=now, extras=(Extra(pool=cameras),))

    with pytest.raises(services.SlotTaken) as caught:
        world.booked(now=now, extras=(Extra(pool=cameras),))

    context: Any = caught.value.context
    conflict = context["conflicts"][0]
    assert (conflict["kind"], conflict["booking"]) == ("busy", None)
    assert first.code not in str(caught.value.context)


def test_things_out_of_service_are_not_given(now: datetime) -> None:
    cameras = pool(2)
    EquipmentUnit.objects.filter(pool=cameras, number=1).update(in_service=False)

    booking = world.booked(now=now, extras=(Extra(pool=cameras),))

    assert list(booking.allocations.filter(pool=cameras).values_list("unit", flat=True)) == [2]
    with pytest.raises(services.SlotTaken):
        world.booked(now=now, extras=(Extra(pool=cameras),))


def test_extras_may_have_a_time_of_their_own_and_the_same_pool_twice(now: datetime) -> None:
    seats, cameras = makeup(1), pool(1)
    before = world.span(now + 30 * MIN, 30)

    booking = world.booked(
        now=now,
        extras=(
            Extra(space=seats, span=before),
            Extra(pool=cameras, span=before),
            Extra(pool=cameras),
        ),
    )

    assert booking.allocations.filter(pool=cameras, unit=1, active=True).count() == 2
    with pytest.raises(services.SlotTaken):  # one thing cannot be in two places at once
        world.booked(now=now, start_min=24 * 60, extras=(Extra(pool=cameras), Extra(pool=cameras)))


@pytest.mark.parametrize(
    ("extra", "field"),
    [
        (lambda s: Extra(space=s), "extras.0.space"),
        (lambda s: Extra(space=make.space(bookable=False, booking_mode="none")), "extras.0.space"),
        (lambda s: Extra(space=makeup(2), quantity=3), "extras.0.quantity"),
        (lambda s: Extra(), "extras.0"),
        (lambda s: Extra(space=makeup(), pool=pool()), "extras.0"),
    ],
)
def test_impossible_extras_are_refused_by_name(now: datetime, extra: Any, field: str) -> None:
    studio = world.studio()

    with pytest.raises(RulesBroken) as caught:
        world.booked(now=now, space=studio, extras=(extra(studio),))

    assert [fault.name for fault in caught.value.fields] == [field]
    assert not Booking.objects.exists()


def test_cancelling_gives_everything_back(now: datetime) -> None:
    cameras = pool(1)
    booking = world.booked(now=now, extras=(Extra(pool=cameras),))

    services.cancel(booking=booking, actor=world.STAFF, now=now)

    again = world.booked(now=now, extras=(Extra(pool=cameras),))
    assert again.allocations.filter(pool=cameras, active=True).exists()


def test_an_expired_hold_gives_its_equipment_back_too(now: datetime) -> None:
    cameras = pool(1)
    world.booked(now=now, hold=True, extras=(Extra(pool=cameras),))

    later = world.booked(now=now + 10 * MIN, start_min=50, extras=(Extra(pool=cameras),))

    assert later.status == "confirmed"


def test_the_constraint_itself_refuses_one_thing_twice(now: datetime) -> None:
    from django.db import IntegrityError, transaction

    cameras = pool(1)
    booking = world.booked(now=now, extras=(Extra(pool=cameras),))
    row = booking.allocations.get(pool=cameras)

    row.pk = None
    with (
        pytest.raises(IntegrityError, match="allocation_no_overlap_in_pool"),
        transaction.atomic(),
    ):
        row.save()


def test_shared_buffers_overlap_and_added_ones_do_not(now: datetime) -> None:
    shared = world.studio(buffers_shared=True)
    added = world.studio()

    world.booked(now=now, space=shared, start_min=60)
    follower = world.booked(now=now, space=shared, start_min=135, override={"slot_grid"})
    world.booked(now=now, space=added, start_min=60)

    assert follower.starts_at == now + 135 * MIN  # 15 minutes behind the end of the first
    with pytest.raises(services.SlotTaken):
        world.booked(now=now, space=shared, start_min=209, override={"slot_grid"})
    with pytest.raises(services.SlotTaken):
        world.booked(now=now, space=added, start_min=149, override={"slot_grid"})
    assert world.booked(now=now, space=added, start_min=150).status == "confirmed"


def test_buffers_are_frozen_when_it_is_booked(now: datetime) -> None:
    booking = world.booked(now=now)
    kind = booking.space.type
    kind.setup_min, kind.teardown_min = 60, 60
    kind.save()

    booking.refresh_from_db()

    assert (booking.buffers.setup, booking.buffers.teardown) == (15 * MIN, 15 * MIN)


def test_an_early_end_gives_back_what_was_wanted_later(now: datetime) -> None:
    cameras = pool(1)
    later = world.span(now + 180 * MIN, 30)
    booking = world.booked(
        now=now, start_min=0, minutes=240, extras=(Extra(pool=cameras, span=later),)
    )
    services.check_in(booking=booking, actor=world.STAFF, now=now)

    services.check_out(booking=booking, actor=world.STAFF, now=now + 30 * MIN)

    assert not booking.allocations.filter(pool=cameras, active=True).exists()
