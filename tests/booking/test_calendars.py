"""Calendar feeds as subscribers read them."""

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import icalendar
import pytest
import recurring_ical_events
from django.test import Client

from base_ops.core import auth, clock
from base_ops.core.models import Role, Space, User
from booking import services
from booking.domain.rules import ceil_to_grid
from booking.models import Booking
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
    at = clock.now()
    monkeypatch.setattr(clock, "now", lambda: at)

    answers = [read(path) for _ in range(feeds.MAX_READINGS + 1)]
    later = at + feeds.WINDOW
    spared = read(other)
    monkeypatch.setattr(clock, "now", lambda: later)

    assert {a.status_code for a in answers[:-1]} == {200}
    refused = answers[-1]
    assert (refused.status_code, refused.json()["code"]) == (429, "feed_read_too_often")
    assert 590 <= int(refused["Retry-After"]) <= 600
    assert spared.status_code == 200
    assert read(path).status_code == 200
