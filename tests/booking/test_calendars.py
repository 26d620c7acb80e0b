"""Calendar feeds as subscribers read them, and who may make, list, end and read them."""

import itertools
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import icalendar
import pytest
import recurring_ical_events
from django.test import Client
from psycopg.types.range import TimestamptzRange

from base_ops.core import auth, clock, logs
from base_ops.core.models import AuditEntry, Role, Space, User
from booking import services
from booking.domain.rules import ZONE, ceil_to_grid
from booking.models import Allocation, Booking, CalendarFeed
from booking.selectors.feeds import window
from booking.services import feeds
from tests import make
from tests.booking import world

pytestmark = pytest.mark.usefixtures("prices")
API = "/api/v1/calendar-feeds"
_keys = itertools.count(1)


def client(user: User) -> Client:
    token, _ = auth.new_token(user=user, name="t", now=clock.now())
    return Client(headers={"Authorization": f"Bearer {token}"})


def make_feed(user: User, *, key: str = "", **wish: Any) -> Any:
    body = {"name": "我的日历", "scope": "tenant"} | wish
    return client(user).post(
        API, body, content_type="application/json",
        headers={"Idempotency-Key": key or f"feed-key-{next(_keys)}"},
    )  # fmt: skip


def address(user: User, **wish: Any) -> str:
    """The path of a new feed."""
    made = make_feed(user, **wish)
    assert made.status_code == 201, made.content
    return str(made.json()["url"]).removeprefix("http://testserver")


def read(path: str, **headers: str) -> Any:
    return Client().get(path, headers=headers)


def events(path: str) -> list[Any]:
    answer = read(path)
    assert answer.status_code == 200
    return list(icalendar.Calendar.from_ical(answer.content).walk("VEVENT"))


def at(hours: float) -> datetime:
    """So many hours from now, on the grid."""
    return ceil_to_grid(clock.now() + timedelta(hours=hours), 30)


def booked(user: User, space: Space, *, hours: float = 2, **changes: Any) -> Booking:
    assert user.tenant is not None
    hold = changes.pop("hold", False)
    wish = services.BookingWish(
        space=space, tenant=user.tenant, span=world.span(at(hours)), headcount=2, **changes
    )
    return services.book(wish=wish, actor=user.actor, hold=hold, now=clock.now())


@pytest.fixture
def member() -> User:
    return make.user(Role.TENANT_MEMBER)


# --- what a feed says -------------------------------------------------------------------------


def test_a_feed_has_what_a_subscriber_needs(member: User) -> None:
    booking = booked(member, world.studio(), title="双11,预热;第①场🎥")
    path = address(member)

    answer = read(path)
    calendar: Any = icalendar.Calendar.from_ical(answer.content)

    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert "METHOD" not in calendar
    assert str(calendar["NAME"]) == str(calendar["X-WR-CALNAME"]) == "我的日历"
    assert str(calendar["COLOR"]) == "teal"
    assert calendar["REFRESH-INTERVAL"].dt == timedelta(minutes=15)
    assert calendar["REFRESH-INTERVAL"].params["VALUE"] == "DURATION"
    assert str(calendar["SOURCE"]) == f"http://testserver{path}"
    assert str(calendar["URL"]) == "http://testserver/bookings"
    assert calendar["UID"]
    assert calendar["LAST-MODIFIED"].dt
    assert [str(z["TZID"]) for z in calendar.walk("VTIMEZONE")] == ["Asia/Shanghai"]
    (event,) = calendar.walk("VEVENT")
    assert str(event["SUMMARY"]) == "双11,预热;第①场🎥"
    assert event["DTSTART"].params["TZID"] == "Asia/Shanghai"
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (booking.starts_at, booking.ends_at)
    assert str(event["UID"]) == f"{booking.code}@tst.base-ops"
    assert (event["SEQUENCE"], str(event["STATUS"])) == (booking.version, "CONFIRMED")
    assert booking.space.name_zh in event["LOCATION"]
    assert [str(c) for c in event["CATEGORIES"].cats] == ["单人直播间", "live_sales"]
    assert str(event["URL"]) == f"http://testserver/bookings/{booking.code}"
    assert event["DTSTAMP"].dt == event["LAST-MODIFIED"].dt


def test_lines_end_after_75_octets_whatever_the_script(member: User) -> None:
    title = "直播带货🎥👩‍👩‍👧" * 12
    booked(member, world.studio(), title=title)

    text = read(address(member)).content

    lines = text.split(b"\r\n")
    assert max(map(len, lines)) <= 75
    assert b"\n" not in b"".join(lines)
    assert all(line.decode() is not None for line in lines)  # no character is cut in two
    assert str(icalendar.Calendar.from_ical(text).walk("VEVENT")[0]["SUMMARY"]) == title


