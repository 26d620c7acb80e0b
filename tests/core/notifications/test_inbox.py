"""From a deed to the bell: one row, then everybody's inbox, each once."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from base_ops.core import live, notifications
from base_ops.core.models import Delivery, InboxItem, Notice, Role, User
from base_ops.core.notifications import audiences, fanning, inbox
from tests import make
from tests.core.notifications import world
from tests.waiting import eventually

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_telling_is_one_statement_whoever_the_audience_is(now: datetime) -> None:
    tenant = make.tenant()
    for _ in range(5):
        make.user(Role.TENANT_MEMBER, tenant=tenant)

    with CaptureQueriesContext(connection) as asked:
        world.tell(world.people(tenant), now=now)

    assert len(asked) == 1


def test_a_deed_that_is_rolled_back_told_nothing(now: datetime) -> None:
    with transaction.atomic():
        world.tell(audiences.OneUser(make.user().pk), now=now)
        transaction.set_rollback(True)

    assert not Notice.objects.exists()


def test_the_same_fact_is_told_once_to_each_audience(now: datetime) -> None:
    one, two = make.user(), make.user()

    for user in (one, one, two):
        world.told(audiences.OneUser(user.pk), dedup="the-fact", now=now)

    assert [InboxItem.objects.filter(user=u).count() for u in (one, two)] == [1, 1]


def test_other_parameters_than_the_template_names_are_refused(now: datetime) -> None:
    with pytest.raises(notifications.templates.BadParams):
        world.tell(audiences.OneUser(1), params={"space": {"zh": "a", "en": "a"}}, now=now)
    with pytest.raises(KeyError):
        world.tell(audiences.OneUser(1), kind="no.such", now=now)


def test_only_the_audience_gets_it(now: datetime) -> None:
    mine, other = make.tenant(), make.tenant()
    own = [make.user(r, tenant=mine) for r in (Role.TENANT_ADMIN, Role.TENANT_MEMBER)]
    gone = make.user(Role.TENANT_MEMBER, tenant=mine, is_active=False)
    strangers = [make.user(Role.TENANT_ADMIN, tenant=other), make.user(Role.ADMIN), gone]
    manager, technician = make.user(Role.MANAGER), make.user(Role.TECHNICIAN)

    world.told(world.people(mine), now=now)
    world.told(notifications.roles(Role.MANAGER), now=now)

    reached = [InboxItem.objects.filter(user=u).count() for u in own]
    assert reached == [1, 1]
    assert not InboxItem.objects.filter(user__in=[*strangers, technician]).exists()
    assert InboxItem.objects.filter(user=manager).count() == 1


def test_fanning_out_again_adds_nothing(now: datetime) -> None:
    world.told(audiences.OneUser(make.user().pk), now=now)

    assert fanning.fan_out(now) == 0
    assert InboxItem.objects.count() == 1


def test_a_kind_that_this_version_does_not_know_stops_nobody(now: datetime) -> None:
    user = make.user()
    Notice.objects.create(
        kind="from.the_future", audience=f"user:{user.pk}", dedup="x", created_at=now
    )
    world.tell(audiences.OneUser(user.pk), now=now)

    fanning.fan_out(now)

    assert Notice.objects.get(kind="from.the_future").problem == "unknown_kind"
    assert InboxItem.objects.filter(user=user).count() == 1


def test_without_a_mail_server_no_mail_waits(now: datetime, settings: Any) -> None:
    settings.SMTP_URL = ""

    world.told(audiences.OneUser(make.user().pk), now=now)

    assert not Delivery.objects.exists()


def test_wishes_decide_about_inbox_and_mail(now: datetime, settings: Any) -> None:
    settings.SMTP_URL = "smtp://127.0.0.1:1"
    user = make.user()
    client = signed_in(user)
    etag = client.get("/api/v1/me/notice-preferences")["ETag"]
    wish = {"choices": {"waitlist.offer_expired": {"in_app": False}}}

    answer = client.put(
        "/api/v1/me/notice-preferences",
        wish,
        content_type="application/json",
        headers={"If-Match": etag},
    )
    world.told(audiences.OneUser(user.pk), now=now)

    assert answer.status_code == 200, answer.content
    assert not InboxItem.objects.exists()
    assert Delivery.objects.get().user == user


def test_the_bell_shows_what_is_unread_in_the_transaction_of_the_inbox(now: datetime) -> None:
    user = make.user()

    world.told(audiences.OneUser(user.pk), now=now)
    world.told(audiences.OneUser(user.pk), now=now)

    _, seq, state = live.state(f"notices.{user.pk}")
    assert (seq, state["unread"]) == (2, 2)
    assert state["latest"]["title_zh"].startswith("候补占位已过期")
    inbox.mark_read(user=user, ids=None, now=now)
    assert live.state(f"notices.{user.pk}")[2]["unread"] == 0


def test_everybody_follows_their_own_bell_only() -> None:
    user, other = make.user(Role.ADMIN), make.user()

    assert live.allowed(user, f"notices.{user.pk}")
    assert not live.allowed(user, f"notices.{other.pk}")
    assert not live.allowed(user, "notices.")


def test_the_inbox_is_paged_newest_first_and_marks_are_the_users_own(now: datetime) -> None:
    user, other = make.user(), make.user()
    for minutes in range(5):
        at = now + timedelta(minutes=minutes)
        world.told(audiences.OneUser(user.pk), now=at)
    world.told(audiences.OneUser(other.pk), now=now)
    client = signed_in(user)

    first = client.get("/api/v1/me/notices?limit=3").json()
    rest = client.get(f"/api/v1/me/notices?limit=3&cursor={first['next']}").json()
    ids = [i["id"] for i in first["items"] + rest["items"]]
    foreign = InboxItem.objects.get(user=other).pk
    marked = client.post(
        "/api/v1/me/notices/read",
        {"ids": [ids[0], foreign]},
        content_type="application/json",
        headers={"Idempotency-Key": "mark-read-1"},
    )

    assert ids == sorted(ids, reverse=True)
    assert len(set(ids)) == 5
    assert first["unread"] == 5
    assert marked.json() == {"unread": 4}
    assert InboxItem.objects.get(pk=foreign).read_at is None
    unread = client.get("/api/v1/me/notices?unread=true").json()
    assert [i["id"] for i in unread["items"]] == ids[1:]


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"choices": {"no.such": {"email": True}}}, "choices.no.such"),
        ({"choices": {"booking.moved": {"in_app": False}}}, "choices.booking.moved.in_app"),
        ({"quiet_from": "23:00"}, "quiet_to"),
        ({"quiet_to": "07:00"}, "quiet_from"),
        ({"quiet_from": "23:00:00Z", "quiet_to": "07:00"}, "quiet_from"),
    ],
)
def test_wishes_that_do_not_work_are_refused_by_field(wish: dict[str, Any], field: str) -> None:
    answer: Any = signed_in(make.user()).put(
        "/api/v1/me/notice-preferences",
        wish,
        content_type="application/json",
        headers={"If-Match": '"0"'},
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "bad_preferences")
    assert [f["name"] for f in answer.json()["fields"]] == [field]


def test_wishes_are_changed_by_who_saw_them() -> None:
    client = signed_in(make.user())

    def put(headers: dict[str, str]) -> Any:
        return client.put(
            "/api/v1/me/notice-preferences",
            {"quiet_from": "23:00", "quiet_to": "07:00"},
            content_type="application/json",
            headers=headers,
        )

    assert put({}).status_code == 428
    saved = put({"If-Match": '"0"'})
    assert (saved.status_code, saved.json()["quiet_from"], saved["ETag"]) == (
        200,
        "23:00:00",
        '"1"',
    )
    assert put({"If-Match": '"0"'}).status_code == 412


@pytest.mark.django_db(transaction=True)
def test_marking_waits_for_what_is_just_arriving_so_that_the_count_is_true(now: datetime) -> None:
    user = make.user()
    world.told(audiences.OneUser(user.pk), now=now)
    world.tell(audiences.OneUser(user.pk), now=now)
    arriving = Notice.objects.latest("pk")

    def read() -> None:
        inbox.mark_read(user=user, ids=None, now=now)
        connection.close()

    reader = threading.Thread(target=read)
    with transaction.atomic():  # as fanning out does it, one statement at a time
        inbox.lock([user.pk])
        reader.start()
        eventually(_somebody_waits, 30.0)
        InboxItem.objects.create(notice=arriving, user=user, created_at=now)
        inbox.show({user.pk: None}, now=now)
    reader.join()

    assert InboxItem.objects.filter(user=user, read_at__isnull=True).count() == 0
    assert live.state(f"notices.{user.pk}")[2]["unread"] == 0


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        row = cursor.fetchone()
    return bool(row and row[0])
