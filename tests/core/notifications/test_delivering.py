"""From the outbox to real servers: at least once, none in another's way, dead in the end."""

import itertools
from datetime import datetime, timedelta

import pytest

from base_ops.core import notifications
from base_ops.core.models import (
    Delivery,
    Endpoint,
    Notice,
    Role,
    User,
)
from base_ops.core.notifications import (
    audiences,
    claiming,
    courier,
    endpoints,
    keeping,
    pacing,
    settling,
    signatures,
)
from base_ops.core.notifications.outcomes import Outcome, Result, failed
from tests import make
from tests.core.notifications import servers, world
from tests.core.notifications.test_pure import verified

pytestmark = pytest.mark.django_db


def test_a_webhook_gets_a_signed_message_that_others_can_verify(
    admin: User, now: datetime
) -> None:
    with servers.web() as server:
        endpoint = world.added(admin, server.url, now=now)
        secret, _ = endpoints.renew_secret(user=admin, code=endpoint.code, now=now)
        world.told_tenant(admin, now=now)
        world.sent(now)

    (heard,) = server.heard
    assert world.only(endpoint).status == "sent"
    assert verified(secret, heard.headers, heard.body)
    assert heard.json["type"] == "waitlist.offer_expired"
    assert heard.json["data"]["space"] == {"zh": "直播间", "en": "Studio"}
    skew = int(heard.headers["webhook-timestamp"]) - now.timestamp()
    assert abs(skew) < signatures.REPLAY_WINDOW_S


def test_while_a_secret_is_replaced_both_verify(admin: User, now: datetime) -> None:
    with servers.web() as server:
        code = world.added(admin, server.url, now=now).code

        def renew(at: datetime) -> str:
            return endpoints.renew_secret(user=admin, code=code, now=at)[0]

        first = renew(now)
        lost, second = renew(now), renew(now)
        world.told_tenant(admin, now=now)
        world.sent(now)
        later = now + endpoints.OVERLAP
        world.told_tenant(admin, now=later)
        world.sent(later)

    during, after = server.heard
    assert [verified(s, during.headers, during.body) for s in (first, lost, second)] == [
        True,
        False,
        True,
    ]
    assert [verified(s, after.headers, after.body) for s in (first, second)] == [False, True]


def test_the_id_stays_when_a_message_is_sent_again(admin: User, now: datetime) -> None:
    with servers.web() as server:
        endpoint = world.added(admin, server.url, now=now)
        server.answer = lambda _: (500, {}, b"")
        world.told_tenant(admin, now=now)
        world.sent(now)
        server.answer = lambda _: (204, {}, b"")
        world.sent(now + timedelta(minutes=1))

    first, second = server.heard
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    assert (world.only(endpoint).status, world.only(endpoint).attempts) == ("sent", 2)


def test_dead_slow_and_hostile_endpoints_delay_neither_mail_nor_those_that_work(
    admin: User, now: datetime, box: servers.Mailbox
) -> None:
    with (
        servers.raw(servers.black_hole) as hole,
        servers.raw(servers.slow_loris) as loris,
        servers.web() as good,
    ):
        bad = [world.added(admin, url, now=now) for url in (hole, loris, hole, loris)]
        works = world.added(admin, good.url, now=now)
        for _ in range(10):
            world.told_tenant(admin, now=now)
        carrier = courier.Courier()
        for _ in range(5):
            carrier.run(now)

        # All of the good ones' messages are through while those to the bad ones still hang.
        assert len(box.mails) == 10
        assert Delivery.objects.filter(endpoint=works, status="sent").count() == 10
        stuck = Delivery.objects.filter(endpoint__in=bad, claimed_until__gt=now)
        assert stuck.count() == carrier.on_their_way == len(bad) * 2
        assert not Delivery.objects.filter(endpoint__in=bad).exclude(status="waiting").exists()
    assert carrier.finish(now, timeout_s=world.ENDS_S)


def test_endpoints_that_failed_leave_places_for_those_that_did_not(
    admin: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "WEB_PLACES", 4)
    monkeypatch.setattr(courier, "SUSPECT_PLACES", 2)
    with servers.raw(servers.black_hole) as hole, servers.web() as good:
        bad = [world.added(admin, hole, now=now) for _ in range(6)]
        Endpoint.objects.filter(pk__in=[e.pk for e in bad]).update(failures=1)
        world.told_tenant(admin, now=now)
        carrier = courier.Courier()
        carrier.run(now)
        works = world.added(admin, good.url, now=now)
        world.told_tenant(admin, now=now)
        carrier.run(now)

        assert world.only(works).status == "sent"
        assert carrier.on_their_way == 2
    assert carrier.finish(now, timeout_s=world.ENDS_S)


