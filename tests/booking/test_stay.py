"""From T-15 to the bill: prepare, check-in, on air, overtime, the end, no-shows."""

from datetime import datetime, timedelta

import pytest

from base_ops.core.models import LiveTopic
from billing.models import Charge
from booking import occupancy, services
from booking.models import Allocation, Booking
from booking.services.staying import TooEarly, TooLate, WrongCode
from devices.models import Alarm, Command, EnergyReading, Grant, SceneRun
from tests import make
from tests.booking import world
from tests.devices import make as kit

pytestmark = pytest.mark.usefixtures("prices")
MIN = timedelta(minutes=1)
SEC = timedelta(seconds=1)


def scenes(booking: Booking) -> list[str]:
    rows = SceneRun.objects.filter(booking_code=booking.code).order_by("created_at", "id")
    return list(rows.values_list("scene", flat=True))


def come_in(booking: Booking, at: datetime) -> Booking:
    return services.check_in(
        booking=booking, actor=world.actor(booking.tenant), pin=booking.pin, now=at
    )


def on_air(booking: Booking) -> Booking:
    """Checked in at the start and on air a minute later."""
    come_in(booking, booking.starts_at)
    world.encoder_says(booking.space, run="live", now=booking.starts_at + MIN)
    booking.refresh_from_db()
    return booking


def fees(booking: Booking) -> dict[str, int]:
    rows = Charge.objects.filter(booking_code=booking.code)
    totals: dict[str, int] = {}
    for row in rows:
        totals[row.kind] = totals.get(row.kind, 0) + row.gross_fen
    return totals


def test_a_room_is_prepared_once_a_quarter_of_an_hour_before(now: datetime) -> None:
    booking = world.booked(now=now)

    early = services.run_prepare(now=booking.starts_at - 16 * MIN)
    due = [services.run_prepare(now=booking.starts_at - 15 * MIN) for _ in range(3)]

    assert (early, due) == (0, [1, 0, 0])
    assert scenes(booking) == ["prepare"]


def test_a_room_that_does_not_get_ready_turns_red_and_proposes_another(now: datetime) -> None:
    booking = world.booked(now=now)
    equal = world.studio()
    ready_at = booking.starts_at - 15 * MIN
    services.run_prepare(now=ready_at)

    patient = services.record_ready(now=ready_at + 59 * SEC)
    red = services.record_ready(now=ready_at + 60 * SEC)

    booking.refresh_from_db()
    assert (patient, red) == (0, 1)
    assert booking.ready == "red"
    assert booking.ready_reasons
    assert booking.proposal is not None
    assert booking.proposal["space"] == equal.code


def test_a_red_light_is_one_alarm_on_the_room_until_the_booking_is_over(now: datetime) -> None:
    booking = world.booked(now=now)
    services.run_prepare(now=booking.starts_at - 15 * MIN)

    for seconds in (60, 62, 64):
        services.record_ready(now=booking.starts_at - 15 * MIN + seconds * SEC)
    raised = Alarm.objects.get(code="not_ready")
    services.record_ready(now=booking.ends_at)

    assert (raised.space, raised.cleared_at) == (booking.space, None)
    assert raised.detail["booking"] == booking.code
    assert Alarm.objects.get(code="not_ready").cleared_at == booking.ends_at


def test_check_in_gives_control_until_the_end_and_starts_the_show(now: datetime) -> None:
    booking = world.booked(now=now)

    come_in(booking, booking.starts_at - 15 * MIN)

    grant = Grant.objects.get(booking_code=booking.code)
    assert (grant.until, grant.revoked_at) == (booking.ends_at, None)
    assert scenes(booking) == ["on_air"]
    command = Command.objects.get(device__space=booking.space)
    assert command.state["until"] == booking.ends_at.timestamp() * 1000


@pytest.mark.parametrize(("units", "whole"), [(1, False), (2, True)])
def test_only_who_has_the_whole_room_gets_its_devices_and_its_meter(
    now: datetime, units: int, whole: bool
) -> None:
    shared = world.studio(unit_count=2)
    booking = world.booked(now=now, space=shared, units=units)
    meter = kit.device("power_meter", space=shared)

    come_in(booking, booking.starts_at)
    for minutes, wh in ((0, 1000.0), (60, 1500.0)):
        at = booking.starts_at + minutes * MIN
        EnergyReading.objects.create(device=meter, minute=at, at=at, wh=wh)
    services.check_out(
        booking=booking, actor=world.actor(booking.tenant), now=booking.starts_at + 60 * MIN
    )

    booking.refresh_from_db()
    assert booking.status == "completed"
    assert Grant.objects.filter(booking_code=booking.code).exists() == whole
    assert ("on_air" in scenes(booking)) == whole
    assert (booking.energy_wh, booking.live_minutes) == ((500, 0) if whole else (None, None))