def test_control_characters_of_a_title_never_reach_the_calendar(member: User) -> None:
    booked(member, world.studio(), title="a\x07b\u2028c\rBEGIN:VEVENT\x85d")

    text = read(address(member)).content
    (event,) = icalendar.Calendar.from_ical(text).walk("VEVENT")

    assert str(event["SUMMARY"]) == "ab\nc\nBEGIN:VEVENT\nd"
    assert text.count(b"\r\nBEGIN:VEVENT") == 1


def test_recurring_ical_events_finds_each_booking_on_its_day(member: User) -> None:
    space = world.studio()
    made = [booked(member, space, hours=h) for h in (2, 26, 50)]

    calendar: Any = icalendar.Calendar.from_ical(read(address(member)).content)
    found = recurring_ical_events.of(calendar).between(clock.now(), timedelta(days=5))

    assert {(e["UID"].split("@")[0], e.start) for e in found} == {
        (b.code, b.starts_at) for b in made
    }


def test_the_status_follows_the_booking_and_cancelled_ones_stay_for_a_while(member: User) -> None:
    booking = booked(member, world.studio(), hold=True)
    path = address(member)
    told: Callable[[], list[tuple[str, int]]] = lambda: [  # noqa: E731
        (str(e["STATUS"]), e["SEQUENCE"]) for e in events(path)
    ]

    held = told()
    services.confirm(booking=booking, actor=member.actor, now=clock.now())
    confirmed = told()
    services.cancel(booking=booking, actor=member.actor, now=clock.now())
    cancelled = told()
    Booking.objects.filter(pk=booking.pk).update(code="BKELSEWHERE")  # its record is old
    Booking.objects.update(created_at=clock.now() - timedelta(days=15))

    assert [[s for s, _ in t] for t in (held, confirmed, cancelled)] == [
        ["TENTATIVE"], ["CONFIRMED"], ["CANCELLED"]
    ]  # fmt: skip
    assert held[0][1] < confirmed[0][1] < cancelled[0][1]
    assert told() == []


def test_a_hold_that_ran_out_is_cancelled_swept_or_not(member: User) -> None:
    booking = booked(member, world.studio(), hold=True)
    path = address(member)
    over = clock.now() - timedelta(minutes=1)
    Booking.objects.filter(pk=booking.pk).update(expires_at=over)

    (event,) = events(path)

    assert str(event["STATUS"]) == "CANCELLED"
    assert event["DTSTAMP"].dt == over.replace(microsecond=0)


def test_only_the_window_is_told(member: User) -> None:
    booking = booked(member, world.studio())
    path = address(member)
    seen = {}
    for days in (-92, -88, 398, 402):
        start = clock.now() + timedelta(days=days)
        Booking.objects.filter(pk=booking.pk).update(
            starts_at=start, ends_at=start + timedelta(hours=1)
        )
        seen[days] = len(events(path))

    assert seen == {-92: 0, -88: 1, 398: 1, 402: 0}


# --- asking again -----------------------------------------------------------------------------


def test_the_same_text_is_not_sent_twice_and_a_change_is(member: User) -> None:
    booking = booked(member, world.studio())
    path = address(member)
    first = read(path)
    etag, changed = first["ETag"], first["Last-Modified"]

    same = [
        read(path, if_none_match=etag),
        read(path, if_none_match=f'"other", W/{etag}'),
        read(path, if_none_match="*"),
        read(path, if_modified_since=changed),
    ]
    other = [
        read(path, if_none_match='"other"'),
        read(path, if_none_match='"other"', if_modified_since=changed),
        read(path, if_modified_since="Mon, 01 Jan 2001 00:00:00 GMT"),
        read(path, if_modified_since="nonsense"),
    ]
    services.cancel(booking=booking, actor=member.actor, now=clock.now())
    after = [read(path, if_none_match=etag), read(path, if_modified_since=changed)]

    assert not etag.startswith("W/")
    assert {(a.status_code, a.content, a["ETag"]) for a in same} == {(304, b"", etag)}
    assert {(a.status_code, a["ETag"]) for a in other} == {(200, etag)}
    assert {a.status_code for a in after} == {200}
    assert after[0]["ETag"] != etag
    assert first["Cache-Control"] == "private, no-cache"