@pytest.mark.parametrize(
    ("talk", "status"),
    [(servers.closes, "waiting"), (servers.endless, "sent"), (servers.speaks_no_http, "waiting")],
)
def test_other_bad_servers(admin: User, now: datetime, talk: servers.Talk, status: str) -> None:
    with servers.raw(talk) as url:
        endpoint = world.added(admin, url, now=now)
        world.told_tenant(admin, now=now)
        world.sent(now)

    assert world.only(endpoint).status == status


def test_a_redirect_is_a_failure_and_nobody_is_sent_there(admin: User, now: datetime) -> None:
    with servers.web() as there, servers.web() as here:
        here.answer = lambda _: (307, {"Location": there.url}, b"")
        endpoint = world.added(admin, here.url, now=now)
        world.told_tenant(admin, now=now)
        world.sent(now)

    assert there.heard == []
    assert (world.only(endpoint).status, world.only(endpoint).error) == ("waiting", "http_307")


def test_pauses_grow_until_the_message_is_dead_and_an_admin_sends_it_again(
    admin: User, now: datetime
) -> None:
    with servers.web() as server:
        server.answer = lambda _: (500, {}, b"")
        endpoint = world.added(admin, server.url, now=now)
        world.told_tenant(admin, now=now)
        tried = []
        while world.only(endpoint).status == "waiting":
            Endpoint.objects.update(open_until=None)
            now = world.only(endpoint).due_at
            tried.append(now)
            world.sent(now)
        pauses = [b - a for a, b in itertools.pairwise(tried)]

        assert len(server.heard) == len(tried) == pacing.MOST_ATTEMPTS
        assert all(b > a for a, b in itertools.pairwise(pauses))
        assert (world.only(endpoint).status, world.only(endpoint).error) == ("dead", "http_500")

        server.answer = lambda _: (200, {}, b"")
        Endpoint.objects.update(open_until=None)
        later = now + timedelta(days=30)
        endpoints.send_again(user=admin, delivery_id=world.only(endpoint).pk, now=later)
        world.sent(later)

    assert (world.only(endpoint).status, world.only(endpoint).attempts) == ("sent", 1)


def test_the_breaker_opens_probes_with_one_message_and_closes(admin: User, now: datetime) -> None:
    with servers.web() as server:
        server.answer = lambda _: (500, {}, b"")
        endpoint = world.added(admin, server.url, now=now)
        for _ in range(8):
            world.told_tenant(admin, now=now)
        world.sent(now)
        world.sent(now)
        endpoint.refresh_from_db()
        assert endpoint.failures >= pacing.FAILURES_TO_OPEN
        assert endpoint.open_until is not None
        heard = len(server.heard)

        world.sent(now)
        assert len(server.heard) == heard  # left alone

        probe = endpoint.open_until
        courier.Courier().run(probe)
        assert Delivery.objects.filter(claimed_until__gt=probe).count() <= 1
        Delivery.objects.update(claimed_until=None)
        endpoint.refresh_from_db()

        server.answer = lambda _: (200, {}, b"")
        later = now + timedelta(hours=1)
        for _ in range(3):
            world.sent(later)
    closed = Endpoint.objects.get()
    assert (closed.failures, closed.open_until) == (0, None)
    assert not Delivery.objects.exclude(status="sent").exists()


def test_410_switches_the_endpoint_off(admin: User, now: datetime) -> None:
    with servers.web() as server:
        server.answer = lambda _: (410, {}, b"")
        endpoint = world.added(admin, server.url, now=now)
        world.told_tenant(admin, now=now)
        world.sent(now)
        world.told_tenant(admin, now=now)
        world.sent(now)

    endpoint.refresh_from_db()
    assert (endpoint.active, endpoint.inactive_reason) == (False, "http_410")
    assert world.only(endpoint).status == "dead"
    assert len(server.heard) == 1


@pytest.mark.parametrize(
    ("header", "wait"),
    [("120", timedelta(minutes=2)), ("99999999", None), ("soon", None), ("-5", None)],
)
def test_retry_after_is_kept_within_reason(
    admin: User, now: datetime, header: str, wait: timedelta | None
) -> None:
    with servers.web() as server:
        server.answer = lambda _: (503, {"Retry-After": header}, b"")
        endpoint = world.added(admin, server.url, now=now)
        world.told_tenant(admin, now=now)
        world.sent(now)

    pause = world.only(endpoint).due_at - now
    assert pause <= timedelta(seconds=13) if wait is None else pause == wait