def test_leaving_a_shared_room_does_not_stop_somebody_elses_show(now: datetime) -> None:
    shared = world.studio(unit_count=2)
    booking = world.booked(now=now, space=shared)
    come_in(booking, booking.starts_at)
    world.encoder_says(shared, run="live", now=booking.starts_at + MIN)

    services.check_out(
        booking=booking, actor=world.actor(booking.tenant), now=booking.starts_at + 30 * MIN
    )

    booking.refresh_from_db()
    assert booking.status == "completed"
    assert not Command.objects.filter(device__space=shared).exists()


def test_check_in_opens_with_setup_and_closes_with_the_grace_period(now: datetime) -> None:
    booking = world.booked(now=now)

    with pytest.raises(TooEarly):
        come_in(booking, booking.starts_at - 15 * MIN - SEC)
    with pytest.raises(TooLate):
        come_in(booking, booking.starts_at + 20 * MIN + SEC)
    assert come_in(booking, booking.starts_at + 20 * MIN).status == "checked_in"


def test_the_door_wants_this_bookings_code(now: datetime) -> None:
    booking, other = world.booked(now=now), world.booked(now=now)
    actor, at = world.actor(booking.tenant), booking.starts_at
    code = services.code_for_door(booking=booking, now=at)
    foreign = services.code_for_door(booking=other, now=at)
    old = services.code_for_door(booking=booking, now=at - 11 * MIN)
    wrong_pin = "000000" if booking.pin != "000000" else "111111"

    for shown in (
        {},
        {"pin": wrong_pin},
        {"token": foreign["token"]},
        {"token": old["token"]},
        {"token": "nonsense"},
    ):
        with pytest.raises(WrongCode):
            services.check_in(booking=booking, actor=actor, now=at, **shown)
    checked_in = services.check_in(booking=booking, actor=actor, token=str(code["token"]), now=at)
    assert checked_in.status == "checked_in"


def test_an_early_end_stops_the_show_then_wraps_and_charges_the_booked_time(
    now: datetime,
) -> None:
    booking = on_air(world.booked(now=now, minutes=120))
    tenant, early = world.actor(booking.tenant), booking.starts_at + 30 * MIN

    services.check_out(booking=booking, actor=tenant, now=early)
    still_streaming = services.wrap_up(now=early + SEC)
    world.encoder_says(booking.space, run="stopped", now=early + 2 * SEC)
    off_air = services.wrap_up(now=early + 3 * SEC)

    booking.refresh_from_db()
    assert (booking.status, booking.ended_at) == ("completed", early)
    assert (still_streaming, off_air) == (0, 1)
    assert scenes(booking) == ["on_air", "wrap"]
    assert Grant.objects.get(booking_code=booking.code).revoked_at is not None
    assert fees(booking) == {"room": booking.price_fen}
    block = Allocation.objects.get(booking=booking).span
    assert block.end == early + 15 * MIN


def test_a_show_on_air_is_extended_while_the_room_is_free_and_pays_overtime(
    now: datetime,
) -> None:
    booking = on_air(world.booked(now=now, minutes=120))
    end = booking.ends_at

    too_soon = services.extend_due(now=end - 46 * SEC)
    extended = [services.extend_due(now=end - 45 * SEC) for _ in range(2)]

    booking.refresh_from_db()
    assert (too_soon, extended) == (0, [1, 0])
    assert (booking.ends_at, booking.overtime_until) == (end, end + 15 * MIN)
    assert Grant.objects.get(booking_code=booking.code).until == end + 15 * MIN
    last = Command.objects.filter(device__space=booking.space).order_by("-id")[0]
    assert last.state["until"] == (end + 15 * MIN).timestamp() * 1000

    world.encoder_says(booking.space, run="stopped", now=end + 5 * MIN)
    assert services.end_due(now=end + 5 * MIN) == 1
    booking.refresh_from_db()
    assert (booking.status, booking.ended_at) == ("completed", end + 5 * MIN)
    assert fees(booking)["overtime"] > 0


