"""Calendar feeds: who may make, list and end them, and what is kept of their addresses."""

import logging
from datetime import datetime, timedelta

import pytest

from base_ops.core import clock, logs
from base_ops.core.models import AuditEntry, Role, User
from booking.domain.rules import ZONE
from booking.models import CalendarFeed
from booking.selectors.feeds import window
from booking.services import feeds
from tests import make
from tests.booking.test_calendars import API, address, client, make_feed, read
from tests.booking.test_calendars_eyes import another

pytestmark = pytest.mark.usefixtures("prices")


@pytest.fixture
def member() -> User:
    return make.user(Role.TENANT_MEMBER)


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
    elses = make_feed(another(), key="the-same-key")

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
    stranger = another()
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
