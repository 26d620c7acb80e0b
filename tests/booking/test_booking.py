"""Book, confirm, cancel, amend: what is taken, what it costs, what is refused."""

from datetime import datetime, timedelta

import pytest

from base_ops.core import errors
from base_ops.core.models import AuditEntry
from billing.models import Charge, Reservation
from booking import selectors, services
from booking.domain import rules
from booking.domain.states import WrongState
from booking.models import Allocation, Booking
from tests import make
from tests.booking import world

pytestmark = pytest.mark.usefixtures("prices")
MIN = timedelta(minutes=1)


def test_a_hold_takes_the_room_with_its_buffers_at_the_price_of_the_moment(now: datetime) -> None:
    booking = world.booked(now=now, hold=True)

    row = Allocation.objects.get(booking=booking)
    assert (row.span.start, row.span.end) == (
        booking.starts_at - 15 * MIN,
        booking.ends_at + 15 * MIN,
    )
    assert booking.status == "held"
    assert booking.expires_at == now + 10 * MIN
    assert booking.price_fen == booking.quote["total_fen"] == 6000
    assert AuditEntry.objects.filter(action="booking.book", object_code=booking.code).exists()


@pytest.mark.parametrize("gap_min", [0, 15, 29])
def test_buffers_keep_bookings_apart(now: datetime, gap_min: int) -> None:
    first = world.booked(now=now, start_min=60)
    start = 120 + gap_min

    with pytest.raises(services.SlotTaken):
        world.booked(now=now, space=first.space, start_min=start, override={"slot_grid"})


def test_the_slot_right_behind_the_buffers_is_free(now: datetime) -> None:
    first = world.booked(now=now, start_min=60)

    second = world.booked(now=now, space=first.space, start_min=150)

    assert second.status == "confirmed"


def test_a_refusal_says_what_is_in_the_way_and_offers_times_and_rooms(now: datetime) -> None:
    first = world.booked(now=now, start_min=120)
    equal = world.studio()

    with pytest.raises(services.SlotTaken) as caught:
        world.booked(now=now, space=first.space, start_min=120)

    context = caught.value.context
    assert context["conflicts"] == [
        {
            "space": first.space.code,
            "from": (first.starts_at - 15 * MIN).isoformat(),
            "to": (first.ends_at + 15 * MIN).isoformat(),
            "kind": "busy",
            "booking": None,
        }
    ]
    offers = context["alternatives"]
    assert [o["kind"] for o in offers] == ["space", "time", "time", "time"]  # type: ignore[attr-defined]
    assert offers[0]["space"] == equal.code  # type: ignore[index]


def test_every_alternative_can_be_booked(now: datetime) -> None:
    first = world.booked(now=now, start_min=120)
    world.studio()
    with pytest.raises(services.SlotTaken) as caught:
        world.booked(now=now, space=first.space, start_min=120)

    for offer in caught.value.context["alternatives"]:  # type: ignore[attr-defined]
        space = selectors.bookable_spaces()
        room = next(s for s in space if s.code == offer["space"])
        start = datetime.fromisoformat(offer["starts_at"])
        booking = world.booked(now=now, space=room, start_min=int((start - now) / MIN), hold=True)
        services.cancel(booking=booking, actor=world.STAFF, now=now)


def test_ones_own_booking_in_the_way_is_named(now: datetime) -> None:
    first = world.booked(now=now)

    with pytest.raises(services.SlotTaken) as caught:
        world.booked(now=now, space=first.space, tenant=first.tenant)

    assert caught.value.context["conflicts"][0]["booking"] == first.code  # type: ignore[index]


def test_units_do_not_conflict_until_they_are_used_up(now: datetime) -> None:
    makeup = world.studio(unit_count=2)

    one = world.booked(now=now, space=makeup)
    two = world.booked(now=now, space=makeup)

    assert {a.unit for b in (one, two) for a in b.allocations.all()} == {1, 2}
    with pytest.raises(services.SlotTaken):
        world.booked(now=now, space=makeup)