def test_a_show_that_stops_in_time_pays_no_overtime(now: datetime) -> None:
    booking = on_air(world.booked(now=now))
    services.extend_due(now=booking.ends_at - 30 * SEC)

    world.encoder_says(booking.space, run="stopped", now=booking.ends_at - 5 * SEC)
    services.end_due(now=booking.ends_at)

    assert set(fees(booking)) == {"room"}


def test_before_another_booking_a_show_is_warned_twice_and_not_extended(now: datetime) -> None:
    booking = world.booked(now=now, minutes=60)
    world.booked(now=now, space=booking.space, start_min=150)
    on_air(booking)
    end = booking.ends_at

    warned = [services.warn_due(now=end - m * MIN) for m in (11, 10, 9, 5, 4)]

    assert warned == [0, 1, 0, 1, 0]
    assert services.extend_due(now=end - 30 * SEC) == 0
    assert services.end_due(now=end) == 0  # on air: nobody switches it off
    world.encoder_says(booking.space, run="stopped", now=end + SEC)
    assert services.end_due(now=end + 2 * SEC) == 1
    booking.refresh_from_db()
    assert booking.ended_at == end


def test_nobody_came_the_room_is_released_and_charged(now: datetime) -> None:
    booking = world.booked(now=now)
    services.run_prepare(now=booking.starts_at - 10 * MIN)

    waiting = services.release_no_shows(now=booking.starts_at + 20 * MIN - SEC)
    released = [services.release_no_shows(now=booking.starts_at + 20 * MIN) for _ in range(2)]

    booking.refresh_from_db()
    assert (waiting, released, booking.status) == (0, [1, 0], "no_show")
    assert scenes(booking) == ["prepare", "wrap"]
    assert sum(fees(booking).values()) == booking.price_fen
    assert not Allocation.objects.filter(booking=booking, active=True).exists()


def test_a_room_on_air_is_not_released_but_checked_in(now: datetime) -> None:
    booking = world.booked(now=now)
    world.encoder_says(booking.space, run="live", now=booking.starts_at)

    services.release_no_shows(now=booking.starts_at + 20 * MIN)

    booking.refresh_from_db()
    assert booking.status == "checked_in"
    assert Grant.objects.filter(booking_code=booking.code, revoked_at=None).exists()


def test_a_classroom_ends_by_the_clock(now: datetime) -> None:
    classroom = make.space(type=world.single())
    booking = world.booked(now=now, space=classroom)
    come_in(booking, booking.starts_at)

    early, due = (services.end_due(now=booking.ends_at - d) for d in (SEC, 0 * SEC))

    booking.refresh_from_db()
    assert (early, due, booking.status) == (0, 1, "completed")


def test_going_on_air_shows_in_the_same_transaction_to_each_audience(now: datetime) -> None:
    booking = world.booked(now=now)
    occupancy.refresh_all(now=now)

    on_air(booking)

    states = dict(LiveTopic.objects.filter(name__startswith="occ.").values_list("name", "state"))
    code = booking.space.code
    ops, public = states["occ.ops"][code], states["occ.public"][code]
    own = states[f"occ.tenant.{booking.tenant.code}"][code]
    assert (ops["status"], ops["booking"], own["booking"]) == ("live", booking.code, booking.code)
    assert set(public) == {"status", "since", "until", "on_air", "at"}
    assert public == states["occ.gov"][code]


def test_a_quiet_tick_publishes_nothing(now: datetime) -> None:
    world.booked(now=now)
    occupancy.refresh_all(now=now)
    before = list(LiveTopic.objects.values_list("name", "seq"))

    occupancy.refresh_all(now=now + SEC)

    assert list(LiveTopic.objects.values_list("name", "seq")) == before


def test_a_tenants_topic_forgets_the_room_when_the_booking_is_over(now: datetime) -> None:
    booking = world.booked(now=now)
    topic = f"occ.tenant.{booking.tenant.code}"
    assert booking.space.code in LiveTopic.objects.get(name=topic).state

    services.cancel(booking=booking, actor=world.STAFF, now=now)

    assert LiveTopic.objects.get(name=topic).state == {}