def test_too_many_readings_are_refused_until_the_window_is_over(
    member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = address(member), address(member)

    answers = [read(path) for _ in range(feeds.MAX_READINGS + 1)]
    later = clock.now() + feeds.WINDOW
    spared = read(other)
    monkeypatch.setattr(clock, "now", lambda: later)

    assert {a.status_code for a in answers[:-1]} == {200}
    refused = answers[-1]
    assert (refused.status_code, refused.json()["code"]) == (429, "feed_read_too_often")
    assert 590 <= int(refused["Retry-After"]) <= 600
    assert spared.status_code == 200
    assert read(path).status_code == 200


# --- whose eyes -------------------------------------------------------------------------------


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

    uids = {str(events(address(u, **wish))[0]["UID"]) for u in (member, _another())}

    assert len(uids) == 2


def _another() -> User:
    return make.user(Role.TENANT_MEMBER)


def test_a_space_with_units_is_busy_only_when_all_are_taken(member: User) -> None:
    space = world.studio(unit_count=2)
    booked(_another(), space)
    path = address(member, scope="space", space=space.code)

    one = events(path)
    booked(_another(), space)
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


# --- making, listing, ending ------------------------------------------------------------------


def test_the_secret_is_shown_once_and_not_kept(member: User) -> None:
    made = make_feed(member).json()
    read(made["url"].removeprefix("http://testserver"))

    (listed,) = client(member).get(API).json()
    row = CalendarFeed.objects.get()

    assert made["token"] in made["url"]
    assert made["token"] not in str(listed)
    assert row.digest == feeds.digest_of(made["token"])
    assert listed["last_used_at"] is not None
    kept = [str(vars(r)) for r in (row, *AuditEntry.objects.all())]
    assert not any(made["token"] in text for text in kept)


def test_the_same_key_makes_one_feed_with_the_same_address(member: User) -> None:
    one, two = (make_feed(member, key="the-same-key") for _ in range(2))
    other = make_feed(member, key="the-same-key", name="别的")
    elses = make_feed(_another(), key="the-same-key")

    assert one.json() == two.json()
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    assert elses.json()["token"] != one.json()["token"]
    assert CalendarFeed.objects.filter(created_by=member).count() == 1


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"scope": "space"}, "space"),
        ({"scope": "space", "space": "NONE"}, "space"),
        ({"scope": "tenant", "space": "S1"}, "space"),
        ({"scope": "user", "tenant": "T1"}, "tenant"),
        ({"scope": "all"}, "scope"),
        ({"name": " "}, "name"),
    ],
)
def test_a_wish_that_does_not_fit_its_scope_is_refused_by_field(
    member: User, wish: dict[str, str], field: str
) -> None:
    answer = make_feed(member, **wish)

    assert (answer.status_code, answer.json()["fields"][0]["name"]) == (422, field)


def test_nobody_makes_a_feed_of_another_tenant_but_the_base(member: User) -> None:
    other = make.tenant()

    assert make_feed(member, tenant=other.code).status_code == 403
    assert make_feed(make.user(Role.LIAISON), tenant=other.code).status_code == 403
    assert make_feed(make.user(Role.MANAGER)).status_code == 422
    assert make_feed(make.user(Role.MANAGER), tenant=other.code).status_code == 201


def test_one_lists_and_ends_ones_own_a_head_those_of_the_tenant_the_base_all(
    member: User,
) -> None:
    head = make.user(Role.TENANT_ADMIN, tenant=member.tenant)
    address(member)
    address(head)
    stranger = _another()
    feed = CalendarFeed.objects.get(created_by=member)

    counts = {
        u.role: len(client(u).get(API).json()) for u in (member, head, make.user(Role.MANAGER))
    }
    refused = client(stranger).delete(f"{API}/{feed.pk}")
    ended = [client(head).delete(f"{API}/{feed.pk}").status_code for _ in range(2)]

    assert counts == {Role.TENANT_MEMBER: 1, Role.TENANT_ADMIN: 2, Role.MANAGER: 2}
    assert (refused.status_code, refused.json()["code"]) == (404, "feed_not_found")
    assert ended == [204, 204]
    assert AuditEntry.objects.filter(action="calendar_feed.revoke").count() == 1


def test_twenty_live_feeds_are_enough(member: User) -> None:
    answers = [make_feed(member).status_code for _ in range(feeds.MAX_FEEDS)]

    last = make_feed(member)
    client(member).delete(f"{API}/{CalendarFeed.objects.first().pk}")  # type: ignore[union-attr]

    assert set(answers) == {201}
    assert (last.status_code, last.json()["code"]) == (409, "too_many_feeds")
    assert make_feed(member).status_code == 201


@pytest.mark.parametrize("formatter", [logs.PlainFormatter(), logs.JsonFormatter()])
def test_addresses_do_not_reach_the_log(
    member: User, caplog: pytest.LogCaptureFixture, formatter: logging.Formatter
) -> None:
    path = address(member)
    CalendarFeed.objects.update(counted=feeds.MAX_READINGS, counted_from=clock.now())

    read(path)

    logged = "\n".join(formatter.format(record) for record in caplog.records)
    assert "/calendars/…" in logged
    assert path.split("/")[2][:20] not in logged


def test_local_midnight_moves_the_window_once_a_day() -> None:
    evening = datetime(2026, 9, 15, 23, 59, tzinfo=ZONE)

    assert window(evening) == window(evening - timedelta(hours=23))
    assert window(evening + timedelta(minutes=1)).start - window(evening).start == timedelta(1)