def test_an_expired_hold_gives_way_in_the_transaction_that_wants_its_slot(now: datetime) -> None:
    hold = world.booked(now=now, hold=True, start_min=120)
    later = now + 10 * MIN

    second = world.booked(now=later, space=hold.space, start_min=110)

    assert second.status == "confirmed"
    assert not hold.allocations.filter(active=True).exists()
    assert services.expire_due(now=later) == 1
    hold.refresh_from_db()
    assert hold.status == "expired"
    assert Reservation.objects.get(source=f"booking/{hold.code}").state == "released"


def test_confirming_after_the_hold_ended_is_refused(now: datetime) -> None:
    hold = world.booked(now=now, hold=True)

    with pytest.raises(errors.Conflict) as caught:
        services.confirm(booking=hold, actor=world.STAFF, now=now + 10 * MIN)

    assert caught.value.code == "hold_expired"


def test_confirming_keeps_the_slot_for_good(now: datetime) -> None:
    hold = world.booked(now=now, hold=True)

    booking = services.confirm(booking=hold, actor=world.actor(hold.tenant), now=now + MIN)

    assert booking.status == "confirmed"
    assert services.expire_due(now=now + 60 * MIN) == 0
    with pytest.raises(services.SlotTaken):
        world.booked(now=now + 20 * MIN, space=hold.space, start_min=40, override={"slot_grid"})


@pytest.mark.parametrize(("ahead_h", "fee_fen"), [(24, 0), (23, 1800), (4, 1800), (3, 4800)])
def test_a_late_cancellation_costs_by_how_late_it_is(
    now: datetime, ahead_h: int, fee_fen: int
) -> None:
    booking = world.booked(now=now, start_min=48 * 60)

    services.cancel(
        booking=booking,
        actor=world.actor(booking.tenant),
        now=booking.starts_at - timedelta(hours=ahead_h),
    )

    charged = Charge.objects.filter(booking_code=booking.code)
    assert sum(c.gross_fen for c in charged) == fee_fen
    assert not Allocation.objects.filter(booking=booking, active=True).exists()


def test_a_tenant_cannot_cancel_what_began_and_nobody_what_is_over(now: datetime) -> None:
    booking = world.booked(now=now)

    with pytest.raises(errors.Conflict) as caught:
        services.cancel(booking=booking, actor=world.actor(booking.tenant), now=booking.starts_at)
    services.cancel(booking=booking, actor=world.STAFF, now=booking.starts_at)

    assert caught.value.code == "already_started"
    with pytest.raises(WrongState):
        services.cancel(booking=booking, actor=world.STAFF, now=booking.starts_at)


def test_a_quote_books_at_its_price_until_it_expires(now: datetime) -> None:
    space, tenant = world.studio(), make.tenant()
    wish = services.BookingWish(space=space, tenant=tenant, span=world.span(now + 60 * MIN))
    offer = services.offer_quote(wish=wish, now=now)

    with pytest.raises(services.QuoteExpired):
        world.booked(
            now=now + 30 * MIN, space=space, tenant=tenant, start_min=30,
            quote_token=offer["token"],
        )  # fmt: skip
    with pytest.raises(services.QuoteExpired):
        world.booked(now=now, space=space, tenant=tenant, minutes=90, quote_token=offer["token"])
    booking = world.booked(now=now, space=space, tenant=tenant, quote_token=offer["token"])

    assert booking.price_fen == offer["quote"]["total_fen"]


def test_amending_quotes_again_and_respects_the_room(now: datetime) -> None:
    booking = world.booked(now=now)

    changed = services.amend(
        booking=booking, actor=world.STAFF, title="新名", purpose=None, headcount=4, now=now
    )

    assert (changed.title, changed.headcount, changed.version) == ("新名", 4, 2)
    with pytest.raises(rules.RulesBroken):
        services.amend(
            booking=booking, actor=world.STAFF, title=None, purpose=None, headcount=5, now=now
        )


def test_nobody_overrides_the_conflict(now: datetime) -> None:
    first = world.booked(now=now)

    with pytest.raises(services.SlotTaken):
        world.booked(now=now, space=first.space, override={"slot_grid", "conflict", "slot_taken"})
    assert Booking.objects.count() == 1
