"""Running over, to the instant: extended while free, warned; the next booking told and owed."""

from datetime import datetime

import pytest

from base_ops.core.models import LiveTopic
from base_ops.core.models.notices import Notice
from billing.models import Charge
from booking import occupancy, services
from booking.models import Allocation, Booking, LateStart
from booking.services.lateness import RoomNotFree
from tests.booking import stays, world
from tests.booking.stays import MIN, SEC, TICK

pytestmark = pytest.mark.usefixtures("prices")


def pair(now: datetime) -> tuple[Booking, Booking]:
    """A show on air for an hour, and another right behind both buffers: half an hour later."""
    first = world.booked(now=now)
    second = world.booked(now=now, space=first.space, start_min=150)
    return stays.on_air(first), second


def stops(booking: Booking, at: datetime) -> None:
    """The encoder stops and the job ends the stay."""
    world.encoder_says(booking.space, run="stopped", now=at)
    assert services.end_due(now=at) == 1


def fen(booking: Booking, kind: str) -> int:
    rows = Charge.objects.filter(booking_code=booking.code, kind=kind)
    return sum(row.gross_fen for row in rows)


def kinds(booking: Booking) -> list[str]:
    rows = Notice.objects.filter(dedup__contains=booking.code).order_by("id")
    return [kind for kind in rows.values_list("kind", flat=True) if kind != "booking.confirmed"]


def test_extended_exactly_45_seconds_before_the_end_a_quarter_at_a_time(now: datetime) -> None:
    booking = stays.on_air(world.booked(now=now))
    end = booking.ends_at

    done = [
        services.extend_due(now=at)
        for at in (
            end - 45 * SEC - TICK, end - 45 * SEC, end + 15 * MIN - 45 * SEC - TICK,
            end + 15 * MIN - 45 * SEC,
        )
    ]  # fmt: skip

    booking.refresh_from_db()
    assert done == [0, 1, 0, 1]
    assert (booking.ends_at, booking.overtime_until) == (end, end + 30 * MIN)
    assert Allocation.objects.get(booking=booking).span.end == end + 45 * MIN
    assert kinds(booking).count("booking.extended") == 2


def test_extended_only_while_the_next_quarter_and_its_teardown_are_free(now: datetime) -> None:
    booking = world.booked(now=now)
    world.booked(now=now, space=booking.space, start_min=180)  # its block begins at 165
    stays.on_air(booking)  # 60 to 120, its block ends at 135
    end = booking.ends_at

    done = [services.extend_due(now=end + n * 15 * MIN - 30 * SEC) for n in range(3)]

    booking.refresh_from_db()
    assert done == [1, 1, 0]
    assert booking.overtime_until == end + 30 * MIN


@pytest.mark.parametrize(
    ("before", "marks"),
    [
        ([10 * MIN + TICK], []),
        ([10 * MIN], [10]),
        ([10 * MIN, 5 * MIN + TICK], [10]),
        ([10 * MIN, 5 * MIN], [10, 5]),
        ([5 * MIN], [5]),
        ([10 * MIN, 5 * MIN, 4 * MIN, SEC], [10, 5]),
    ],
)
def test_warned_at_ten_and_at_five_minutes_sharp(
    now: datetime, before: list[object], marks: list[int]
) -> None:
    booking, _ = pair(now)

    for left in before:
        services.warn_due(now=booking.ends_at - left)  # type: ignore[operator]

    rows = Notice.objects.filter(kind="booking.ending_soon", dedup__contains=booking.code)
    assert [row.params["minutes"] for row in rows.order_by("id")] == marks


def test_an_early_end_gives_the_time_back_at_once(now: datetime) -> None:
    booking = world.booked(now=now, minutes=120)
    stays.come_in(booking, booking.starts_at)
    gone = booking.starts_at + 30 * MIN

    services.check_out(booking=booking, actor=world.actor(booking.tenant), now=gone)
    other = world.booked(now=gone, space=booking.space, start_min=30)

    assert Allocation.objects.get(booking=booking).span.end == gone + 15 * MIN
    assert other.starts_at == gone + 30 * MIN < booking.ends_at


def test_a_show_that_runs_into_the_next_setup_makes_it_late_to_the_instant(now: datetime) -> None:
    first, second = pair(now)
    setup = second.starts_at - 15 * MIN

    noted = [services.note_late_rooms(now=at) for at in (setup - TICK, setup, setup + SEC)]

    late = LateStart.objects.get()
    assert noted == [0, 1, 0]
    assert (late.booking, late.caused_by, late.ate_setup_at) == (second, first, setup)
    assert late.freed_at is None