def test_what_a_process_had_claimed_when_it_died_is_sent_by_another(
    admin: User, now: datetime
) -> None:
    with servers.web() as server:
        endpoint = world.added(admin, server.url, now=now)
        world.told_tenant(admin, now=now)
        (lost,) = claiming.claim(endpoint.pk, most=9, most_suspect=9, now=now)
        world.sent(now)
        assert server.heard == []

        later = now + claiming.LEASE
        world.sent(later)
        assert (world.only(endpoint).status, world.only(endpoint).attempts) == ("sent", 2)
        late = settling.settle(
            delivery_id=lost.pk, attempt=lost.attempts, outcome=failed("timeout"), now=later
        )
    assert not late
    assert world.only(endpoint).status == "sent"


def test_what_is_on_its_way_is_not_claimed_again_nor_judged_by_an_older_attempt(
    admin: User, now: datetime
) -> None:
    with servers.web() as server:
        endpoint = world.added(admin, server.url, now=now)
    for _ in range(4):
        world.told_tenant(admin, now=now)

    def claimed(at: datetime) -> list[int]:
        rows = claiming.claim(endpoint.pk, most=1, most_suspect=1, now=at)
        return [row.pk for row in rows]

    first, second, beyond = claimed(now), claimed(now), claimed(now)
    assert len({*first, *second}) == 2
    assert beyond == []  # two at once are enough for one endpoint
    later = now + claiming.LEASE
    assert claimed(later) == first
    for outcome in (failed("timeout"), Outcome(Result.SENT)):
        assert not settling.settle(delivery_id=first[0], attempt=1, outcome=outcome, now=later)
    row = Delivery.objects.get(pk=first[0])
    assert (row.status, row.claimed_until) == ("waiting", later + claiming.LEASE)


def test_two_couriers_send_nothing_twice(admin: User, now: datetime) -> None:
    with servers.web() as server:
        world.added(admin, server.url, now=now)
        for _ in range(6):
            world.told_tenant(admin, now=now)
        first, second = courier.Courier(), courier.Courier()
        for _ in range(4):
            first.run(now)
            second.run(now)
        assert first.finish(now, timeout_s=world.ENDS_S)
        assert second.finish(now, timeout_s=world.ENDS_S)

    ids = [h.headers["webhook-id"] for h in server.heard]
    assert len(ids) == len(set(ids)) == 6


def test_a_tenants_endpoint_hears_of_that_tenant_only(admin: User, now: datetime) -> None:
    other, manager = make.user(Role.TENANT_ADMIN), make.user(Role.MANAGER)
    with servers.web() as mine, servers.web() as others, servers.web() as base:
        for user, server in ((admin, mine), (other, others), (manager, base)):
            world.added(user, server.url, now=now)
        world.told_tenant(admin, now=now)
        world.told(notifications.roles(Role.MANAGER), now=now)
        world.told(audiences.OneUser(admin.pk), now=now)
        world.sent(now)

    assert [len(s.heard) for s in (mine, others, base)] == [1, 0, 1]


def test_an_endpoint_hears_only_the_kinds_it_names(admin: User, now: datetime) -> None:
    with servers.web() as server:
        world.added(admin, server.url, now=now, kinds=["booking.confirmed"])
        world.told_tenant(admin, now=now)
        world.sent(now)

    assert server.heard == []


def test_old_notices_are_forgotten_and_what_waited_in_vain_ends(
    admin: User, now: datetime
) -> None:
    with servers.web() as server:
        endpoint = world.added(admin, server.url, now=now)
    world.told_tenant(admin, now=now)
    Endpoint.objects.update(active=False)

    assert keeping.forget_old(now + timedelta(days=4)) == 0
    assert world.only(endpoint).status == "expired"
    world.told_tenant(admin, now=now + timedelta(days=60))
    assert keeping.forget_old(now + timedelta(days=91)) == 1
    assert Notice.objects.count() == 1


def test_an_attempt_that_crashes_is_tried_again(
    admin: User, now: datetime, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def crash(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with servers.web() as server:
        endpoint = world.added(admin, server.url, now=now)
        world.told_tenant(admin, now=now)
        monkeypatch.setattr("base_ops.core.notifications.web.post", crash)
        world.sent(now)

    assert (world.only(endpoint).status, world.only(endpoint).error) == ("waiting", "internal")
    assert "notifications.attempt_crashed" in caplog.text


def test_refusals_of_a_message_say_nothing_about_the_endpoint(admin: User, now: datetime) -> None:
    with servers.web() as server:
        endpoint = world.added(admin, server.url, now=now)
    world.told_tenant(admin, now=now)
    (row,) = claiming.claim(endpoint.pk, most=1, most_suspect=1, now=now)

    settling.settle(delivery_id=row.pk, attempt=1, outcome=Outcome(Result.REFUSED, "bad"), now=now)

    endpoint.refresh_from_db()
    assert (endpoint.failures, world.only(endpoint).status) == (0, "dead")
