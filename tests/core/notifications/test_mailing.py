"""Mail from the outbox: language, identity, refusals, quiet hours."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest

from base_ops.core.models import (
    Delivery,
    Endpoint,
    InboxItem,
    NoticePreferences,
    User,
)
from base_ops.core.notifications import (
    audiences,
)
from tests import make
from tests.core.notifications import servers, world

pytestmark = pytest.mark.django_db


def test_mail_is_in_the_readers_language_and_keeps_its_id_when_repeated(
    now: datetime, box: servers.Mailbox
) -> None:
    users = [make.user(language=lang) for lang in ("zh", "en")]
    for user in users:
        world.told(audiences.OneUser(user.pk), now=now)
    world.sent(now)
    Delivery.objects.update(status="waiting", ended_at=None)
    world.sent(now)

    mails = [m.message for m in box.mails]
    by_user = {u.pk: [m for m in mails if u.email in m["To"]] for u in users}
    assert [m["Subject"][:2] for m in by_user[users[0].pk]] == ["候补"] * 2
    assert [m["Subject"][:3] for m in by_user[users[1].pk]] == ["The"] * 2
    assert all(len({m["Message-ID"] for m in ms}) == 1 for ms in by_user.values())
    assert len({m["Message-ID"] for m in mails}) == 2


def test_mail_to_who_left_or_is_unknown_there_is_dead_at_once(
    now: datetime, box: servers.Mailbox
) -> None:
    gone, unknown = make.user(), make.user()
    for user in (gone, unknown):
        world.told(audiences.OneUser(user.pk), now=now)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    box.refuse = lambda _: "550 no such user"
    world.sent(now)

    errors = dict(Delivery.objects.values_list("user_id", "error"))
    assert errors == {gone.pk: "no_recipient", unknown.pk: "recipient_refused"}
    assert set(Delivery.objects.values_list("status", flat=True)) == {"dead"}
    assert Endpoint.objects.get(kind="email").failures == 0


def test_quiet_hours_delay_mail_but_lose_none_and_urgent_mail_breaks_through(
    now: datetime, box: servers.Mailbox
) -> None:
    user = make.user()
    NoticePreferences.objects.create(user=user, quiet_from=time(22), quiet_to=time(8))
    night = now.replace(hour=16)  # midnight in Guangzhou
    morning = (now + timedelta(days=1)).replace(hour=0)  # 08:00 there
    world.told(audiences.OneUser(user.pk), now=night)
    world.told(audiences.OneUser(user.pk), urgent=True, now=night)

    world.sent(night)
    assert len(box.mails) == 1
    assert InboxItem.objects.filter(user=user).count() == 2  # the inbox disturbs nobody
    assert Delivery.objects.get(status="waiting").due_at == morning
    world.sent(morning - timedelta(seconds=1))
    assert len(box.mails) == 1
    world.sent(morning)

    assert len(box.mails) == 2


def test_what_is_of_use_for_minutes_is_not_sent_hours_later(
    now: datetime, box: servers.Mailbox
) -> None:
    params = {
        "booking": "BK1",
        "space": {"zh": "a", "en": "a"},
        "starts_at": now,
        "free_at": now,
    }
    world.told(audiences.OneUser(make.user().pk), kind="booking.room_late", params=params, now=now)
    world.sent(now + timedelta(hours=2))

    assert box.mails == []
    assert Delivery.objects.get().status == "expired"


def test_a_mail_server_that_is_away_delays_and_loses_nothing(now: datetime, settings: Any) -> None:
    user = make.user()
    with servers.raw(servers.closes) as url:
        settings.SMTP_URL = url.replace("http://", "smtp://").removesuffix("/hook")
        world.told(audiences.OneUser(user.pk), now=now)
        world.sent(now)
    assert Delivery.objects.get().error == "unreachable"
    with servers.mail_server() as box:
        settings.SMTP_URL = box.url
        world.sent(now + timedelta(minutes=1))

    assert len(box.mails) == 1
