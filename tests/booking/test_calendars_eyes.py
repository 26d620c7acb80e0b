"""Calendar feeds: what whose eyes may see, and addresses that end."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from psycopg.types.range import TimestamptzRange

from base_ops.core import clock
from base_ops.core.models import Role, User
from booking import services
from booking.models import Allocation, CalendarFeed
from tests import make
from tests.booking import world
from tests.booking.test_calendars import API, address, at, booked, client, events, read

pytestmark = pytest.mark.usefixtures("prices")


@pytest.fixture
def member() -> User:
    return make.user(Role.TENANT_MEMBER)


def test_a_tenants_feed_shows_its_own_bookings_only(member: User) -> None:
    space = world.studio()
    mine = booked(member, space)
    booked(make.user(Role.TENANT_MEMBER), space, hours=8)

    assert [str(e["UID"]).split("@")[0] for e in events(address(member))] == [mine.code]


def test_a_users_feed_shows_what_that_user_booked(member: User) -> None:
    space, mate = world.studio(), make.user(Role.TENANT_MEMBER, tenant=member.tenant)
    booked(mate, space)
    mine = booked(member, space, hours=8)

    shown = events(address(member, scope="user"))

    assert [str(e["UID"]).split("@")[0] for e in shown] == [mine.code]


def test_of_others_a_tenants_feed_of_a_space_tells_only_that_it_is_busy(member: User) -> None:
    space, rival = world.studio(), make.user(Role.TENANT_MEMBER)
    mine = booked(member, space)
    first = booked(rival, space, hours=8, title="秘密新品")
    second = booked(rival, space, hours=9.5, title="秘密新品")
    gone = booked(rival, space, hours=14)
    services.cancel(booking=gone, actor=rival.actor, now=clock.now())
    path = address(member, scope="space", space=space.code)

    text = read(path).content.decode()
    own, busy = events(path)

    assert str(own["UID"]).startswith(mine.code)
    assert str(busy["SUMMARY"]) == "占用 Busy"
    around = timedelta(minutes=15)  # two bookings that touch with their buffers show no border
    assert busy["DTSTART"].dt == first.starts_at - around
    assert busy["DTEND"].dt == second.ends_at + around
    assert set(busy) == {
        "UID", "DTSTAMP", "LAST-MODIFIED", "SEQUENCE", "DTSTART", "DTEND", "SUMMARY", "STATUS",
        "TRANSP", "COLOR",
    }  # fmt: skip
    assert busy["SEQUENCE"] == 0
    assert rival.tenant is not None
    for secret in (
        "秘密", first.code, second.code, gone.code, rival.tenant.code, rival.tenant.short_zh,
    ):  # fmt: skip
        assert secret not in text


def test_two_tenants_cannot_match_up_what_is_busy(member: User) -> None:
    space = world.studio()
    booked(make.user(Role.TENANT_MEMBER), space)
    wish = {"scope": "space", "space": space.code}

    uids = {str(events(address(u, **wish))[0]["UID"]) for u in (member, another())}

    assert len(uids) == 2


def another() -> User:
    return make.user(Role.TENANT_MEMBER)


def test_a_space_with_units_is_busy_only_when_all_are_taken(member: User) -> None:
    space = world.studio(unit_count=2)
    booked(another(), space)
    path = address(member, scope="space", space=space.code)

    one = events(path)
    booked(another(), space)
    both = events(path)

    assert (len(one), len(both)) == (0, 1)


def test_a_booking_shows_in_the_feed_of_each_space_that_it_takes(member: User) -> None:
    room, beside = world.studio(), world.studio()
    booking = booked(member, room, extras=[services.Extra(space=beside)])
    draft = services.draft(
        wish=services.BookingWish(
            space=room, tenant=booking.tenant, span=world.span(at(30)), headcount=1
        ),
        actor=member.actor,
        now=clock.now(),
    )

    for shown in (
        events(address(member, scope="space", space=beside.code)),
        events(address(member, scope="user")),
    ):
        assert [str(e["UID"]).split("@")[0] for e in shown] == [booking.code]
    assert draft.status == "draft"


def test_the_base_sees_whose_it_is_and_what_is_closed(member: User) -> None:
    space = world.studio()
    booking = booked(member, space, title="首秀")
    block = TimestamptzRange(at(20), at(22), "[)")
    Allocation.objects.create(space=space, block=block, kind="blackout", note="空调检修")

    shown = events(address(make.user(Role.TECHNICIAN), scope="space", space=space.code))

    assert [str(e["SUMMARY"]) for e in shown] == [
        f"首秀 · {booking.tenant.short_zh}", "停用 Closed 空调检修"
    ]  # fmt: skip


# --- an address that ends ---------------------------------------------------------------------


def left(user: User) -> None:
    User.objects.filter(pk=user.pk).update(tenant=make.tenant())


def deactivated(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def revoked(user: User) -> None:
    feed = CalendarFeed.objects.get(created_by=user)
    assert client(user).delete(f"{API}/{feed.pk}").status_code == 204


@pytest.mark.parametrize("ended", [left, deactivated, revoked])
def test_an_ended_address_is_as_unknown_as_any_other(
    member: User, ended: Callable[[User], None]
) -> None:
    path = address(member)
    assert read(path).status_code == 200

    ended(member)
    answers = [read(path), read("/calendars/cal_" + "0" * 64 + ".ics"), read("/calendars/x.ics")]

    def told(answer: Any) -> Any:
        body = answer.json() | {"request_id": ""}
        headers = {k: v for k, v in answer.items() if k != "X-Request-ID"}
        return answer.status_code, sorted(body.items(), key=str), sorted(headers.items())

    assert answers[0].status_code == 404
    assert told(answers[0]) == told(answers[1]) == told(answers[2])


def test_whoever_may_see_no_bookings_any_more_reads_none() -> None:
    manager = make.user(Role.MANAGER)
    path = address(manager, scope="space", space=world.studio().code)
    User.objects.filter(pk=manager.pk).update(role=Role.LIAISON)

    assert read(path).status_code == 404


def test_a_feed_cannot_be_written_to(member: User) -> None:
    assert Client().post(address(member)).status_code == 405
