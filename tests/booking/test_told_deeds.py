"""Which deeds tell what: the notices that the real services leave behind."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from base_ops.core.actors import SYSTEM
from base_ops.core.models import InboxItem, Notice, Role
from base_ops.core.notifications import fanning, templates
from booking import services
from booking.domain.states import Deed, Status
from booking.models import Booking
from booking.services.changing import advance, locked
from tests import make
from tests.booking import world
from tests.booking.test_stay import MIN, SEC, come_in, on_air

pytestmark = pytest.mark.usefixtures("prices")


def told() -> list[str]:
    """The kinds that were told, in order."""
    return list(Notice.objects.order_by("pk").values_list("kind", flat=True))


def pending(now: datetime) -> Booking:
    """A hold whose tenant asked for approval."""
    booking = world.booked(now=now, hold=True)
    with transaction.atomic():
        row = locked(booking)
        advance(row, Deed.REQUEST, actor=world.actor(row.tenant), why="1,000 guests", now=now,
                expires_at=None)  # fmt: skip
    return row


def test_a_booking_is_told_when_it_is_confirmed_and_to_its_tenant_only(now: datetime) -> None:
    booking = world.booked(now=now)
    other = make.user(Role.TENANT_ADMIN)
    fanning.fan_out(now)

    assert told() == ["booking.confirmed"]
    assert set(InboxItem.objects.values_list("user__tenant_id", flat=True)) == {booking.tenant_id}
    assert not InboxItem.objects.filter(user=other).exists()


def test_a_hold_tells_who_placed_it_then_its_confirmation_tells_all(now: datetime) -> None:
    booking = world.booked(now=now, hold=True)
    services.confirm(booking=booking, actor=world.actor(booking.tenant), now=now)

    rows = list(Notice.objects.order_by("pk").values_list("kind", "audience"))
    assert [kind for kind, _ in rows] == ["booking.held", "booking.confirmed"]
    assert [audience.split(":")[0] for _, audience in rows] == ["user", "tenant"]


def test_a_booking_that_is_refused_tells_nothing(now: datetime) -> None:
    first = world.booked(now=now)
    with pytest.raises(services.SlotTaken):
        world.booked(now=now, space=first.space)

    assert told() == ["booking.confirmed"]


@pytest.mark.parametrize(
    ("decide", "kind"),
    [
        ("approve", "booking.approved"),
        ("reject", "booking.rejected"),
        ("expire", "booking.rejected"),
    ],
)
def test_a_request_tells_managers_and_its_decision_the_tenant(
    now: datetime, decide: str, kind: str
) -> None:
    booking = pending(now)
    manager = make.user(Role.MANAGER).actor
    if decide == "approve":
        services.approve(booking=booking, actor=manager, now=now)
    elif decide == "reject":
        services.reject(booking=booking, actor=manager, reason="too loud", now=now)
    else:
        services.expire_due(now=booking.starts_at)

    asked, decided = Notice.objects.order_by("pk")[1:]
    assert (asked.kind, asked.audience) == ("booking.pending_approval", "roles:manager")
    assert asked.params["reason"] == "1,000 guests"
    assert (decided.kind, decided.audience) == (kind, f"tenant:{booking.tenant_id}")


def test_cancelling_tells_why_but_dropping_a_hold_nobody(now: datetime) -> None:
    held = world.booked(now=now, hold=True)
    services.cancel(booking=held, actor=world.actor(held.tenant), now=now)
    booking = world.booked(now=now)
    services.cancel(booking=booking, actor=world.STAFF, reason="水管维修", now=now)

    assert told() == ["booking.held", "booking.confirmed", "booking.cancelled"]
    assert Notice.objects.latest("pk").params["reason"] == "水管维修"


def test_a_hold_that_runs_out_tells_nobody(now: datetime) -> None:
    booking = world.booked(now=now, hold=True)
    services.expire_due(now=now + timedelta(hours=1))

    booking.refresh_from_db()
    assert booking.status == Status.EXPIRED
    assert told() == ["booking.held"]


def test_a_room_that_is_not_ready_is_told_with_the_one_that_is_free(now: datetime) -> None:
    booking = world.booked(now=now)
    ready_at = booking.starts_at - 15 * MIN
    services.run_prepare(now=ready_at)
    services.record_ready(now=ready_at + 60 * SEC)
    services.record_ready(now=ready_at + 61 * SEC)

    assert told() == ["booking.confirmed", "booking.starts_soon", "booking.ready_red_no_room"]
    other = world.booked(now=now, start_min=600)
    equal = world.studio()
    at = other.starts_at - 15 * MIN
    services.run_prepare(now=at)
    services.record_ready(now=at + 60 * SEC)

    notice = Notice.objects.filter(kind="booking.ready_red").get()
    proposed: Any = notice.params["proposed"]
    assert proposed["zh"] in {equal.name_zh, booking.space.name_zh}
    assert templates.rendered(templates.known()[notice.kind], notice.params, "zh").body


def test_a_show_that_runs_over_is_told_of_each_extension(now: datetime) -> None:
    booking = on_air(world.booked(now=now))
    services.extend_due(now=booking.ends_at - 30 * SEC)
    services.extend_due(now=booking.ends_at + 14 * MIN + 30 * SEC)

    assert told() == ["booking.confirmed", "booking.extended", "booking.extended"]


def test_a_show_before_another_is_warned_at_ten_and_five(now: datetime) -> None:
    first = on_air(world.booked(now=now))
    world.booked(now=now, space=first.space, start_min=150)
    for minutes in (11, 10, 9, 5, 4):
        services.warn_due(now=first.ends_at - minutes * MIN)

    warned = Notice.objects.filter(kind="booking.ending_soon").order_by("pk")
    assert [n.params["minutes"] for n in warned] == [10, 5]


def test_nobody_came_is_told_once_and_who_came_hears_nothing(now: datetime) -> None:
    missed, kept = world.booked(now=now), world.booked(now=now)
    come_in(kept, kept.starts_at)
    for _ in range(2):
        services.release_no_shows(now=missed.starts_at + 20 * MIN)

    released = Notice.objects.get(kind="booking.released")
    assert released.audience == f"tenant:{missed.tenant_id}"
    assert released.params["grace_min"] == 20


def test_what_time_does_by_itself_is_no_news(now: datetime) -> None:
    booking = world.booked(now=now)
    come_in(booking, booking.starts_at)
    before = told()
    with transaction.atomic():
        advance(locked(booking), Deed.COMPLETE, actor=SYSTEM, now=now)

    assert told() == before