def test_the_next_tenant_is_told_with_an_equal_free_room_and_never_who(now: datetime) -> None:
    first, second = pair(now)
    equal = world.studio()

    services.note_late_rooms(now=second.starts_at - 15 * MIN)

    proposal = LateStart.objects.get().proposal
    assert proposal is not None
    assert proposal["space"] == equal.code
    (notice,) = Notice.objects.filter(kind="booking.room_late_proposal")
    assert notice.params["booking"] == second.code
    assert notice.params["proposed"]["zh"] == equal.name_zh
    assert first.code not in str(notice.params)
    assert first.tenant.name_zh not in str(notice.params)


def test_without_an_equal_room_it_is_told_too(now: datetime) -> None:
    _, second = pair(now)

    services.note_late_rooms(now=second.starts_at - 15 * MIN)

    assert kinds(second) == ["booking.room_late"]


def test_the_occupancy_shows_the_late_room_until_it_is_free(now: datetime) -> None:
    first, second = pair(now)
    at = second.starts_at - 15 * MIN
    topic = f"occ.tenant.{second.tenant.code}"

    services.note_late_rooms(now=at)
    shown = LiveTopic.objects.get(name=topic).state[first.space.code]
    stops(first, at + MIN)
    occupancy.refresh_all(now=at + MIN)
    after = LiveTopic.objects.get(name=topic).state[first.space.code]

    assert shown["late_until"] == second.starts_at.isoformat()
    assert after["late_until"] is None


def test_nobody_comes_in_while_the_show_before_still_runs(now: datetime) -> None:
    first, second = pair(now)
    at = second.starts_at
    services.note_late_rooms(now=at)

    with pytest.raises(RoomNotFree) as refusal:
        stays.come_in(second, at)
    stops(first, at + 5 * MIN)

    assert refusal.value.context["expected_at"] == (at + 15 * MIN).isoformat()
    assert stays.come_in(second, at + 5 * MIN).status == "checked_in"


def test_the_grace_period_begins_when_the_late_room_is_free(now: datetime) -> None:
    first, second = pair(now)
    start = second.starts_at
    services.note_late_rooms(now=start)

    kept = services.release_no_shows(now=start + 20 * MIN)
    stops(first, start + 25 * MIN)
    waiting = services.release_no_shows(now=start + 45 * MIN - TICK)
    released = services.release_no_shows(now=start + 45 * MIN)

    second.refresh_from_db()
    assert (kept, waiting, released, second.status) == (0, 0, 1, "no_show")


def test_whom_a_late_room_kept_out_pays_nothing(now: datetime) -> None:
    first, second = pair(now)
    start = second.starts_at
    services.note_late_rooms(now=start)
    stops(first, start + 10 * MIN)

    services.release_no_shows(now=start + 30 * MIN)

    second.refresh_from_db()
    assert second.status == "no_show"
    assert not Charge.objects.filter(booking_code=second.code).exists()


def test_minutes_lost_are_credited_once_when_the_stay_is_charged(now: datetime) -> None:
    first, second = pair(now)
    start = second.starts_at
    services.note_late_rooms(now=start)
    stops(first, start + 20 * MIN + SEC)
    stays.come_in(second, start + 21 * MIN)

    services.check_out(booking=second, actor=world.actor(second.tenant), now=second.ends_at)

    late = LateStart.objects.get()
    assert (late.freed_at, late.lost_min) == (start + 20 * MIN + SEC, 21)
    assert late.credited_at == second.ends_at
    assert -fen(second, "room") < fen(second, "credit") < 0
    assert Charge.objects.filter(booking_code=second.code, kind="credit").count() == 1


def test_a_room_that_is_free_before_the_start_costs_the_base_nothing(now: datetime) -> None:
    first, second = pair(now)
    services.note_late_rooms(now=second.starts_at - 10 * MIN)
    stops(first, second.starts_at)

    stays.come_in(second, second.starts_at)
    services.check_out(booking=second, actor=world.actor(second.tenant), now=second.ends_at)

    assert LateStart.objects.get().lost_min == 0
    assert fen(second, "credit") == 0


def test_on_air_of_the_show_before_checks_nobody_in(now: datetime) -> None:
    _, second = pair(now)

    services.release_no_shows(now=second.starts_at + 20 * MIN)

    second.refresh_from_db()
    assert second.status in ("confirmed", "no_show")
    assert second.checked_in_at is None
